"""What every peer offers to a comparison: build, keep, load, search with one thread.

A contender is a setting of a library: rabitqlib with degree 32 is one, with degree 64 another.
"""

from __future__ import annotations

import abc
import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.uint64]
Knob = float

MISSING = np.iinfo(np.uint64).max  # stands where fewer than k were found

EF = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1536,
      2048)
EF_SMALL = (1, 2, 3, 4, 6, 8)


class Contender(abc.ABC):
    """One setting of one library. Distances are squared L2; ids are row numbers of the base."""

    package = ""  # as the registry names it, to report the version
    settings = ""  # in words, for the report
    batch = True  # answers many queries a call
    can_save = True
    knob_name = "ef"
    max_queries = 10_000  # fewer for what is slow
    index: Any = None  # the library's own object
    min_dim = 1
    min_rows = 1

    def __init__(self, dim: int, rows: int, threads: int = 1) -> None:
        self.dim, self.rows, self.threads = dim, rows, threads
        if dim < self.min_dim:
            raise ValueError(f"needs {self.min_dim} dimensions or more")
        if rows < self.min_rows:
            raise ValueError(f"needs {self.min_rows} rows or more")

    @abc.abstractmethod
    def build(self, base: Floats, path: pathlib.Path) -> None:
        """Makes the index. What lives on disk is made at `path`, the rest in memory."""

    def save(self, path: pathlib.Path) -> None:  # noqa: B027
        """Writes what build() made in memory to `path`: a file, or a folder that is made here."""

    @abc.abstractmethod
    def load(self, path: pathlib.Path) -> None:
        """Loads what build() and save() left, ready for searches."""

    @abc.abstractmethod
    def search(self, queries: Floats, k: int, knob: Knob) -> Any:
        """Ids, one row of k a query, as the library hands them over."""

    def first(self, query: Floats, k: int, knob: Knob) -> Any:
        return self.search(query.reshape(1, -1), k, knob)

    @classmethod
    def knobs(cls, k: int) -> list[Knob]:
        """What the knob is set to, from fast to thorough."""
        grid = (EF_SMALL if k < 10 else ()) + EF
        return [float(e) for e in grid if e >= k]


def as_ids(found: Any, count: int, k: int) -> Ids:
    """Rows of ids of whatever type and length as a matrix of u64."""
    if isinstance(found, np.ndarray) and found.shape == (count, k):
        signed = found.dtype.kind == "i"
        return found.astype(np.int64, copy=False).view(np.uint64) if signed else found.astype(np.uint64)
    out: Ids = np.full((count, k), MISSING, np.uint64)
    for i, row in enumerate(found):
        row = np.asarray(row)[:k]
        out[i, : len(row)] = row.astype(np.int64).view(np.uint64) if row.dtype.kind != "u" else row
    return out


def size_on_disk(path: pathlib.Path) -> int:
    """Bytes of a file, or of all files in a folder; files that share its name and go on are counted in."""
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return sum(p.stat().st_size for p in path.parent.glob(path.name + "*") if p.is_file())


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    if path.is_dir():
        return [p for p in path.rglob("*") if p.is_file()]
    return [p for p in path.parent.glob(path.name + "*") if p.is_file()]
