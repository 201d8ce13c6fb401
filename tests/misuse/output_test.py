#!/usr/bin/env python3
"""JSON is JSON whatever bytes a store holds, and no command hands control codes of a stranger to a terminal."""
import json
import os
import re
import subprocess

import harness

# Names and values that would steer a terminal, turn a line round, or are no UTF-8.
HOSTILE = {
    "colour": b"a\x1b[31mred", "title": b"x\x1b]0;owned\x07", "delete": b"a\x7fb", "c1": "a\u009b31mb".encode(),
    "override": "abc\u202etxt.exe".encode(), "isolate": "a\u2066b\u2069c".encode(), "return": b"safe\rrm -rf",
    "backspace": b"abc\b\b\bxyz", "invalid": b"a\xffb", "cut": b"a\xe2\x82", "surrogate": b"a\xed\xa0\x80", "line": b"a\nb", "tab": b"a\tb",
}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Output(harness.Misuse):
    def run_raw(self, *arguments):
        return subprocess.run([harness.RVF, *arguments], cwd=self.dir, capture_output=True, timeout=120)

    def people(self, *arguments):
        """Nothing that steers a terminal, and nothing that is no UTF-8, on either stream."""
        p = self.run_raw(*arguments)
        for stream in (p.stdout, p.stderr):
            self.assertIsNone(CONTROL.search(stream.decode()), f"rvf {arguments}: {stream}")
        return p.stdout.decode()

    def programs(self, *arguments):
        p = self.run_raw(*arguments, "--json")
        return [json.loads(line) for line in p.stdout.decode().split("\n") if line]

    def test_no_command_prints_control_codes_of_a_store(self):
        for kind, raw in HOSTILE.items():
            value = raw.decode(errors="replace")
            field = re.sub("[\x00-\x1f\x7f]", "", value) + "f"  # those are refused in names
            with self.subTest(kind=kind):
                self.fresh()
                self.jsonl("a.jsonl", [{"id": value, "vector": [1], "t": value, "e": value, "l": [value, "x"], field: "n", "w": value + " walrus"},
                                       {"id": "b", "vector": [2]}])
                self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet", "--schema", "e:enum:index,w:string:words")
                commands = [("query", "s.rvf", "--vector", "1", "--columns", "*", "--explain", "--filter", f"t = '{value}'"),
                            ("query", "s.rvf", "--words", "walrus", "--columns", "*"), ("get", "s.rvf", value), ("get", "s.rvf", value + "?"),
                            ("query", "s.rvf", "--like", value), ("query", "s.rvf", "--like", value + "?"),
                            ("count", "s.rvf", "--by", "t"), ("count", "s.rvf", "--by", "l"), ("count", "s.rvf", "--by", field), ("count", "s.rvf", "--by", value),
                            ("count", "s.rvf", "--filter", f"no{value} = 1"), ("count", "s.rvf", "--filter", f"t ! '{value}'"),
                            ("count", "s.rvf", "--filter", f"`{field}` = 1"),
                            ("scan", "s.rvf", "--columns", "*"), ("scan", "s.rvf", "--limit", "1"), ("scan", "s.rvf", "--after", value), ("schema", "s.rvf"),
                            ("schema", "s.rvf", "--set", f"{value}:what"), ("status", "s.rvf"), ("inspect", "s.rvf"), ("verify", "s.rvf"),
                            ("status", value + ".rvf"), ("query", "s.rvf", "--vector", value), ("query", "s.rvf", "--vector", "1", "--columns", value + "?"),
                            ("export", "s.rvf", "o.jsonl"), ("export", "s.rvf", value.replace("/", "") + ".jsonl"), ("update", "s.rvf", "--meta", value),
                            ("delete", "s.rvf", "--ids", value + "?"), ("no" + value,), ("query", "s.rvf", "--no" + value)]
                for command in commands:
                    self.people(*command)
                    if command[-1].endswith(value + ".rvf") or command[0].startswith("no") or "--no" in command[-1]:
                        continue
                    self.programs(*command)

    def test_names_of_files_are_shown_and_told_safely(self):
        for kind, raw in HOSTILE.items():
            with self.subTest(kind=kind):
                self.fresh()
                os.makedirs(os.fsencode(self.dir) + b"/d/" + raw)
                for name in (b"/d/" + raw + b".txt", b"/d/" + raw + b"/inner.txt", b"/d/x" + raw + b".png", b"/d/bin" + raw):
                    with open(os.fsencode(self.dir) + name, "wb") as f:
                        f.write(b"\0\1binary" if b"bin" in name else b"# " + raw + b" head\n\na walrus " + raw + b" in the sea" * 20 + b"\n")
                self.people("text", "add", "t.rvf", "d")
                self.programs("text", "add", "t.rvf", "d")
                self.assertIn("walrus", self.people("text", "search", "t.rvf", "walrus"))
                self.people("text", "search", "t.rvf", "walrus", "--columns", "path,title,heading", "--width", "0")
                (found,) = self.programs("text", "search", "t.rvf", "walrus")
                self.assertEqual(len(found["hits"]) + found["hits"][0]["duplicates"], 2)
                self.people("count", "t.rvf", "--by", "path")
                self.programs("count", "t.rvf", "--by", "path")
                self.programs("scan", "t.rvf", "--columns", "*")
                self.people(b"text", b"add", b"t.rvf", b"missing" + raw)
                self.people(b"status", b"missing" + raw)
                self.people(b"ingest", b"s.rvf", b"d/" + raw + b".txt", b"--create")


if __name__ == "__main__":
    harness.main()
