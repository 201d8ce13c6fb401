"""Libraries that scan compressed vectors, and data bases with vectors in them."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from contender import Contender, Floats, Knob


class FaissHnsw(Contender):
    package = "faiss-cpu"
    settings = "HNSW16, efConstruction 200"
    factory = "HNSW16"

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        self.index = faiss.index_factory(self.dim, self.factory)
        if hasattr(self.index, "hnsw"):
            self.index.hnsw.efConstruction = 200
        self.index.train(base)
        self.index.add(base)

    def save(self, path: pathlib.Path) -> None:
        import faiss

        faiss.write_index(self.index, str(path))

    def load(self, path: pathlib.Path) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(str(path))

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        self.index.hnsw.efSearch = int(knob)
        return self.index.search(queries, k)[1]


class FaissIvf(FaissHnsw):
    """Inverted lists of 4-bit codes, the best of them compared with the vectors themselves.

    The knob is probes * 1000 + how many times k candidates are refined.
    """

    knob_name = "probes*1000+refine"
    codes = ""

    def __init__(self, dim: int, rows: int, threads: int = 1) -> None:
        super().__init__(dim, rows, threads)
        lists = 1 << max(4, round(np.log2(np.sqrt(rows) * 2)))
        self.factory = f"IVF{lists},{self._codes(dim)},RFlat"
        self.settings = self.factory

    def _codes(self, dim: int) -> str:
        return f"PQ{dim // 2}x4fs"

    def load(self, path: pathlib.Path) -> None:
        import faiss

        super().load(path)
        self.lists: Any = faiss.downcast_index(self.index.base_index)

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        self.lists.nprobe, self.index.k_factor = int(knob) // 1000, int(knob) % 1000
        return self.index.search(queries, k)[1]

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        refine = (4, 16, 64) if k >= 10 else (16, 64, 256)
        return [float(p * 1000 + r) for p in (1, 2, 4, 8, 16, 32, 64, 128) for r in refine]


class FaissRabitq(FaissIvf):
    def _codes(self, dim: int) -> str:
        return "RaBitQfs4"


class Turbovec(Contender):
    """Four bits a component, all of them scanned; by dot product, so for vectors of one length only."""

    package = "turbovec"
    settings = "4 bits, calibrated, exhaustive"
    knob_name = "none"
    max_queries = 500

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import turbovec

        lengths = np.linalg.norm(base[:: max(1, len(base) // 1000)], axis=1)
        if lengths.std() > 1e-3 * lengths.mean():
            raise ValueError("has no L2 distance: needs vectors of unit length")
        self.index = turbovec.TurboQuantIndex(dim=self.dim, bit_width=4)
        self.index.calibrate(base[np.random.default_rng(1).choice(len(base), min(len(base), 4096), replace=False)])
        self.index.add(base)

    def save(self, path: pathlib.Path) -> None:
        self.index.write(str(path), durable=False)

    def load(self, path: pathlib.Path) -> None:
        import turbovec

        self.index = turbovec.TurboQuantIndex.load(str(path))
        self.index.prepare()

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        return self.index.search(queries, k)[1]

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        return [0.0]


class Zvec(Contender):
    package = "zvec"
    settings = "HNSW f32, m 16, ef_construction 200; one query a call, by internal ids"
    batch = False
    quantize = "UNDEFINED"
    refine = False

    def _init(self) -> Any:
        import zvec

        zvec.init(query_threads=1, optimize_threads=self.threads, log_level=zvec.LogLevel.ERROR)
        return zvec

    def build(self, base: Floats, path: pathlib.Path) -> None:
        zvec = self._init()
        index = zvec.HnswIndexParam(metric_type=zvec.MetricType.L2, m=16, ef_construction=200,
                                    quantize_type=getattr(zvec.QuantizeType, self.quantize), use_contiguous_memory=True)
        vectors = zvec.VectorSchema("v", zvec.DataType.VECTOR_FP32, self.dim, index_param=index)
        collection = zvec.create_and_open(str(path), zvec.CollectionSchema(name="base", vectors=vectors))
        for at in range(0, len(base), 1000):
            rows = range(at, min(at + 1000, len(base)))
            collection.insert([zvec.Doc(id=str(i), vectors={"v": base[i]}) for i in rows])
        collection.optimize(zvec.OptimizeOption())
        collection.flush()
        collection.close()

    def load(self, path: pathlib.Path) -> None:
        zvec = self._init()
        self.zvec = zvec
        self.collection = zvec.open(str(path), zvec.CollectionOption(read_only=True))
        self.ids: Any = None

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        how = self.zvec.HnswQueryParam(ef=int(knob), is_using_refiner=self.refine)
        find, query = self.collection.query_internal_ids, self.zvec.Query
        found = np.stack([find(query("v", vector=q, param=how), topk=k) for q in queries])
        if self.ids is None:  # the first pass pays for it; the best pass counts
            self.ids = np.array([-1 if i is None else int(i) for i in
                                 self.collection.resolve_internal_ids(np.arange(self.rows))], np.int64)
        return self.ids[found]


class ZvecUint8(Zvec):
    settings = "HNSW, UNIFORM_UINT8 with refiner, m 16, ef_construction 200; one query a call, by internal ids"
    quantize = "UNIFORM_UINT8"
    refine = True


class Lancedb(Contender):
    package = "lancedb"
    settings = "IVF_HNSW_SQ, 1 partition, m 20, ef_construction 200, refine_factor 2"
    max_queries = 200  # a query takes milliseconds, whatever ef is

    def build(self, base: Floats, path: pathlib.Path) -> None:
        import lancedb
        import pyarrow as pa
        from lancedb.index import HnswSq

        vectors = pa.FixedSizeListArray.from_arrays(pa.array(base.reshape(-1)), self.dim)
        rows = pa.table({"id": pa.array(np.arange(len(base))), "v": vectors})
        table = lancedb.connect(str(path)).create_table("base", rows)
        table.create_index("v", config=HnswSq(distance_type="l2", num_partitions=1, m=20, ef_construction=200))

    def load(self, path: pathlib.Path) -> None:
        import lancedb

        self.table = lancedb.connect(str(path)).open_table("base")

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        out = []
        for q in queries:
            plan: Any = self.table.search(q, vector_column_name="v").limit(k)
            out.append(plan.ef(int(knob)).refine_factor(2).select(["id", "_distance"]).to_arrow()["id"].to_numpy())
        return out

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        return [float(e) for e in (10, 20, 32, 48, 64, 128, 256, 512, 1024) if e >= 2 * k]


class SqliteVec(Contender):
    package = "sqlite-vec"
    settings = "vec0 table, f32, exhaustive; through apsw"
    knob_name = "none"
    batch = False
    max_queries = 50

    def _connect(self, path: pathlib.Path) -> Any:
        import apsw
        import sqlite_vec

        connection = apsw.Connection(str(path))
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        return connection

    def build(self, base: Floats, path: pathlib.Path) -> None:
        path.unlink(missing_ok=True)
        connection = self._connect(path)
        connection.execute(f"create virtual table t using vec0(v float[{self.dim}])")
        with connection:
            connection.executemany("insert into t(rowid, v) values(?, ?)",
                                   ((i, v.tobytes()) for i, v in enumerate(base)))
        connection.close()

    def load(self, path: pathlib.Path) -> None:
        self.connection = self._connect(path)

    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        statement = "select rowid from t where v match ? and k = ? order by distance"
        return [[r[0] for r in self.connection.execute(statement, (q.tobytes(), k))] for q in queries]

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        return [0.0]
