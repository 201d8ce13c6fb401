#!/usr/bin/env python3
"""Run the tests of a build folder with ctest and end with one line: "N passed, N failed, N skipped".

A GoogleTest program counts as many as it has test cases, any other ctest entry as one. The exit status is 1
if anything failed or if nothing ran.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--include", help="regular expression of test names")
    parser.add_argument("--label", help="regular expression of labels")
    parser.add_argument("--exclude-label", help="regular expression of labels")
    options = parser.parse_args()

    results = (options.build / "test-results").resolve()
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    junit = results / "ctest.junit.xml"
    command = ["ctest", "--test-dir", str(options.build), "--output-on-failure", "-j", options.jobs,
               "--output-junit", str(junit),
               # ctest keeps 1 KiB of a test that passed; tools/reliability.py reads what tests say.
               "--test-output-size-passed", "1000000", "--test-output-size-failed", "1000000"]
    for flag, value in (("-R", options.include), ("-L", options.label), ("-LE", options.exclude_label)):
        if value:
            command += [flag, value]
    status = subprocess.run(command, env={**os.environ, "GTEST_OUTPUT": f"xml:{results}/"},
                            stdin=subprocess.DEVNULL, check=False).returncode
    sys.stdout.flush()

    passed, failed, skipped = count(junit, results)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or status != 0 or passed == 0 else 0


def count(junit, results):
    total = [0, 0, 0]
    if not junit.exists():
        return total
    for entry in xml.parse(junit).getroot().iter("testcase"):
        cases = gtest_cases(results, entry.get("name"))
        outcome = ctest_outcome(entry)
        if cases is None:
            total[outcome] += 1
            continue
        # All cases passed and yet the program failed: a leak found at its end, or a time limit.
        if outcome == 1 and cases[1] == 0:
            cases[1] = 1
        total = [a + b for a, b in zip(total, cases)]
    return total


def ctest_outcome(entry):
    if entry.find("failure") is not None or entry.get("status") == "fail":
        return 1
    if entry.find("skipped") is not None or entry.get("status") in ("notrun", "disabled"):
        return 2
    return 0


def gtest_cases(results, name):
    """The counts of one program, or None if it left none. A program that starts itself again, to be killed,
    leaves several files: the one with the most cases is its own."""
    best = None
    for path in results.glob("*.xml"):
        if not re.fullmatch(re.escape(name) + r"(_\d+)?\.xml", path.name):
            continue
        try:
            cases = list(xml.parse(path).getroot().iter("testcase"))
        except xml.ParseError:
            continue
        counts = [0, 0, 0]
        for case in cases:
            if case.find("failure") is not None:
                counts[1] += 1
            elif case.get("status") == "notrun":
                continue  # filtered out or disabled
            elif case.find("skipped") is not None or case.get("result") == "skipped":
                counts[2] += 1
            else:
                counts[0] += 1
        if best is None or sum(counts) > sum(best):
            best = counts
    return best


if __name__ == "__main__":
    sys.exit(main())
