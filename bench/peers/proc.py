"""What a process holds and has read, what the machine is and how busy it is: all from /proc."""

from __future__ import annotations

import os
import pathlib
import platform
import subprocess
import time
from typing import Any

_FIELDS = {"rss": "VmRSS", "rss_anon": "RssAnon", "rss_file": "RssFile", "peak": "VmHWM"}


def _values(path: str) -> dict[str, int]:
    out = {}
    for line in pathlib.Path(path).read_text().splitlines():
        name, _, rest = line.partition(":")
        first = rest.split()[:1]
        if first and first[0].isdigit():
            out[name] = int(first[0])
    return out


def memory(prefix: str = "") -> dict[str, int]:
    """Bytes: rss is all that is resident, rss_file the part that are pages of files."""
    values = _values("/proc/self/status")
    return {prefix + key: values.get(name, 0) * 1024 for key, name in _FIELDS.items()}


def bytes_read() -> int:
    """Bytes that this process had the block device read."""
    return _values("/proc/self/io").get("read_bytes", 0)


def _cpu_line(name: str) -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "unknown"


ISA_FLAGS = ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512vbmi", "avx512_vpopcntdq", "avx512_bf16",
             "avx512_fp16", "amx_int8")


def _commit(root: pathlib.Path) -> str:
    def git(*words: str) -> str:
        run = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
        return run.stdout.strip() if run.returncode == 0 else ""

    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return commit + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def machine(root: pathlib.Path) -> dict[str, Any]:
    flags = set(_cpu_line("flags").split())
    meminfo = _values("/proc/meminfo")
    return {
        "cpu": _cpu_line("model name"),
        "cores": os.cpu_count(),
        "isa": [f for f in ISA_FLAGS if f in flags],
        "memory_gib": round(meminfo.get("MemTotal", 0) / (1 << 20), 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "commit": _commit(root),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


class Load:
    """The work of others while something is measured: what all CPUs did, less what we and our contenders did.

    Others may take 0.3 of a core before a result is "busy". The load average is reported as well, but it
    lags by a minute and counts this program too.
    """

    LIMIT = 0.3

    def __init__(self) -> None:
        self.before = os.getloadavg()[0]
        self._start = (time.monotonic(), self._busy(), self._own())
        self.contenders = 0.0  # seconds of CPU, added as they work

    @staticmethod
    def _busy() -> float:
        words = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        user, nice, system, _idle, _wait, irq, soft, steal = (float(w) for w in words[:8])
        return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own() -> float:
        t = os.times()
        return t.user + t.system

    def add(self, seconds: float) -> None:
        self.contenders += seconds

    @staticmethod
    def cpu_of(pid: int) -> float:
        """Seconds of CPU that a living process has used, all its threads."""
        try:
            text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return 0.0
        words = text.rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def report(self) -> dict[str, Any]:
        began, busy, own = self._start
        spent = max(time.monotonic() - began, 1e-9)
        others = (self._busy() - busy - (self._own() - own) - self.contenders) / spent
        return {
            "before": round(self.before, 2),
            "after": round(os.getloadavg()[0], 2),
            "others_cores": round(max(0.0, others), 2),
            "busy": others > self.LIMIT,
            "seconds": round(spent, 1),
        }
