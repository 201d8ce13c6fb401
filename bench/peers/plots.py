"""Recall against queries a second, a picture a set and k, as PNG and SVG."""

from __future__ import annotations

import os
import pathlib
from typing import Any

os.environ.setdefault("MPLBACKEND", "Agg")
import matplotlib  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402

import stats  # noqa: E402
from contenders import OURS  # noqa: E402

matplotlib.rcParams["svg.hashsalt"] = "rvf"  # the same picture is the same file


def draw(result: dict[str, Any], folder: pathlib.Path, kinds: tuple[str, ...] = ("png", "svg"),
         only_k: str = "") -> list[pathlib.Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, one in result["sets"].items():
        for k in one.get("k", {}):
            if only_k and k != only_k:
                continue
            figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
            entries = one["k"][k]["contenders"]
            for i, contender in enumerate(sorted(entries, key=lambda n: -(entries[n]["at_qps"]["0.95"] or 0))):
                line = stats.front((c["recall"], c["qps"]) for c in entries[contender]["curve"])
                line = [p for p in line if p[0] >= 0.8] or line
                style = {"linewidth": 2.5, "color": "black"} if contender in OURS else {"linewidth": 1.2}
                axes.plot([p[0] for p in line], [p[1] for p in line], marker="ovs^Dxp"[i % 7], markersize=4,
                          label=contender, **style)
            axes.set(yscale="log", xlim=(0.8, 1.0), xlabel=f"recall@{k}", ylabel="queries a second, one thread",
                     title=f"{name}: {one['info']['rows']:,} x {one['info']['dim']}, k = {k}")
            axes.grid(True, which="both", alpha=0.25)
            axes.legend(fontsize=7, ncols=2)
            for kind in kinds:
                file = folder / f"{name}-k{k}.{kind}"
                metadata = {"Date": None} if kind == "svg" else None
                figure.savefig(file, dpi=110, metadata=metadata)
                files.append(file)
            plt.close(figure)
    return files
