#!/usr/bin/env python3
"""How the store grows: generated vectors of 384 dimensions in f16, a million and ten by default. Takes hours.

    build/peers/venv/bin/python bench/peers/large.py [--rows 1000000,10000000]

For each size: build time, file size, from a dropped page cache to the first result (time, bytes read, recall), then
warm: recall and time of single queries, and memory after 2,000 different ones. Truth is the store's own exact search of the first 100.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import datasets
import page_cache
import proc
from process import Process, Tools

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIM, QUERIES, TRUE, K, CHUNK = 384, 2000, 100, 10, 100_000


class Source:
    """Clusters that are flat, as datasets.clustered makes them, in parts: 10,000 of them, 16 directions each."""

    CLUSTERS, INNER = 10_000, 16

    def __init__(self) -> None:
        self.rng = np.random.default_rng(datasets.SEED)
        self.centres = self.rng.standard_normal((self.CLUSTERS, DIM), np.float32)
        # A cluster's directions are rows of one pool from an offset of its own: 10,000 sets would take 245 MB.
        self.pool = self.rng.standard_normal((4096, DIM), np.float32) / np.float32(np.sqrt(DIM))
        self.offset = self.rng.integers(0, len(self.pool) - self.INNER, self.CLUSTERS)

    def rows(self, n: int) -> npt.NDArray[np.float16]:
        of = self.rng.integers(0, self.CLUSTERS, n)
        x = self.centres[of] + np.float32(0.05) * self.rng.standard_normal((n, DIM), np.float32)
        weights = self.rng.standard_normal((n, self.INNER), np.float32)
        for j in range(self.INNER):
            x += weights[:, j : j + 1] * self.pool[self.offset[of] + j]
        return x.astype(np.float16)


def generate(folder: pathlib.Path, rows: int) -> tuple[pathlib.Path, pathlib.Path]:
    base, queries = folder / "base.npy", folder / "queries.npy"
    if not queries.is_file():
        source = Source()
        wanted = source.rows(QUERIES)
        out: Any = np.lib.format.open_memmap(base, "w+", np.float16, (rows, DIM))  # type: ignore[no-untyped-call]
        for at in range(0, rows, CHUNK):
            out[at : at + CHUNK] = source.rows(min(CHUNK, rows - at))
        out.flush()
        np.save(queries, wanted.astype(np.float32))
    return base, queries


def measure(rows: int, args: argparse.Namespace, tools: Tools, load: proc.Load) -> dict[str, Any]:
    folder = args.work / "work" / f"large-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{rows:,} x {DIM}: generating", file=sys.stderr, flush=True)
    base, queries = generate(folder, rows)
    store = folder / "store.rvf"
    out: dict[str, Any] = {"rows": rows, "dim": DIM, "raw_f16_bytes": rows * DIM * 2}
    print("  building", file=sys.stderr, flush=True)
    with Process("rvf", tools, load.add, args.threads) as process:
        out["build"] = process.ask("build", base, store, "l2", f"threads={args.threads}",
                                   f"layout={args.layout}", seconds=86400)
    with Process("rvf", tools, load.add) as process:
        process.ask("queries", queries)
        page_cache.forget([store, base])
        first = process.ask("first", store, K, "auto", process.out, seconds=600)
        found = np.fromfile(process.out, np.uint64)
        first["cached"] = page_cache.resident([store])
        time.sleep(0.1)
        _, truth = process.run(K, "exact", 1, TRUE)
        first["recall"] = float(np.isin(found, truth[0]).mean())
        out["first"] = first
        process.run(K, "auto", 2)  # warms up
        answer, ids = process.run(K, f"recall={args.recall}", 1, TRUE)
        out["recall"] = float(np.mean([np.isin(a, b).mean() for a, b in zip(ids, truth, strict=True)]))
        out["latency"] = process.ask("latency", K, f"recall={args.recall}", QUERIES)
    with Process("rvf", tools, load.add) as process:  # memory without the exact scan's pages
        process.ask("queries", queries)
        process.ask("open", store)
        process.run(K, f"recall={args.recall}", 1)
        out["memory"] = process.ask("about")
    if not args.keep:
        base.unlink()
        store.unlink()
        queries.unlink()
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", default="1000000,10000000")
    p.add_argument("--recall", type=float, default=0.95, help="the target that warm queries ask for")
    p.add_argument("--layout", default="fused", help="what the index is made as where memory allows it")
    p.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the build")
    p.add_argument("--keep", action="store_true", help="vectors and store stay in the work folder")
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "build/peers")
    p.add_argument("--driver", type=pathlib.Path, default=ROOT / "build/release/bin/search_driver")
    p.add_argument("--cpu", type=int, default=(os.cpu_count() or 1) - 1)
    p.add_argument("--out", type=pathlib.Path)
    args = p.parse_args()
    out = args.out or args.work / "results/large.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    tools = Tools(args.work, args.driver, args.cpu)
    load = proc.Load()
    result: dict[str, Any] = {"machine": proc.machine(ROOT), "seed": datasets.SEED,
                              "command": "bench/peers/large.py " + " ".join(sys.argv[1:]), "sizes": []}
    for rows in (int(r) for r in args.rows.split(",")):
        one = measure(rows, args, tools, load)
        result["sizes"].append(one)
        result["load"] = load.report()
        out.write_text(json.dumps(result, indent=1) + "\n")
        b, f, latency = one["build"], one["first"], one["latency"]
        print(f"{rows:,} x {DIM} f16: built in {b['seconds']:.0f} s ({args.threads} threads), file "
              f"{b['bytes'] / 1e9:.2f} GB; first result, cold: {f['seconds'] * 1e3:.1f} ms, read "
              f"{f['read_bytes'] / 1e6:.1f} MB, recall {f['recall']:.2f}; warm: recall {one['recall']:.3f}, "
              f"p50 {latency['p50_us']:.0f} us, p99 {latency['p99_us']:.0f} us; resident "
              f"{one['memory']['rss'] / 1e9:.2f} GB, of it {one['memory']['rss_file'] / 1e9:.2f} of files", flush=True)
    print(f"JSON: {out}")


if __name__ == "__main__":
    main()
