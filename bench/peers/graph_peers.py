"""Libraries whose answer is a graph over vectors in memory."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np

from contender import Contender, Floats, Knob


class Rabitq(Contender):
    """SymphonyQG: Gou et al., SIGMOD 2025."""

    package = "rabitqlib"
    degree = 32
    min_dim = 64

    def __init__(self, dim: int, rows: int, threads: int = 1) -> None:
        super().__init__(dim, rows, threads)
        self.settings = f"SymqgIndex, degree {self.degree}, ef_construction 200"

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(self.dim, self.degree)
        self.index.build(base, 200, self.threads)

    def save(self, path: pathlib.Path) -> None:
        self.index.save(str(path))

    def load(self, path: pathlib.Path) -> None:
        import rabitqlib

        self.index = rabitqlib.SymqgIndex.load(str(path))

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        return self.index.search_batch(queries, k, int(knob), 1)[0]


class Rabitq64(Rabitq):
    degree = 64


class Hnswlib(Contender):
    package = "hnswlib"
    settings = "M 16, ef_construction 200, compiled with -O3 -march=native"

    def _new(self) -> Any:
        import hnswlib

        return hnswlib.Index("l2", self.dim)

    def build(self, base: Floats, path: pathlib.Path) -> None:
        self.index = self._new()
        self.index.init_index(len(base), M=16, ef_construction=200, random_seed=1)
        self.index.add_items(base, num_threads=self.threads)

    def save(self, path: pathlib.Path) -> None:
        self.index.save_index(str(path))

    def load(self, path: pathlib.Path) -> None:
        self.index = self._new()
        self.index.load_index(str(path))
        self.index.set_num_threads(1)

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        self.index.set_ef(int(knob))
        return self.index.knn_query(queries, k, num_threads=1)[0]


class Usearch(Contender):
    package = "usearch"
    dtype = "f32"

    def __init__(self, dim: int, rows: int, threads: int = 1) -> None:
        super().__init__(dim, rows, threads)
        self.settings = f"{self.dtype}, connectivity 16, expansion_add 200"

    def build(self, base: Floats, path: pathlib.Path) -> None:
        from usearch.index import Index

        self.index = Index(ndim=self.dim, metric="l2sq", dtype=self.dtype, connectivity=16, expansion_add=200)
        self.index.add(np.arange(len(base)), base, threads=self.threads)

    def save(self, path: pathlib.Path) -> None:
        self.index.save(str(path))

    def load(self, path: pathlib.Path) -> None:
        from usearch.index import Index

        self.index = Index.restore(str(path), view=False)

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        self.index.expansion_search = int(knob)
        keys = self.index.search(queries, k, threads=1).keys
        return np.asarray(keys).reshape(len(queries), k)


class UsearchHalf(Usearch):
    dtype = "f16"


class UsearchView(Usearch):
    """The same file mapped instead of read: what it offers for a fast start."""

    def load(self, path: pathlib.Path) -> None:
        from usearch.index import Index

        self.index = Index.restore(str(path), view=True)


class Voyager(Contender):
    package = "voyager"
    settings = "f32, M 16, ef_construction 200"

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import voyager

        self.index = voyager.Index(voyager.Space.Euclidean, self.dim, M=16, ef_construction=200, random_seed=1,
                                   max_elements=len(base))
        self.index.add_items(base, num_threads=self.threads)

    def save(self, path: pathlib.Path) -> None:
        self.index.save(str(path))

    def load(self, path: pathlib.Path) -> None:
        import voyager

        self.index = voyager.Index.load(str(path))

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        return self.index.query(queries, k, num_threads=1, query_ef=int(knob))[0]


class Vsag(Contender):
    package = "pyvsag"
    settings = "HGraph, sq8_uniform with f32 reorder, degree 32, ef_construction 200; one query a call"
    batch = False

    def _new(self) -> Any:
        import pyvsag

        pyvsag.set_logger_off()
        index = {"base_quantization_type": "sq8_uniform", "max_degree": 32, "ef_construction": 200, "use_reorder": True,
                 "precise_quantization_type": "fp32", "build_thread_count": self.threads}
        parameters = {"dtype": "float32", "metric_type": "l2", "dim": self.dim, "index_param": index}
        return pyvsag.Index("hgraph", json.dumps(parameters))

    def build(self, base: Floats, path: pathlib.Path) -> None:
        self.index = self._new()
        self.index.build(vectors=base, ids=np.arange(len(base), dtype=np.int64), num_elements=len(base), dim=self.dim)

    def save(self, path: pathlib.Path) -> None:
        self.index.save(str(path))

    def load(self, path: pathlib.Path) -> None:
        self.index = self._new()
        self.index.load(str(path))

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        parameters = json.dumps({"hgraph": {"ef_search": int(knob)}})
        find = self.index.knn_search
        return [find(q, k, parameters)[0] for q in queries]

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        return [e for e in super().knobs(k) if e <= 1000]  # above, it answers with memory that nobody wrote


class Svs(Contender):
    """Vamana over vectors in LVQ: Aguerrebere et al., VLDB 2023."""

    package = "scalable-vs"
    settings = "Vamana, LVQ4x4, degree 32, window 200, alpha 1.2"

    def _loader(self, source: Any) -> Any:
        import svs

        return svs.LVQLoader(source, primary=4, residual=4)

    def _reloader(self, folder: str) -> Any:
        import svs

        return svs.LVQLoader(folder)

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import svs

        path.mkdir(parents=True, exist_ok=True)
        vectors = path / "base.fvecs"
        svs.write_vecs(base, str(vectors))
        source = svs.VectorDataLoader(str(vectors), svs.DataType.float32, dims=self.dim)
        parameters = svs.VamanaBuildParameters(graph_max_degree=32, window_size=200, alpha=1.2)
        self.index = svs.Vamana.build(parameters, self._loader(source), svs.DistanceType.L2, num_threads=self.threads)
        vectors.unlink()

    def save(self, path: pathlib.Path) -> None:
        self.index.save(str(path / "config"), str(path / "graph"), str(path / "data"))

    def load(self, path: pathlib.Path) -> None:
        import svs

        self.index = svs.Vamana(str(path / "config"), svs.GraphLoader(str(path / "graph")),
                                self._reloader(str(path / "data")), distance=svs.DistanceType.L2, num_threads=1)

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        self.index.search_window_size = int(knob)
        return self.index.search(queries, k)[0]


class SvsLeanVec(Svs):
    """Vectors of fewer dimensions first: Tepper et al., TMLR 2024."""

    settings = "Vamana, LeanVec to half the dimensions, LVQ4 and LVQ8, degree 32, window 200, alpha 1.2"

    def _loader(self, source: Any) -> Any:
        import svs

        return svs.LeanVecLoader(source, self.dim // 2, svs.LeanVecKind.lvq4, svs.LeanVecKind.lvq8)

    def _reloader(self, folder: str) -> Any:
        import svs

        return svs.LeanVecLoader(folder)


class SvsHalf(Svs):
    """Without LVQ, which its package has for Intel processors only."""

    settings = "Vamana, f16, degree 32, window 200, alpha 1.2"

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import svs

        path.mkdir(parents=True, exist_ok=True)
        parameters = svs.VamanaBuildParameters(graph_max_degree=32, window_size=200, alpha=1.2)
        self.index = svs.Vamana.build(parameters, base.astype(np.float16), svs.DistanceType.L2,
                                      num_threads=self.threads)

    def _reloader(self, folder: str) -> Any:
        import svs

        return svs.VectorDataLoader(folder, svs.DataType.float16, dims=self.dim)


class Ngt(Contender):
    """ONNG: Iwasaki and Miyazaki, arXiv 1810.07355. The package has no builder of its quantised graphs."""

    package = "ngt"
    settings = "ONNG, 100 edges for creation, 10 outgoing and 120 incoming"
    knob_name = "epsilon"

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import ngtpy

        path.mkdir(parents=True, exist_ok=True)
        plain = str(path.parent / (path.name + ".anng"))
        ngtpy.create(plain, self.dim, edge_size_for_creation=100, edge_size_for_search=0, distance_type="L2")
        index = ngtpy.Index(plain, log_disabled=True)
        index.batch_insert(base, num_threads=self.threads)
        index.save()
        index.close()
        optimizer = ngtpy.Optimizer(num_of_outgoings=10, num_of_incomings=120, log_disabled=True)
        optimizer.set_processing_modes(search_parameter_optimization=False, accuracy_table_generation=False)
        path.rmdir()
        optimizer.execute(plain, str(path))
        for file in pathlib.Path(plain).iterdir():
            file.unlink()
        pathlib.Path(plain).rmdir()

    def load(self, path: pathlib.Path) -> None:
        import ngtpy

        self.results = ngtpy.BatchResults()
        self.index = ngtpy.Index(str(path), read_only=True, log_disabled=True)

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        self.index.set(epsilon=knob)
        self.index.batch_search(queries, self.results, k, with_distance=False)
        return np.asarray(self.results.get_ids()).reshape(len(queries), k)

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        return [-0.2, -0.1, -0.05, -0.03, -0.01, 0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3]
