"""Runs operations on a store, each beside the model, and makes a history that fails shorter."""
import copy
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import tempfile
import traceback

import answers
from answers import Wrong
from columns import Refused
from grammar import Grammar
from world import Partly, World

NAMES = ["s.rvf", "zwei é.rvf"]
READING = {"get", "count", "count_by", "scan", "query", "verify", "status", "inspect", "check_schema"}


# What steers a terminal.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class History:
    def __init__(self, rvf, folder, commands=None):
        self.rvf, self.dir = rvf, pathlib.Path(folder)
        self.world = World()
        self.path = NAMES[0]
        self.log = []
        self.commands = 0
        self.counts = commands if commands is not None else {}

    def rvf_run(self, argv, stdin=None):
        """Any end is one of those that docs/cli.md names, and a refusal has a word."""
        self.commands += 1
        if stdin:
            (self.dir / f"stdin{self.commands}").write_bytes(stdin)
        self.log.append(f"rvf {shlex.join(argv)}" + (f" < stdin{self.commands}" if stdin else ""))
        p = subprocess.run([self.rvf, *argv], cwd=self.dir, input=stdin or b"", capture_output=True, timeout=60)
        self.log.append(f"  -> {p.returncode} {p.stdout[:300]!r} {p.stderr[:300]!r}")
        if p.returncode not in (0, 1):
            raise Wrong(f"exit code {p.returncode}: {p.stderr.decode(errors='replace')}")
        if p.returncode == 1 and not p.stderr.strip():
            raise Wrong("refused without a word")
        p.stderr.decode("utf-8")
        return p

    def lines(self, *argv):
        p = self.rvf_run(list(argv))
        if p.returncode != 0:
            raise Wrong(f"{argv} ended with 1: {p.stderr.decode(errors='replace')}")
        return answers.parsed(p.stdout)

    # ---- one operation

    def step(self, op):
        self.counts[op["do"]] = self.counts.get(op["do"], 0) + 1
        for name, content in op["inputs"].items():
            (self.dir / name).write_bytes(content)
        if op.get("folder"):
            (self.dir / "folder").mkdir(exist_ok=True)
        special = getattr(self, "do_" + op["do"], None)
        if special:
            special()
            return
        link = self.dir / "link.rvf"
        link.unlink(missing_ok=True)
        if op["via_link"]:
            os.symlink(self.path, link)
        name = link.name if op["via_link"] else self.path
        # What becomes of a link that leads nowhere is not modelled.
        if op["via_link"] and self.world.store is None:
            name = self.path
        argv = [name if a == "STORE" else a for a in op["argv"] if a != "--json" or not op["for_people"]]
        if op.get("killed") and self.world.store:
            self.killed(op, argv)
            return
        before = self.file_bytes()
        try:
            check, partly = self.world.apply(op), False
        except Partly as e:
            check, partly = e.check, True
        except Refused as e:
            check = None
            self.log.append(f"  (to be refused: {e})")
        p = self.rvf_run(argv, op["stdin"])
        if (p.returncode == 0) != (check is not None and not partly):
            raise Wrong(f"ended with {p.returncode}: {p.stderr.decode(errors='replace')}")
        if op["for_people"]:
            if CONTROL.search(p.stdout.decode("utf-8")):
                raise Wrong(f"control codes for people: {p.stdout}")
        elif check is not None:
            lines = answers.parsed(p.stdout)
            check(self.pages(op, argv, lines) if op["do"] == "scan" else lines)
        if op["do"] in READING | {"misuse"}:
            if self.file_bytes() != before:
                raise Wrong("the file is another one, though nothing was written")
            return
        self.look()

    def killed(self, op, argv):
        """SIGKILL behind some acknowledged batches: those are there, and of the next all or nothing."""
        states = self.world.states(op)
        self.counts["killed"] = self.counts.get("killed", 0) + 1
        self.log.append(f"rvf {shlex.join(argv)}, killed behind {op['killed']} acknowledged batches")
        self.commands += 1
        p = subprocess.Popen([self.rvf, *argv], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.world.killed = True
        seen = 0
        while seen < op["killed"] and b"acknowledged" in p.stdout.readline():
            seen += 1
        p.kill()
        seen += p.stdout.read().count(b"acknowledged")
        p.stdout.close()
        p.wait()
        lines = self.lines("export", self.path, "-")
        for state in states[seen:]:
            try:
                answers.content(list(lines), state)
            except Wrong:
                continue
            self.world.store = state
            return
        raise Wrong(f"{seen} batches were acknowledged, and the store holds {lines}")

    def file_bytes(self):
        path = self.dir / self.path
        return path.read_bytes() if path.exists() else None

    def look(self):
        """The store holds what the model holds, and nothing lies beside it."""
        # A killed writer leaves its lock file, which holds nobody up.
        known = {"link.rvf", *(n + ".lock" for n in NAMES)} | ({self.path} if self.world.store else set())
        beside = {p.name for p in self.dir.glob("*.rvf*")} - known
        if beside:
            raise Wrong(f"{beside} was left behind")
        if self.world.store is None:
            return
        answers.content(self.lines("export", self.path, "-"), self.world.store)

    def pages(self, op, argv, lines):
        """All pages of a scan; each ends with a cursor, but the last."""
        pages = []
        while True:
            cursor = lines.pop()["next"] if lines and "next" in lines[-1] else None
            pages.append(lines)
            if cursor is None:
                return pages
            if not lines or len(pages) > 100:
                raise Wrong("pages without end")
            lines = self.lines(*argv, f"--after={cursor}")

    # ---- what is more than one command

    def epochs(self):
        return [line["epoch"] for line in self.lines("inspect", self.path, "--epochs", "--json")]

    def do_bookmark(self):
        if self.world.store:
            self.world.bookmarks.append((self.epochs()[0], self.world.store.copy()))

    def do_rollback(self):
        if not self.world.store or not self.world.bookmarks:
            return
        known = self.epochs()
        epoch, old = self.world.bookmarks[-1 - len(self.log) % min(3, len(self.world.bookmarks))]
        p = self.rvf_run(["rollback", self.path, "--epoch", str(epoch), "--json"])
        if (p.returncode == 0) != (epoch in known):
            raise Wrong(f"epochs {known}, and rolling back to {epoch} ended with {p.returncode}")
        if p.returncode == 0:
            self.world.rolled_back(old)
        self.look()

    def do_roundtrip(self):
        """What is exported and ingested is the same, types too, by jsonl, by npy with its rows, and through a pipe."""
        store = self.world.store
        if store is None:
            return
        first = self.rvf_run(["export", self.path, "-"]).stdout
        fields = self.lines("schema", self.path, "--json")[0]["fields"]  # in their order, which is that of keys in an export
        schema = ["--schema", ",".join(f"{f['name']}:{f['type']}" for f in fields)] if fields else []
        same = ["--create", "--quiet", "--metric", store.metric, "--dtype", store.dtype, "--id-type", store.kind or "number", *schema]
        if not first:
            return
        self.rvf_run(["export", self.path, "out.npy", "--meta", "out.jsonl"])
        for names, stdin in ((["-"], first), (["out.npy", "--meta", "out.jsonl"], None)):
            p = self.rvf_run(["ingest", "copy.rvf", *names, *same], stdin)
            if p.returncode != 0:
                raise Wrong(f"an export is refused: {p.stderr.decode(errors='replace')}")
            if self.rvf_run(["export", "copy.rvf", "-"]).stdout != first:
                raise Wrong("a copy exports other bytes")
            (self.dir / "copy.rvf").unlink()

    def do_rename(self):
        if self.world.store:
            new = NAMES[(NAMES.index(self.path) + 1) % len(NAMES)]
            os.rename(self.dir / self.path, self.dir / new)
            self.path = new

    def do_link(self):
        """A second name of the file shows the same, and what is written under a link is in the file."""
        if not self.world.store:
            return
        os.link(self.dir / self.path, self.dir / "hard.rvf")
        try:
            answers.content(self.lines("export", "hard.rvf", "-"), self.world.store)
        finally:
            (self.dir / "hard.rvf").unlink()


def run(rvf, folder, operations, counts=None):
    """Runs operations in an empty folder. Yields (failure or None, history)."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    history = History(rvf, folder, counts)
    for op in operations:
        try:
            history.step(op)
        except (Wrong, UnicodeDecodeError, KeyError, IndexError, subprocess.TimeoutExpired) as e:
            return "".join(traceback.format_exception_only(e)), history
    return None, history


def generate(rvf, folder, seed, length, counts):
    """A random history, made while it runs: what comes next depends on what the store is by then."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    history, made = History(rvf, folder, counts), []
    grammar = Grammar(random.Random(seed), history.world)
    while len(made) < length:
        made.append(grammar.next())
        try:
            history.step(copy.deepcopy(made[-1]))
        except (Wrong, UnicodeDecodeError, KeyError, IndexError, subprocess.TimeoutExpired) as e:
            return "".join(traceback.format_exception_only(e)), made, history
    return None, made, history


def shrunk(rvf, folder, operations):
    """Drops operations, from the end to the front, while it still fails; the last one is what fails. Where a writer was
    killed that may depend on the moment."""
    operations = list(operations)
    at = len(operations) - 2
    while at >= 0:
        fewer = operations[:at] + operations[at + 1:]
        failure, _ = run(rvf, folder, copy.deepcopy(fewer))
        if failure:
            operations = fewer
        at -= 1
    failure, history = run(rvf, folder, copy.deepcopy(operations))
    return failure, operations, history
