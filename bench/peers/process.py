"""Starts a contender's process and talks to it."""

from __future__ import annotations

import json
import os
import pathlib
import select
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

import proc
from contender import Ids
from contenders import NODE, OURS

HERE = pathlib.Path(__file__).resolve().parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


class ContenderFailed(Exception):
    """The contender's own reason; it is reported and the others go on."""


class Tools:
    """Where the interpreter, our driver and node are, and which CPU contenders run on."""

    def __init__(self, work: pathlib.Path, driver: pathlib.Path, cpu: int) -> None:
        self.work, self.driver, self.cpu = work, driver, cpu
        self.python = work / "venv/bin/python"

    def command(self, name: str) -> list[str]:
        pin = ["taskset", "-c", str(self.cpu)]
        if name in OURS:
            if not self.driver.is_file():
                raise ContenderFailed(f"{self.driver} is not built")
            return [*pin, str(self.driver)]
        if name in NODE:
            script = self.work / "node/worker.mjs"
            if not script.is_file():
                raise ContenderFailed("not installed")
            return [*pin, "node", "--single-threaded-gc", str(script)]
        return [str(self.python), str(HERE / "worker.py"), name, str(self.cpu)]


def word(text: object) -> str:
    return json.dumps(str(text)) if isinstance(text, str | pathlib.Path) else f"{text:g}" if isinstance(
        text, float) else str(text)


class Process:
    """A contender at work. As a context manager it ends the process, and only that one."""

    def __init__(self, name: str, tools: Tools, on_cpu: Callable[[float], None] | None = None,
                 threads: int = 1) -> None:
        self.name = name
        self._on_cpu = on_cpu
        self._counted = 0.0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        command = tools.command(name)
        if threads > 1 and command[0] == "taskset":
            command = command[3:]
        environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
                                         text=True, env=environment)
        with tempfile.NamedTemporaryFile(delete=False) as f:
            self.out = pathlib.Path(f.name)
        try:
            self.about = self.ask("about")
        except ContenderFailed:
            self.close()
            raise

    def _why(self) -> str:
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else f"ended with {self._process.poll()}"

    def counts_for(self, on_cpu: Callable[[float], None]) -> None:
        """What it uses from now on is reported there."""
        self._on_cpu = on_cpu

    def _count_cpu(self) -> None:
        used = proc.Load.cpu_of(self._process.pid)
        if self._on_cpu is not None and used > self._counted:
            self._on_cpu(used - self._counted)
            self._counted = used

    def ask(self, *words: object, seconds: float = 7200) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(" ".join(word(w) for w in words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ContenderFailed(self._why()) from None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            self._process.kill()
            raise ContenderFailed(f"{words[0]}: no answer in {seconds:.0f} s")
        line = self._process.stdout.readline()
        self._count_cpu()
        if not line:
            self._process.wait(10)
            raise ContenderFailed(self._why())
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise ContenderFailed(answer["error"])
        return answer

    def run(self, k: int, knob: object, passes: int, count: int = 0) -> tuple[dict[str, Any], Ids]:
        words: list[object] = ["run", k, knob, passes, self.out]
        answer = self.ask(*words, *([count] if count else []))
        return answer, np.fromfile(self.out, np.uint64).reshape(answer["count"], k)

    def close(self) -> None:
        if self._process.poll() is None:
            try:
                assert self._process.stdin is not None
                self._process.stdin.write("quit\n")
                self._process.stdin.close()
                self._process.wait(20)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()
        self.out.unlink(missing_ok=True)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
