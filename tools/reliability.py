#!/usr/bin/env python3
"""The table of reliability figures: runs, failures, seed, commit and seconds of everything that attacks the store.

Test programs print lines such as
    RELIABILITY {"figure": "kill", "runs": 100, "failures": 0, "seed": 1, "seconds": 2.5, "detail": "..."}
This program runs the suites (or, with --collect, takes what the last run of the tests left), adds up the lines
by row and compares them with the bars. The exit status is 1 if anything failed, if a planted bug was not
caught, or if there is no figure at all; a row that is absent or has fewer runs than its bar is marked.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

SUITES = "crash|model|filter_model|corruption|concurrency|soak|golden|memory|fuzz_regression"
MARK = "RELIABILITY "


class Row:
    """`pattern` finds its figures; `short` and `long` are the runs that the bar asks of either form."""

    def __init__(self, name, pattern, bar, short=1, long=None, absent="suite absent", each=False):
        self.name, self.pattern, self.bar, self.absent = name, re.compile(pattern, re.I), bar, absent
        self.each = each  # the bar is for each figure, not for their sum
        self.needed = {"short": short, "long": long or short}


# The first pattern that matches takes the figure, so the narrower ones stand first.
ROWS = [
    Row("kill -9 of a writer", r"^kill", "1,000 runs (10,000 long): 0 lost, 0 unopenable", 1000, 10000),
    Row("crash in recovery, compaction", r"recover|during compaction|crash point", "every point; twice equals once"),
    Row("write-trace prefixes", r"prefix", "exhaustive, 50,000 images", 50000),
    Row("reordering between fsyncs", r"reorder|unsynced|power|image|sector", "200,000 images", 200000),
    Row("memory faults", r"memory|alloc|budget", "the Nth allocation, all N: error, store intact"),
    Row("I/O faults", r"fault|i/o|fsync|file size", "the Nth call, all N: error, nothing lost"),
    Row("bit flips", r"flip|\bbit", "every bit of 64 KiB: found or harmless", 65536 * 8),
    Row("truncation, splice, duplicate", r"trunc|splice|duplicate|swapped|appended|in one file|pages", "error or honest report"),
    Row("repair", r"^repair", "any segment damaged: exactly the rest is saved"),
    Row("fuzzing", r"^fuzz", "1,000,000 executions a target", 1000000, each=True),
    Row("model test", r"model", "1,000,000 operations", 1000000),
    Row("concurrency, threads", r"thread", "0 problems (30 min long)"),
    Row("concurrency, processes", r"process|lock|concurren", "0 problems (30 min long)"),
    Row("soak", r"soak", "flat RSS and fds, file <= 2x live, recall drop <= 0.01 (24 h)"),
    Row("server", r"^server", "bounded memory, right errors", absent="not built yet"),
    Row("signatures, encryption", r"^signature|^encrypt|^crypto", "ACVP, Wycheproof", absent="not built yet"),
]
# Names of suites that have to prove that they can fail, and the prefix of their test programs.
PLANTED = {"crash": r"crash", "corruption": r"corruption|golden|memory", "model": r"model|filter_model",
           "concurrency": r"concurrency", "soak": r"soak", "fuzzing": r"fuzz"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--form", choices=("short", "long"), default="short")
    parser.add_argument("--collect", action="store_true", help="run nothing: the figures of the last run")
    parser.add_argument("--fuzz", type=pathlib.Path, help="what fuzz/run.sh printed; missing: no row")
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--markdown", type=pathlib.Path, help="also write the table there, for the documentation")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("build/reliability.json"))
    options = parser.parse_args()

    broken = []
    if not options.collect:
        run = [sys.executable, str(pathlib.Path(__file__).with_name("run_tests.py")), str(options.build),
               "--jobs", options.jobs, "--include", f"^({SUITES})", "--exclude-label", "none"]
        if subprocess.run(run, env={**os.environ, "RVF_RELIABILITY": options.form}, check=False).returncode:
            broken.append("tests")
    figures, failed_tests = read_junit(options.build / "test-results" / "ctest.junit.xml")
    broken += failed_tests
    if options.fuzz and options.fuzz.exists():
        figures += [dict(f, program="fuzz") for f in figures_in(options.fuzz.read_text(errors="replace"))]
    return report(figures, broken, options)


def figures_in(text):
    found = []
    for line in text.splitlines():
        at = line.find(MARK)
        if at < 0:
            continue
        try:
            found.append(json.loads(line[at + len(MARK):]))
        except json.JSONDecodeError:
            # A line that was cut must not vanish from the table.
            found.append({"figure": "unreadable line", "runs": 0, "failures": 1, "seed": 0, "seconds": 0,
                          "detail": line[at:at + 80]})
    return found


def read_junit(path):
    figures, failed = [], []
    if not path.exists():
        return figures, failed
    for case in xml.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        figures += [dict(f, program=name) for f in figures_in(case.findtext("system-out") or "")]
        if re.match(SUITES, name) and (case.find("failure") is not None or case.get("status") == "fail"):
            failed.append(name)
    return figures, failed


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()
    name = git("rev-parse", "--short", "HEAD") or "none"
    return name + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def add_up(row, figures, form):
    """One line of the table; `figures` are those that belong to it."""
    line = {"figure": row.name, "bar": row.bar, "runs": sum(f["runs"] for f in figures),
            "failures": sum(f["failures"] for f in figures),
            "seeds": sorted({f["seed"] for f in figures}),
            "seconds": round(sum(f["seconds"] for f in figures), 1)}
    if not figures:
        line["met"] = row.absent
    elif line["failures"]:
        line["met"] = "FAILED"
    elif (min(f["runs"] for f in figures) if row.each else line["runs"]) < row.needed[form]:
        line["met"] = "fewer runs"
    else:
        line["met"] = "yes"
    return line


def by_row(figures):
    sorted_in = {row.name: [] for row in ROWS}
    others = []
    for figure in figures:
        row = next((r for r in ROWS if r.pattern.search(figure["figure"])), None)
        (sorted_in[row.name] if row else others).append(figure)
    return sorted_in, others


def planted_lines(figures):
    lines = []
    for suite, programs in PLANTED.items():
        own = [f for f in figures if re.match(programs, f["program"])]
        missed = [f["figure"] for f in own if f["failures"] or not f["runs"]]
        met = "FAILED" if missed else "yes" if len(own) >= 2 else "suite absent" if not own else "fewer runs"
        lines.append({"figure": f"planted bugs, {suite}", "bar": "2 or more, each caught", "runs": len(own),
                      "failures": len(missed), "seeds": sorted({f["seed"] for f in own}),
                      "seconds": round(sum(f["seconds"] for f in own), 1), "met": met})
    return lines


def report(figures, broken, options):
    planted = [f for f in figures if f["figure"].startswith("planted")]
    real = [f for f in figures if not f["figure"].startswith("planted")]
    rows, others = by_row(real)
    lines = [add_up(row, rows[row.name], options.form) for row in ROWS]
    lines += [add_up(Row(f["figure"], "", ""), [f], options.form) for f in others]
    lines += planted_lines(planted)
    head = commit()
    print_table(lines, head)
    print("\nEach figure:")
    for f in real + planted:
        print(f"  {f['program']}: {f['figure']}: {f['runs']:,} runs, {f['failures']} failures, {f['seconds']} s"
              f"{', ' + f['detail'] if f['detail'] else ''}")
    for name in broken:
        print(f"  {name}: FAILED as a program")
    failures = sum(f["failures"] for f in figures) + len(broken)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"commit": head, "form": options.form, "rows": lines, "figures": figures,
                                        "failed_programs": broken}, indent=1))
    if options.markdown:
        options.markdown.write_text(markdown(lines))
    below = [line["figure"] for line in lines if line["met"] not in ("yes", "not built yet")]
    print(f"\n{options.json}" + (f"; below the bar: {', '.join(below)}" if below else ""))
    print(f"reliability: {len(figures)} figures, {sum(f['runs'] for f in real):,} runs, {failures} failures, "
          f"{sum(not f['failures'] for f in planted)} of {len(planted)} planted bugs caught")
    return 1 if failures or not figures else 0


def markdown(lines):
    text = "| figure | runs | failures | seconds | bar | met |\n|---|---|---|---|---|---|\n"
    for line in lines:
        text += (f"| {line['figure']} | {line['runs']:,} | {line['failures']} | {line['seconds']:.0f} | {line['bar']} | "
                 f"{line['met']} |\n")
    return text


def print_table(lines, head):
    table = [("figure", "bar", "runs", "failures", "seed", "commit", "seconds", "met")]
    for line in lines:
        seeds = line["seeds"]
        seed = "" if not seeds else str(seeds[0]) + (f" +{len(seeds) - 1}" if len(seeds) > 1 else "")
        empty = line["met"] in ("suite absent", "not built yet")
        table.append((line["figure"], line["bar"], *(("", "", "", "", "") if empty else (
            f"{line['runs']:,}", str(line["failures"]), seed, head, f"{line['seconds']:.1f}")), line["met"]))
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        cells = [cell.rjust(w) if i in (2, 3, 6) else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main())
