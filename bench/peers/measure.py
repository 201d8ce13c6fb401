"""Builds contenders and lets them answer in turns."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import sys
import time
from typing import Any

import numpy as np

import proc
import stats
from contender import Knob
from contenders import NODE, OURS, PEERS, SAME_INDEX
from datasets import DataSet
from process import ContenderFailed, Process, Tools

ENOUGH = 0.998  # recall above which a sweep ends
LONGEST = 8.0  # seconds of a pass above which a sweep ends
OUR_KNOBS = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024,
             1536, 2048)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def pulse(cpu: int) -> float:
    """Microseconds of a product that fits the first cache, on a CPU: shows in which state the machine is."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    a = np.ones(4096, np.float32)
    best = 1e9
    for _ in range(50):
        start = time.perf_counter()
        for _ in range(20):
            a.dot(a)
        best = min(best, (time.perf_counter() - start) / 20)
    os.sched_setaffinity(0, mine)
    return round(best * 1e6, 3)


def knobs(name: str, k: int) -> list[Knob]:
    if name in PEERS:
        return PEERS[name].knobs(k)
    if name in NODE:
        return [float(e) for e in (16, 32, 64, 100, 128, 200, 256, 400, 800) if e >= k]
    return [float(e) for e in ((1, 2, 3, 4, 6, 8) if k < 10 else ()) + OUR_KNOBS if e >= k]


def most_queries(name: str) -> int:
    return 200 if name in NODE else 0


def index_path(name: str, data: DataSet) -> pathlib.Path:
    return data.base_folder / "index" / SAME_INDEX.get(name, name) / "index"


def build(name: str, data: DataSet, tools: Tools, load: proc.Load, threads: int, again: bool) -> dict[str, Any]:
    """The index of a contender; what an earlier run left is taken unless the contender has changed."""
    path = index_path(name, data)
    if threads > 1:
        path = path.parent.parent / (path.parent.name + f".threads{threads}") / "index"
    note = path.parent / "build.json"
    stamp = tools.driver.stat().st_mtime if name in OURS and tools.driver.is_file() else 0
    if note.is_file() and not again:
        kept: dict[str, Any] = json.loads(note.read_text())
        if kept.get("stamp") == stamp:
            return {**kept, "cached": True}
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir(parents=True)
    say(f"  building {name} on {data.name}" + (f" with {threads} threads" if threads > 1 else ""))
    base = data.base_exact if name == "rvf" else data.base_f32
    mine = proc.Load()
    with Process(SAME_INDEX.get(name, name), tools, mine.add, threads) as process:
        answer = process.ask("build", base, path, "l2", f"threads={threads}")
        answer["version"] = process.about.get("version", "")
    answer["peak_growth"] = answer["peak"] - answer.get("before_rss", answer["peak"])
    answer["stamp"] = stamp
    answer["load"] = mine.report()
    load.add(mine.contenders)
    if threads > 1:
        shutil.rmtree(path.parent)
        path.parent.mkdir()
    note.write_text(json.dumps(answer, indent=1))
    return answer


class Entrant:
    """A contender with its index loaded and what was measured of it."""

    def __init__(self, name: str, data: DataSet, tools: Tools, load: proc.Load) -> None:
        self.name, self.data = name, data
        self.process = Process(name, tools, load.add)
        try:
            self.process.ask("queries", data.queries_file)
            self.opened = self.process.ask("open", index_path(name, data), data.info["rows"])
        except ContenderFailed:
            self.process.close()
            raise
        self.points: dict[float, dict[str, Any]] = {}
        self.last: dict[str, Any] = self.opened

    def visit(self, k: int, knob: Knob, passes: int) -> dict[str, Any]:
        answer, ids = self.process.run(k, knob, passes, most_queries(self.name))
        self.last = answer
        point = self.points.setdefault(knob, {"seconds": [], "cpu": [], "count": answer["count"]})
        point["seconds"] += answer["seconds"]
        point["cpu"] += answer["cpu"]
        if "recall" not in point:
            point["recall"] = self.data.recall(ids, k)
        return point

    def sweep(self, k: int) -> None:
        """The first round: from fast to thorough, until no target is above."""
        for knob in knobs(self.name, k):
            if k == 10 and knob == knobs(self.name, k)[0]:
                self.visit(k, knob, 1)  # warms up; the best pass counts
            point = self.visit(k, knob, 1)
            if point["seconds"][-1] > LONGEST:
                break
            if point["recall"] >= ENOUGH and "*" not in self.process.about.get("knob", "ef"):
                break

    def memory(self) -> dict[str, int]:
        """Growth of the process since before the index was loaded, of all pages and of those that no file backs."""
        before, now = self.opened, self.last
        return {"rss": now["rss"] - before["before_rss"], "rss_anon": now["rss_anon"] - before["before_rss_anon"]}

    def close(self) -> None:
        self.process.close()


def rounds(entrants: list[Entrant], k: int, args: argparse.Namespace, failed: dict[str, str]) -> dict[str, Any]:
    """All entrants in turns, args.rounds times; returns their curves."""
    alive = list(entrants)
    pulses = []
    for entrant in alive:
        entrant.points = {}
    for number in range(args.rounds):
        pulses.append(pulse(args.cpu))
        for entrant in list(alive):
            try:
                if number == 0:
                    entrant.sweep(k)
                    continue
                line = [(knob, (p["recall"], 1.0)) for knob, p in entrant.points.items()]
                for knob in sorted(stats.around(line, stats.TARGETS)):
                    if min(entrant.points[knob]["seconds"]) * args.passes < LONGEST:
                        entrant.visit(k, knob, args.passes)
            except (ContenderFailed, AssertionError) as e:
                say(f"  {entrant.name}: {e}")
                failed[entrant.name] = str(e)
                alive.remove(entrant)
    out = {e.name: stats.summary(e.points) for e in alive if e.points}
    return {"contenders": out, "pulse_us": pulses}
