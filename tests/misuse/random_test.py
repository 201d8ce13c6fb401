#!/usr/bin/env python3
"""Random command lines and inputs, held against a model of the store: exit code, data, and nothing acknowledged lost.

Usage: random_test.py PATH_TO_RVF [SEED]. RVF_MISUSE_COMMANDS: how many commands at least (6,000); RVF_MISUSE_SEED: the
first seed. A failure prints its seed, the history, a shorter one, and the folder that keeps the inputs of both.
Standard library only.
"""
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "random"))
import history  # noqa: E402

LENGTH = 25


def kept(name):
    folder = tempfile.mkdtemp(prefix=f"rvf-misuse-{name}-")
    return pathlib.Path(folder)


def show(rvf, seed, operations, failure):
    print(f"FAILED seed {seed} after {len(operations)} operations\n{failure}", flush=True)
    keep = kept(str(seed))
    again, fewer, short = history.shrunk(rvf, keep / "short", operations)
    print(f"\nshrunk to {len(fewer)} operations, inputs in {keep / 'short'}\n" + "\n".join(short.log) +
          ("\n" if again else "\nTHE HISTORY DOES NOT FAIL AGAIN\n"), flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} PATH_TO_RVF [SEED]")
    rvf = str(pathlib.Path(sys.argv[1]).resolve())
    wanted = int(os.environ.get("RVF_MISUSE_COMMANDS", 6000))
    seed = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("RVF_MISUSE_SEED", 1))
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    work = tempfile.mkdtemp(prefix="rvf-misuse-", dir=memory)
    done, failures, counts, started = 0, 0, {}, time.time()
    try:
        while done < wanted and failures < 5:
            failure, operations, ran = history.generate(rvf, os.path.join(work, "h"), seed, LENGTH, counts)
            done += ran.commands
            if failure:
                failures += 1
                show(rvf, seed, operations, failure)
            if len(sys.argv) > 2:
                break
            seed += 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items(), key=lambda e: -e[1]))
    print(f"{done} commands ({kinds}), seeds up to {seed}, {time.time() - started:.0f} s, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
