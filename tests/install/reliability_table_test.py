"""reliability.py fails for a figure with failures, a planted bug that was missed, a broken program, and for nothing at all."""
import json
import pathlib
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape


def line(figure, runs=1, failures=0):
    return "RELIABILITY " + json.dumps({"figure": figure, "runs": runs, "failures": failures, "seed": 7,
                                        "seconds": 0.5, "detail": "a few words"})


def table(output, fuzz="", status="run"):
    """The exit status and the rows of the table, by name, for one test program with this output."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "test-results").mkdir()
        (folder / "test-results" / "ctest.junit.xml").write_text(
            f'<testsuite><testcase name="model_test" status="{status}">'
            f"<system-out>{escape(output)}</system-out></testcase></testsuite>")
        (folder / "fuzz.log").write_text(fuzz)
        done = subprocess.run([sys.executable, sys.argv[1], name, "--collect", "--fuzz", str(folder / "fuzz.log"),
                               "--json", str(folder / "out.json")], capture_output=True, text=True, check=False)
        rows = json.loads((folder / "out.json").read_text())["rows"]
        return done.returncode, {row["figure"]: row for row in rows}


good = "\n".join([line("model", 1_000_000), line("planted: a"), "noise", line("planted: b"), line("kill: single", 5)])
code, rows = table(good, line("fuzz vec", 10))
assert code == 0, rows
assert rows["model test"]["runs"] == 1_000_000 and rows["model test"]["met"] == "yes"
assert rows["kill -9 of a writer"]["met"] == "fewer runs"
assert rows["planted bugs, model"]["met"] == "yes"
assert rows["fuzzing"]["runs"] == 10
assert rows["soak"]["met"] == "suite absent" and rows["server"]["met"] == "not built yet"

code, rows = table(good + "\n" + line("model, again", 10, 1))
assert code == 1 and rows["model test"]["met"] == "FAILED"
code, rows = table(line("planted: a") + "\n" + line("planted: c", 1, 1))
assert code == 1 and rows["planted bugs, model"]["met"] == "FAILED"
assert table(good, status="fail")[0] == 1
assert table(good + "\nRELIABILITY {\"figure\": \"cut")[0] == 1
assert table("")[0] == 1
print("the table is right")
