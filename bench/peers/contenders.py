"""Who takes part, by the names that the command line and the results use."""

from __future__ import annotations

from collections.abc import Sequence

from contender import Contender
from graph_peers import (
    Hnswlib,
    Ngt,
    Rabitq,
    Rabitq64,
    Svs,
    SvsHalf,
    SvsLeanVec,
    Usearch,
    UsearchHalf,
    UsearchView,
    Voyager,
    Vsag,
)
from other_peers import FaissHnsw, FaissIvf, FaissRabitq, Lancedb, SqliteVec, Turbovec, Zvec, ZvecUint8

PEERS: dict[str, type[Contender]] = {
    "rabitqlib": Rabitq,
    "rabitqlib-64": Rabitq64,
    "hnswlib": Hnswlib,
    "faiss-hnsw": FaissHnsw,
    "faiss-ivfpq": FaissIvf,
    "faiss-rabitq": FaissRabitq,
    "usearch": Usearch,
    "usearch-f16": UsearchHalf,
    "usearch-view": UsearchView,
    "pyvsag": Vsag,
    "svs-lvq": Svs,
    "svs-leanvec": SvsLeanVec,
    "svs-f16": SvsHalf,
    "ngt": Ngt,
    "voyager": Voyager,
    "turbovec": Turbovec,
    "zvec": Zvec,
    "zvec-uint8": ZvecUint8,
    "lancedb": Lancedb,
    "sqlite-vec": SqliteVec,
}

# Not classes here: ours speaks the protocol itself (bench/search_driver.cpp), the other is node/worker.mjs.
OURS: dict[str, str] = {
    "rvf": "default settings, vectors stored in the smallest type that holds them exactly",
    "rvf-f32": "default settings, vectors stored as f32",
}
NODE: dict[str, str] = {"rvf-node": "@ruvector/rvf-node, m 16, efConstruction 200; one query a call"}

# Same index as another contender: built once.
SAME_INDEX = {"usearch-view": "usearch"}

FEW: Sequence[str] = ("rvf", "rabitqlib", "hnswlib", "usearch", "faiss-hnsw")
ALL: Sequence[str] = (*OURS, *(p for p in PEERS if p != "usearch-view"), *NODE)


def expand(names: str) -> list[str]:
    """A list with commas; "few" and "all" stand for theirs."""
    out: list[str] = []
    for name in names.split(","):
        for one in {"few": FEW, "all": ALL}.get(name, (name,)):
            if one not in PEERS and one not in OURS and one not in NODE:
                raise SystemExit(f"no such contender: {one}; there are {', '.join(ALL)}")
            if one not in out:
                out.append(one)
    return out
