#!/usr/bin/env python3
"""From a file to the first result: a fresh process opens what was built and answers one query.

    build/peers/venv/bin/python bench/peers/cold.py [--contenders NAMES] [--repeats 7]

200,000 x 128, generated. Cold: every file of the index is dropped from the page cache before (POSIX_FADV_DONTNEED;
with --drop-caches, as root, everything is). Warm: all files were just read. The time runs from before opening to the
result; starting the process and loading the library come before and do not count. Contenders take turns, each repeat
with another query. "read" is what the process had the device read before its first result (/proc/self/io), "cached"
what of its files is in the page cache after it (mincore), reading ahead included.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from typing import Any

import numpy as np

import contenders
import datasets
import measure
import page_cache
import proc
import stats
from contender import files_of
from measure import say
from process import ContenderFailed, Process, Tools

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT = ("rvf,rabitqlib,hnswlib,usearch,usearch-view,faiss-hnsw,voyager,pyvsag,svs-f16,zvec,lancedb,sqlite-vec,"
           "rvf-node")
EF = 64.0  # beam of the peers that have one
K = 10


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--contenders", default=DEFAULT)
    p.add_argument("--set", default="cold", dest="name", help="200,000 x 128 unless another set is named")
    p.add_argument("--repeats", type=int, default=7)
    p.add_argument("--drop-caches", action="store_true")
    p.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/ann")
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "build/peers")
    p.add_argument("--driver", type=pathlib.Path, default=ROOT / "build/release/bin/search_driver")
    p.add_argument("--cpu", type=int, default=(os.cpu_count() or 1) - 1)
    p.add_argument("--out", type=pathlib.Path)
    return p.parse_args()


def knob_of(name: str) -> object:
    if name in contenders.OURS:
        return "auto"
    if name in contenders.NODE:
        return EF
    knobs = contenders.PEERS[name].knobs(K)
    return min(knobs, key=lambda x: abs(x - EF)) if EF in knobs or len(knobs) == 1 else knobs[len(knobs) // 2]


def once(name: str, data: datasets.DataSet, tools: Tools, query: int, cold: bool, drop: bool,
         load: proc.Load) -> dict[str, Any]:
    path = measure.index_path(name, data)
    files = [f for f in files_of(path) if f.name != "build.json"]
    one = data.folder / "one-query.npy"
    np.save(one, data.queries[query : query + 1])
    with Process(name, tools, load.add) as process:
        process.ask("queries", one)
        if cold:
            page_cache.forget(files, drop)
        else:
            for file in files:
                file.read_bytes()
        before = page_cache.resident(files)
        answer = process.ask("first", path, K, knob_of(name), process.out, data.info["rows"])
        after = page_cache.resident(files)
        found = np.fromfile(process.out, np.uint64)
    answer["recall"] = float(np.isin(found.astype(np.int64), data.truth[query, :K]).mean())
    answer["cached_before"], answer["cached"] = before, after
    return answer


def summary(samples: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [s["seconds"] for s in samples]
    return {
        "ms": round(stats.median(seconds) * 1e3, 3), "ms_least": round(min(seconds) * 1e3, 3),
        "ms_most": round(max(seconds) * 1e3, 3),
        "open_ms": round(stats.median([s["open_s"] for s in samples]) * 1e3, 3),
        "read_mb": round(stats.median([float(s["read_bytes"]) for s in samples]) / 1e6, 2),
        "cached_mb": round(stats.median([float(s["cached"]) for s in samples]) / 1e6, 2),
        "cached_before_mb": round(max(s["cached_before"] for s in samples) / 1e6, 2),
        "rss_mb": round(stats.median([float(s["rss"]) for s in samples]) / 1e6, 1),
        "recall": round(sum(s["recall"] for s in samples) / len(samples), 3),
    }


def text(result: dict[str, Any]) -> str:
    m = result["machine"]
    out = [f"{m['cpu']}, commit {m['commit']}, {m['date']}; {result['command']}",
           f"{result['info']['rows']:,} x {result['info']['dim']}, {result['info']['note']}; load {result['load']}",
           f"{'contender':14}{'file MB':>9}{'cold ms':>9}{'least':>8}{'most':>8}{'read MB':>9}{'cached MB':>11}"
           f"{'recall':>8}{'warm ms':>9}{'least':>8}"]
    for name, r in sorted(result["contenders"].items(), key=lambda item: item[1]["cold"]["ms"]):
        c, w = r["cold"], r["warm"]
        out.append(f"{name:14}{r['bytes'] / 1e6:9.0f}{c['ms']:9.1f}{c['ms_least']:8.1f}{c['ms_most']:8.1f}"
                   f"{c['read_mb']:9.1f}{c['cached_mb']:11.1f}{c['recall']:8.2f}{w['ms']:9.2f}{w['ms_least']:8.2f}")
    out += [f"{name}: not here: {why}" for name, why in result["failed"].items()]
    return "\n".join(out)


def main() -> None:
    args = arguments()
    names = contenders.expand(args.contenders)
    out = args.out or args.work / "results/cold.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    tools = Tools(args.work, args.driver, args.cpu)
    data = datasets.prepare(args.name, args.data, args.work / "work")
    failed: dict[str, str] = {}
    sizes: dict[str, int] = {}
    load = proc.Load()
    for name in names:
        try:
            sizes[name] = measure.build(name, data, tools, load, 1, False)["bytes"]
        except ContenderFailed as e:
            say(f"  {name}: {e}")
            failed[name] = str(e)
    samples: dict[str, dict[str, list[dict[str, Any]]]] = {n: {"cold": [], "warm": []} for n in sizes}
    load = proc.Load()
    for repeat in range(args.repeats):
        say(f"repeat {repeat + 1} of {args.repeats}")
        for name in [n for n in sizes if n not in failed]:
            for state in ("cold", "warm"):
                try:
                    answer = once(name, data, tools, repeat, state == "cold", args.drop_caches, load)
                    samples[name][state].append(answer)
                except ContenderFailed as e:
                    say(f"  {name}: {e}")
                    failed[name] = str(e)
                    break
    result = {
        "machine": proc.machine(ROOT), "command": "bench/peers/cold.py " + " ".join(sys.argv[1:]), "info": data.info,
        "load": load.report(), "failed": failed,
        "contenders": {n: {"bytes": sizes[n], "knob": knob_of(n), **{state: summary(of) for state, of in s.items()}}
                       for n, s in samples.items() if n not in failed}}
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(text(result))
    print(f"JSON: {out}")


if __name__ == "__main__":
    main()
