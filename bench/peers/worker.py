"""One contender in a process of its own. Obeys lines on standard input, answers each with a line of JSON:

    worker.py NAME CPU
    about
    build BASE PATH METRIC [threads=N]
    open PATH ROWS
    queries FILE
    run K KNOB PASSES OUT [COUNT]
    first PATH K KNOB OUT ROWS      opens, answers the first query: the time includes both
    quit

bench/search_driver.cpp and node/worker.mjs speak the same. The process and all threads of the library stay on
one CPU, unless a build with threads=N asks for more. OUT gets the ids of the last pass as raw u64.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import json
import os
import pathlib
import shlex
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import proc
from contender import Contender, Floats, as_ids, size_on_disk
from contenders import PEERS


def trim() -> None:
    """Gives back what malloc keeps, so that a process holds what it needs and no more."""
    with contextlib.suppress(OSError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def module_of(kind: type[Contender]) -> None:
    """Imports the library before memory and time are measured."""
    modules = {"faiss-cpu": ["faiss"], "scalable-vs": ["svs"], "ngt": ["ngtpy"], "sqlite-vec": ["apsw", "sqlite_vec"],
               "lancedb": ["lancedb", "pyarrow"], "usearch": ["usearch.index"]}
    for name in modules.get(kind.package, [kind.package]):
        __import__(name)


class Worker:
    def __init__(self, name: str) -> None:
        self.kind = PEERS[name]
        module_of(self.kind)
        self.peer: Contender | None = None
        self.queries: Floats = np.zeros((0, 1), np.float32)

    def about(self) -> dict[str, Any]:
        return {"package": self.kind.package, "version": importlib.metadata.version(self.kind.package),
                "batch": self.kind.batch, "knob": self.kind.knob_name, **proc.memory()}

    def build(self, base: str, path: str, metric: str, *options: str) -> dict[str, Any]:
        if metric != "l2":
            raise ValueError("contenders are compared by l2")
        threads = next((int(o[8:]) for o in options if o.startswith("threads=")), 1)
        if threads > 1:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
        rows = np.load(base).astype(np.float32, copy=False)
        peer = self.kind(rows.shape[1], len(rows), threads)
        where = pathlib.Path(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        before = proc.memory("before_")
        cpu_start, start = time.process_time(), time.perf_counter()
        peer.build(rows, where)
        built, cpu = time.perf_counter(), time.process_time() - cpu_start
        peer.save(where)
        saved = time.perf_counter()
        return {"seconds": built - start, "cpu_s": cpu, "save_s": saved - built, "bytes": size_on_disk(where),
                "rows": len(rows), "settings": peer.settings, "threads": threads, **before, **proc.memory()}

    def _open(self, path: str, rows: str) -> None:
        self.peer = self.kind(self.queries.shape[1], int(rows))
        self.peer.load(pathlib.Path(path))

    def open(self, path: str, rows: str) -> dict[str, Any]:
        trim()
        before = proc.memory("before_")
        start = time.perf_counter()
        self._open(path, rows)
        seconds = time.perf_counter() - start
        trim()
        return {"seconds": seconds, "bytes": size_on_disk(pathlib.Path(path)), **before, **proc.memory()}

    def read_queries(self, path: str) -> dict[str, Any]:
        self.queries = np.ascontiguousarray(np.load(path).astype(np.float32))
        return {"queries": len(self.queries)}

    def run(self, k: str, knob: str, passes: str, out: str, count: str = "0") -> dict[str, Any]:
        if self.peer is None:
            raise ValueError("run: open an index first")
        n = min(len(self.queries), int(count) or len(self.queries), self.kind.max_queries)
        queries = self.queries[:n]
        seconds, cpu = [], []
        found: Any = None
        for _ in range(int(passes)):
            cpu_start, start = time.process_time(), time.perf_counter()
            found = self.peer.search(queries, int(k), float(knob))
            seconds.append(time.perf_counter() - start)
            cpu.append(time.process_time() - cpu_start)
        as_ids(found, n, int(k)).tofile(out)
        return {"seconds": seconds, "cpu": cpu, "count": n, **proc.memory()}

    def first(self, path: str, k: str, knob: str, out: str, rows: str) -> dict[str, Any]:
        read = proc.bytes_read()
        start = time.perf_counter()
        self._open(path, rows)
        opened = time.perf_counter()
        assert self.peer is not None
        found = self.peer.first(self.queries[0], int(k), float(knob))
        end = time.perf_counter()
        read = proc.bytes_read() - read
        as_ids(found, 1, int(k)).tofile(out)
        return {"seconds": end - start, "open_s": opened - start, "read_bytes": read, **proc.memory()}

    def obey(self, words: list[str]) -> dict[str, Any]:
        commands: dict[str, Callable[..., dict[str, Any]]] = {
            "about": self.about, "build": self.build, "open": self.open, "queries": self.read_queries,
            "run": self.run, "first": self.first}
        return commands[words[0]](*words[1:])


def main() -> None:
    name, cpu = sys.argv[1:3]
    # Libraries print as they like: answers go where standard output was, the rest to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.sched_setaffinity(0, {int(cpu)})
    worker = Worker(name)
    for line in sys.stdin:
        words = shlex.split(line)
        if not words:
            continue
        if words[0] == "quit":
            break
        try:
            answer = {"ok": True, **worker.obey(words)}
        except Exception as e:  # whatever a library throws is this contender's answer
            answer = {"ok": False, "error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), file=answers, flush=True)
    answers.flush()
    os._exit(0)  # some libraries crash while they are unloaded


if __name__ == "__main__":
    main()
