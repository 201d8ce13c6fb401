"""The results of compare.py as text and as Markdown."""

from __future__ import annotations

from typing import Any

import stats
from contenders import OURS

RIVALS = ("rabitqlib", "hnswlib")
HEAD = ["contender", "QPS .90", ".95", ".99", "x rabitqlib .90/.95/.99", "x hnswlib .90/.95/.99", "build s", "rss MB",
        "index MB"]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _by(one: dict[str, Any], k: str) -> str:
    """What speeds are read from: on a busy machine the clock tells more of the others than of a contender."""
    return "at_qps_cpu" if one["k"][k]["load"]["busy"] else "at_qps"


def _build_seconds(build: dict[str, Any]) -> str:
    """By CPU time where there is one, and marked, where others were at work during the build."""
    if not build["load"]["busy"]:
        return f"{build['seconds']:.1f}"
    return f"{build['cpu_s']:.1f} cpu" if "cpu_s" in build else f"{build['seconds']:.1f} busy"


def _ratios(mine: dict[str, float | None], theirs: dict[str, float | None] | None) -> str:
    if theirs is None:
        return "-"
    values = [stats.ratio(mine[t], theirs[t]) for t in mine]
    return " / ".join("-" if v is None else f"{v:.2f}" for v in values)


def rows(one: dict[str, Any], k: str) -> list[list[str]]:
    entries = one["k"][k]["contenders"]
    by = _by(one, k)
    rivals = {r: entries[r][by] if r in entries else None for r in RIVALS}

    def order(name: str) -> tuple[bool, float]:
        return (name not in OURS, -(entries[name][by]["0.95"] or 0))

    out = []
    for name in sorted(entries, key=order):
        mine = entries[name][by]
        build = one["builds"][name]
        memory = one["memory"].get(name, {}).get("rss", 0)
        low = entries[name]["lowest_recall"]
        speeds = [_number(v) + ("*" if v and float(t) < low else "") for t, v in mine.items()]
        out.append([name, *speeds, *(_ratios(mine, rivals[r]) for r in RIVALS), _build_seconds(build),
                    f"{memory / 1e6:.0f}", f"{build['bytes'] / 1e6:.0f}"])
    return out


def lead(one: dict[str, Any], k: str) -> str:
    """Ours beside the fastest peer at each recall."""
    entries, by = one["k"][k]["contenders"], _by(one, k)
    parts = []
    for target in stats.TARGETS:
        key = f"{target:.2f}"
        peers = [(e[by][key], n) for n, e in entries.items() if n not in OURS and e[by][key]]
        ours = [(e[by][key], n) for n, e in entries.items() if n in OURS and e[by][key]]
        if not peers or not ours:
            parts.append(f"{key}: -")
            continue
        best, peer = max(peers)
        mine, name = max(ours)
        parts.append(f"{key}: {mine / best:.2f}x ({name} beside {peer})")
    return "; ".join(parts)


def _lines(table: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in
                      enumerate(zip(row, widths, strict=True))) for row in table]


def load_line(load: dict[str, Any], then: str = "speeds are by CPU time, not by the clock") -> str:
    return (f"load average {load['before']} before, {load['after']} after; others took {load['others_cores']} of a core"
            + (f"; **busy**: {then}" if load["busy"] else ""))


def describe(info: dict[str, Any]) -> str:
    return (f"{info['rows']:,} x {info['dim']}, {info['queries']} queries, {info['note']}; local intrinsic dimension "
            f"{info['lid']}; raw f32 {info['raw_f32_bytes'] / 1e6:.0f} MB; rvf stores {info['stored_as']}")


def text(result: dict[str, Any]) -> str:
    m = result["machine"]
    out = [f"{m['cpu']}, {m['cores']} cores, {' '.join(m['isa'])}; commit {m['commit']}; {m['date']}",
           f"command: {result['command']}; seed {result['seed']}; one thread, best of all passes, "
           f"{result['rounds']} rounds in turns; * lowest recall measured is higher"]
    for name, one in result["sets"].items():
        if "skipped" in one:
            out.append(f"\n{name}: skipped: {one['skipped']}")
            continue
        out.append(f"\n{name}: {describe(one['info'])}")
        for k in one["k"]:
            out.append(f"k = {k}; {load_line(one['k'][k]['load'])}; pulse {one['k'][k]['pulse_us']} us")
            out += _lines([HEAD, *rows(one, k)])
            out.append("ours beside the fastest peer: " + lead(one, k))
        for peer, why in one["failed"].items():
            out.append(f"{peer}: not here: {why}")
    for peer, why in result["installed"].items():
        if why != "ok":
            out.append(f"{peer}: not installed: {why}")
    return "\n".join(out)


def markdown(one: dict[str, Any], k: str) -> str:
    table = [HEAD, ["---"] + ["---:"] * (len(HEAD) - 1), *rows(one, k)]
    return "\n".join("| " + " | ".join(row) + " |" for row in table)
