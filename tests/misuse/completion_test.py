#!/usr/bin/env python3
"""Completions: a file name is one word whatever is in it, and the values of options are known."""
import subprocess

import harness


class Completion(harness.Misuse):
    def complete(self, *words):
        script = ('source ./c.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rvf; printf "%s\\0" "${COMPREPLY[@]}"')
        p = subprocess.run(["bash", "-c", script, "bash", *words], cwd=self.dir, capture_output=True, check=True)
        self.assertEqual(p.stderr, b"")
        return set(p.stdout.decode(errors="surrogateescape").split("\0")) - {""}

    def setUp(self):
        super().setUp()
        self.file("c.bash", self.ok("completion", "bash"))

    def test_a_file_name_is_one_word(self):
        names = ["sp ace.rvf", "two  blanks .rvf", "quo'te.rvf", 'dou"ble.rvf', "new\nline.rvf", "dollar$HOME.rvf", "star*.rvf", "semi;colon.rvf",
                 "back\\slash.rvf", "ümlaut.rvf", "tab\t.rvf", "(paren).rvf", "plain.rvf"]
        for name in names:
            self.fresh()
            self.file("c.bash", self.ok("completion", "bash"))
            self.file(name, "")
            self.assertEqual(self.complete("rvf", "query", name[:1] if name[0] not in "(" else "\\("), {name}, repr(name))
            self.assertIn(name, self.complete("rvf", "query", ""))
        self.file("sp ace.csv", "")
        self.file("sp ace2.rvf", "")
        self.assertEqual(self.complete("rvf", "ingest", "x.rvf", "sp\\ a"), {"sp ace.csv", "sp ace2.rvf"})
        self.assertEqual(self.complete("rvf", "ingest", "x.rvf", '"sp a'), {"sp ace.csv", "sp ace2.rvf"})
        self.assertEqual(self.complete("rvf", "ingest", "sp"), {"sp ace2.rvf"})  # a store first

    def test_values_of_options_are_completed(self):
        for words, values in [
            (["create", "s.rvf", "--metric", ""], {"l2", "cosine", "ip", "hamming"}), (["create", "s.rvf", "--metric", "c"], {"cosine"}),
            (["create", "s.rvf", "--metric", "=", "c"], {"cosine"}), (["create", "s.rvf", "--dtype", ""], {"f32", "f16", "bf16", "i8", "u8", "binary"}),
            (["ingest", "s.rvf", "--durability", ""], {"sync", "flush", "none"}), (["compact", "s.rvf", "--storage", ""], {"f32", "f16", "int8", "rabitq4"}),
            (["compact", "s.rvf", "--search-layout", "p"], {"partitions"}), (["query", "s.rvf", "--strategy", ""], {"auto", "pre", "in", "post", "codes"}),
            (["query", "s.rvf", "--fusion", ""], {"rrf", "weighted"}), (["convert", "a", "b", "--to", ""], {"native", "runtime"}),
            (["completion", ""], {"bash", "zsh", "fish", "man"}), (["text", ""], {"add", "search"}), (["ver"], {"verify"}), (["help", "comp"], {"compact", "completion"}),
        ]:
            self.assertEqual(self.complete("rvf", *words), values, words)
        self.assertIn("--metric", self.complete("rvf", "create", "--m"))

    def test_every_value_that_a_completion_offers_is_taken(self):
        for option, also in [("--metric", []), ("--dtype", []), ("--search-layout", []), ("--storage", [])]:
            for value in self.complete("rvf", "create", "s.rvf", option, ""):
                self.fresh()
                extra = ["--dtype", "binary"] if value == "hamming" else []
                self.ok("create", "s.rvf", "--dim", 8, option, value, *extra, *also)
                self.file("c.bash", self.ok("completion", "bash"))

    def test_the_other_shells_read_theirs(self):
        for shell in ["zsh", "fish"]:
            script = self.file(f"c.{shell}", self.ok("completion", shell))
            for word in ["l2", "partitions", "rabitq4"]:
                self.assertIn(word, (self.dir / script).read_text())
            if subprocess.run(["which", shell], capture_output=True).returncode == 0:
                subprocess.run([shell, "-n", script], cwd=self.dir, check=True)


if __name__ == "__main__":
    harness.main()
