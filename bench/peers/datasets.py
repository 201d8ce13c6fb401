"""The sets that contenders are compared on: real ones from a folder, and generated ones.

Every set becomes files in the work folder: base.f32.npy for the peers, base.npy in the smallest type that holds the
values exactly for us, queries.npy, truth.npy (100 ids a query, nearest first, ties by id) and set.json.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from contender import Floats, Ids

SEED = 20260101
TRUTH = 100
Array = npt.NDArray[Any]


class NoData(Exception):
    pass


@dataclasses.dataclass
class Raw:
    base: Array
    queries: Array
    truth: Array | None = None
    note: str = ""


def _file(path: pathlib.Path) -> pathlib.Path:
    if not path.is_file():
        raise NoData(f"no {path.name}")
    return path


def wordnet(data: pathlib.Path, kind: str) -> Raw:
    folder = data / "wordnet-minilm-384"
    note = {"in": "sentence embeddings, queries of the same kind",
            "ood": "the same embeddings, queries from another distribution"}[kind]
    return Raw(np.load(_file(folder / "base.f16.npy")), np.load(_file(folder / f"queries-{kind}.f16.npy")),
               np.load(_file(folder / f"truth-{kind}.i32.npy")), note)


def _idx(path: pathlib.Path) -> Array:
    with gzip.open(_file(path)) as f:
        return np.frombuffer(f.read(), np.uint8)[16:].reshape(-1, 784)


def fashion(data: pathlib.Path) -> Raw:
    folder = data / "fashion-mnist"
    truth = np.fromfile(_file(folder / "gt_q0000-4999_ids.i32.bin"), np.int32).reshape(-1, 100)
    return Raw(_idx(folder / "train-images-idx3-ubyte.gz"), _idx(folder / "t10k-images-idx3-ubyte.gz")[:2000],
               truth[:2000], "images as bytes")


def _held_out(rows: Array, count: int, note: str) -> Raw:
    picked = np.random.default_rng(SEED).permutation(len(rows))
    return Raw(rows[np.sort(picked[count:])], rows[picked[:count]], None, f"{note}; {count} rows held out as queries")


def bge(data: pathlib.Path) -> Raw:
    return _held_out(np.load(_file(data / "beir-queries-bge-base-768.7574.f32.npy")), 1000, "embeddings of questions")


def glove(data: pathlib.Path) -> Raw:
    return _held_out(np.load(_file(data / "glove-twitter-25d.f32.npy")), 1000, "word vectors")


def sift(data: pathlib.Path) -> Raw:
    raw = np.fromfile(_file(data / "sift1m-rows-100001-105000.u8bin"), np.uint8)
    return _held_out(raw[8:].reshape(-1, 128), 500, "image descriptors")


def iid(rows: int, dim: int, queries: int = 1000) -> Raw:
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((rows + queries, dim), np.float32)
    return Raw(x[:rows], x[rows:], None, f"independent normal components, intrinsic dimension {dim}, seed {SEED}")


def clustered(rows: int, dim: int, queries: int = 1000) -> Raw:
    """Clusters that are flat: 16 of the directions carry them, and a little noise in all."""
    rng = np.random.default_rng(SEED)
    clusters, inner = 1000, 16
    n = rows + queries
    centres = rng.standard_normal((clusters, dim), np.float32)
    directions = rng.standard_normal((clusters, inner, dim), np.float32) / np.float32(np.sqrt(dim))
    of = rng.integers(0, clusters, n)
    x = centres[of] + np.float32(0.05) * rng.standard_normal((n, dim), np.float32)
    weights = rng.standard_normal((n, inner), np.float32)
    for c in range(clusters):
        x[of == c] += weights[of == c] @ directions[c]
    return Raw(x[:rows], x[rows:], None,
               f"{clusters} clusters of intrinsic dimension {inner} and noise of 0.05, seed {SEED}")


def anisotropic(rows: int, dim: int, queries: int = 1000) -> Raw:
    rng = np.random.default_rng(SEED)
    scale = (np.arange(1, dim + 1) ** -0.75).astype(np.float32)
    rotation = np.linalg.qr(rng.standard_normal((dim, dim)))[0].astype(np.float32)
    x = (rng.standard_normal((rows + queries, dim), np.float32) * scale) @ rotation
    share = float(np.sum(scale**2) ** 2 / np.sum(scale**4))
    return Raw(x[:rows], x[rows:], None,
               f"normal, deviation of axis i as i^-0.75, rotated: effective dimension {share:.1f}, seed {SEED}")


SETS: dict[str, Callable[[pathlib.Path], Raw]] = {
    "wordnet-in": lambda d: wordnet(d, "in"),
    "wordnet-ood": lambda d: wordnet(d, "ood"),
    "fashion-mnist": fashion,
    "bge-768": bge,
    "sift": sift,
    "glove-25": glove,
    "clustered": lambda _: clustered(100_000, 128),
    "gaussian": lambda _: iid(100_000, 128),
    "anisotropic": lambda _: anisotropic(100_000, 128),
    "small": lambda _: clustered(5_000, 96, 200),
    "cold": lambda _: clustered(200_000, 128, 100),
}
# Sets that have the same base share what is built.
BASE_OF = {"wordnet-ood": "wordnet-in"}
FEW = ("wordnet-in", "wordnet-ood", "fashion-mnist")
ALL = tuple(name for name in SETS if name not in ("small", "cold"))


def smallest(base: Array) -> Array:
    """The values in u8, f16 or f32, whichever is the first to hold all of them exactly."""
    for kind in (np.uint8, np.float16):
        with np.errstate(over="ignore", invalid="ignore"):
            if np.array_equal(base.astype(kind).astype(base.dtype), base):
                return base.astype(kind)
    return base.astype(np.float32)


def squared(base: Array, query: Array, ids: Array) -> npt.NDArray[np.float64]:
    rows = base[ids].astype(np.float64) - query.astype(np.float64)
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def exact(base: Floats, queries: Floats) -> Array:
    """By f32 for twice as many as are wanted, ranked again by f64."""
    k = min(TRUTH, len(base))
    keep = min(len(base), 2 * k)
    norms = np.einsum("ij,ij->i", base, base)
    truth = np.empty((len(queries), k), np.int32)
    for at in range(0, len(queries), 100):
        part = queries[at : at + 100]
        near = np.argpartition(norms - 2 * part @ base.T, keep - 1, axis=1)[:, :keep]
        for i, ids in enumerate(near):
            truth[at + i] = ids[np.lexsort((ids, squared(base, part[i], ids)))[:k]]
    return truth


def intrinsic_dimension(base: Array, queries: Array, truth: Array) -> float:
    """Median of the maximum-likelihood estimate at the queries: Levina and Bickel, NIPS 2004."""
    out = []
    for q, ids in zip(queries[:200], truth[:200], strict=False):
        d = np.sqrt(squared(base, q, ids))
        d = d[d > 0]
        if len(d) > 10 and d[-1] > d[0]:
            out.append(-1 / np.mean(np.log(d[:-1] / d[-1])))
    return float(np.median(out)) if out else 0.0


@dataclasses.dataclass
class DataSet:
    name: str
    folder: pathlib.Path  # of its queries and truth
    base_folder: pathlib.Path
    info: dict[str, Any]

    def __post_init__(self) -> None:
        self.base_f32 = self.base_folder / "base.f32.npy"
        self.base_exact = self.base_folder / "base.npy"
        self.queries_file = self.folder / "queries.npy"
        self.base: Floats = np.load(self.base_f32, mmap_mode="r")
        self.queries: Floats = np.load(self.queries_file)
        self.truth: Array = np.load(self.folder / "truth.npy")

    def recall(self, found: Ids, k: int) -> float:
        """Share of the k nearest found; another row at the distance of the k-th counts as well."""
        k = min(k, self.truth.shape[1])
        hits = 0
        for i, row in enumerate(found):
            ids = row[row < len(self.base)].astype(np.int64)
            if len(ids) != len(set(ids.tolist())):
                raise AssertionError(f"query {i}: an id comes twice in a list of results")
            if np.any((row >= len(self.base)) & (row != np.iinfo(np.uint64).max)):
                raise AssertionError(f"query {i}: an id that the base does not have")
            true = self.truth[i, :k]
            known = np.isin(ids, true)
            hits += int(known.sum())
            if not known.all():
                limit = squared(self.base, self.queries[i], true[-1:])[0] * (1 + 1e-6)
                hits += int((squared(self.base, self.queries[i], ids[~known]) <= limit).sum())
        return min(1.0, hits / (k * len(found)))


def prepare(name: str, data: pathlib.Path, work: pathlib.Path) -> DataSet:
    """Raises NoData if its files are not there."""
    folder = work / name
    base_folder = work / BASE_OF.get(name, name)
    info_file = folder / "set.json"
    if not info_file.is_file():
        raw = SETS[name](data)
        folder.mkdir(parents=True, exist_ok=True)
        base_folder.mkdir(parents=True, exist_ok=True)
        base = raw.base.astype(np.float32)
        queries = np.ascontiguousarray(raw.queries.astype(np.float32))
        truth = raw.truth if raw.truth is not None else exact(base, queries)
        np.save(base_folder / "base.f32.npy", base)
        np.save(base_folder / "base.npy", smallest(base))
        np.save(folder / "queries.npy", queries)
        np.save(folder / "truth.npy", truth)
        info = {"name": name, "rows": len(base), "dim": base.shape[1], "queries": len(queries), "note": raw.note,
                "lid": round(intrinsic_dimension(base, queries, truth), 1), "raw_f32_bytes": base.nbytes,
                "stored_as": str(smallest(base[:1000]).dtype)}
        info_file.write_text(json.dumps(info, indent=1))
    return DataSet(name, folder, base_folder, json.loads(info_file.read_text()))
