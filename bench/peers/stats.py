"""From points (recall, queries a second) to one number at a recall, and to ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

TARGETS = (0.90, 0.95, 0.99)
Point = tuple[float, float]


def front(points: Iterable[Point]) -> list[Point]:
    """The points that no other beats in both, by ascending recall."""
    out: list[Point] = []
    for recall, qps in sorted(points, key=lambda p: (-p[0], -p[1])):
        if not out or qps > out[-1][1]:
            out.append((recall, qps))
    return out[::-1]


def at_recall(points: Iterable[Point], recall: float) -> float | None:
    """Queries a second at a recall: between points of the front, the logarithm is linear in recall.

    Below the lowest recall that was measured its speed holds (more would only be a guess); above the highest there
    is none.
    """
    line = front(points)
    if not line or recall > line[-1][0]:
        return None
    if recall <= line[0][0]:
        return line[0][1]
    for (r0, q0), (r1, q1) in zip(line, line[1:], strict=False):
        if r0 <= recall <= r1:
            share = (recall - r0) / (r1 - r0)
            return math.exp(math.log(q0) + share * (math.log(q1) - math.log(q0)))
    return None


def around(points: list[tuple[float, Point]], targets: Iterable[float], width: int = 2) -> set[float]:
    """Knobs whose points decide what at_recall says: the nearest on both sides of each target."""
    line = sorted(points, key=lambda p: p[1][0])
    keep: set[float] = set()
    for target in targets:
        above = next((i for i, (_, (recall, _)) in enumerate(line) if recall >= target), len(line))
        keep.update(knob for knob, _ in line[max(0, above - width) : above + width])
    return keep


def median(values: list[float]) -> float:
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def summary(points: dict[float, dict[str, Any]]) -> dict[str, Any]:
    """The curve of one contender, by best and by median pass, and by the CPU time of the best pass."""
    curve = []
    for knob, p in sorted(points.items()):
        n = p["count"]
        curve.append({
            "knob": knob, "recall": round(p["recall"], 5), "qps": round(n / min(p["seconds"]), 1),
            "qps_median": round(n / median(p["seconds"]), 1), "passes": len(p["seconds"]), "queries": n,
            "qps_cpu": round(n / max(min(p["cpu"]), 1e-9), 1),
        })
    out: dict[str, Any] = {"curve": curve}
    for key in ("qps", "qps_median", "qps_cpu"):
        line = [(c["recall"], c[key]) for c in curve]
        out[f"at_{key}"] = {f"{t:.2f}": at_recall(line, t) for t in TARGETS}
    out["lowest_recall"] = min(c["recall"] for c in curve)
    out["highest_recall"] = max(c["recall"] for c in curve)
    return out


def ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a and b else None
