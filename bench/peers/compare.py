#!/usr/bin/env python3
"""Compares the store with its peers: speed at equal recall, build time, memory, size.

    build/peers/venv/bin/python bench/peers/compare.py --sets few --contenders few --k 1,10,100

Every contender runs in a process of its own, on one pinned CPU; they take turns, --rounds times, so that a change in
the machine's state meets all of them. A first round sweeps the knob of each; the later ones repeat the points next to
recall 0.90, 0.95 and 0.99. Of all passes at a point the best counts (medians are in the JSON). Result lists are
checked for ids that come twice. Needs what setup.sh installs; `make bench` does all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from typing import Any

import contenders
import datasets
import measure
import proc
import table
from measure import say
from process import ContenderFailed, Tools

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sets", default="few", help="few, all, or names with commas: " + ", ".join(datasets.SETS))
    p.add_argument("--contenders", default="few", help="few, all, or names with commas: " + ", ".join(contenders.ALL))
    p.add_argument("--k", default="10", help="numbers of results, with commas")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--passes", type=int, default=2, help="at a point, each round after the first")
    p.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/ann")
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "build/peers", help="venv, sets and indexes")
    p.add_argument("--driver", type=pathlib.Path, default=ROOT / "build/release/bin/search_driver")
    p.add_argument("--cpu", type=int, default=(os.cpu_count() or 1) - 1)
    p.add_argument("--build-threads", default="1", help="with commas; all but 1 are for the build times only")
    p.add_argument("--rebuild", action="store_true", help="build also what an earlier run left")
    p.add_argument("--out", type=pathlib.Path, help="the JSON; default: results/compare.json in the work folder")
    p.add_argument("--plots", type=pathlib.Path, help="folder for PNG and SVG; default: beside the JSON")
    return p.parse_args()


def build_all(names: list[str], data: datasets.DataSet, tools: Tools, load: proc.Load, args: argparse.Namespace,
              failed: dict[str, str]) -> dict[str, Any]:
    builds: dict[str, Any] = {}
    for threads in (int(t) for t in args.build_threads.split(",")):
        for name in names:
            if name in failed:
                continue
            try:
                built = measure.build(name, data, tools, load, threads, args.rebuild)
                if threads == 1:
                    builds[name] = built
                else:
                    builds[name].setdefault("seconds_by_threads", {})[str(threads)] = built["seconds"]
            except ContenderFailed as e:
                say(f"  {name}: {e}")
                if threads == 1:
                    failed[name] = str(e)
    return builds


def compare_on(name: str, names: list[str], tools: Tools, args: argparse.Namespace, built: set[str]) -> dict[str, Any]:
    say(f"{name}:")
    try:
        data = datasets.prepare(name, args.data, args.work / "work")
    except datasets.NoData as e:
        say(f"  skipped: no data ({e})")
        return {"skipped": f"no data: {e}"}
    failed: dict[str, str] = {}
    first = str(data.base_folder) not in built
    keep = argparse.Namespace(**{**vars(args), "rebuild": args.rebuild and first})
    build_load = proc.Load()
    builds = build_all(names, data, tools, build_load, keep, failed)
    built.add(str(data.base_folder))
    out: dict[str, Any] = {"info": data.info, "builds": builds, "build_load": build_load.report(), "memory": {},
                           "k": {}}
    entrants: list[measure.Entrant] = []
    load = proc.Load()
    try:
        for contender in builds:
            try:
                entrants.append(measure.Entrant(contender, data, tools, load))
            except ContenderFailed as e:
                say(f"  {contender}: {e}")
                failed[contender] = str(e)
        for k in (int(k) for k in args.k.split(",")):
            say(f"  k {k}: {', '.join(e.name for e in entrants if e.name not in failed)}")
            load = proc.Load()
            active = [entrant for entrant in entrants if entrant.name not in failed]
            for entrant in active:
                entrant.process.counts_for(load.add)
            result = measure.rounds(active, k, args, failed)
            result["load"] = load.report()
            out["k"][str(k)] = result
        out["memory"] = {entrant.name: entrant.memory() for entrant in entrants}
    finally:
        for entrant in entrants:
            entrant.close()
    out["failed"] = failed
    return out


def installed(work: pathlib.Path) -> dict[str, str]:
    file = work / "install.tsv"
    if not file.is_file():
        return {}
    return dict(line.split("\t", 1) for line in file.read_text().splitlines() if "\t" in line)


def main() -> None:
    args = arguments()
    names = contenders.expand(args.contenders)
    sets = {"few": list(datasets.FEW), "all": list(datasets.ALL)}.get(args.sets, args.sets.split(","))
    unknown = [s for s in sets if s not in datasets.SETS]
    if unknown:
        raise SystemExit(f"no such set: {', '.join(unknown)}")
    out = args.out or args.work / "results/compare.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    tools = Tools(args.work, args.driver, args.cpu)
    # The CPU of the contenders is left to them, if there is another one.
    others = set(range(os.cpu_count() or 1)) - {args.cpu}
    os.sched_setaffinity(0, others or {args.cpu})
    result: dict[str, Any] = {
        "machine": proc.machine(ROOT), "seed": datasets.SEED, "installed": installed(args.work), "rounds": args.rounds,
        "command": "bench/peers/compare.py " + " ".join(sys.argv[1:]), "sets": {}}
    built: set[str] = set()
    for name in sets:
        result["sets"][name] = compare_on(name, names, tools, args, built)
        out.write_text(json.dumps(result, indent=1) + "\n")
    print(table.text(result))
    print(f"JSON: {out}")
    try:
        import plots

        for file in plots.draw(result, args.plots or out.parent):
            print(f"plot: {file}")
    except ImportError as e:
        print(f"no plots: {e}")


if __name__ == "__main__":
    main()
