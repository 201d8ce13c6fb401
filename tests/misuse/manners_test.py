#!/usr/bin/env python3
"""What the command does with words it does not know, options that contradict, odd numbers, full outputs and Ctrl-C."""
import os
import random
import signal
import subprocess
import time

import harness


class Manners(harness.Misuse):
    def make(self):
        self.file("a.csv", "id,v0,v1\n1,1,2\n2,3,4\n")
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet")

    def test_an_unknown_word_is_named_with_the_one_that_was_meant(self):
        for words, unknown, meant in [
            (["qurey", "s.rvf"], "'qurey'", "'query'"), (["completions"], "'completions'", "'completion'"), (["nonsense"], "'nonsense'", None),
            (["help", "qery"], "'qery'", "'query'"), (["qery", "--help"], "'qery'", "'query'"), (["INGESTS", "x"], "'INGESTS'", "'ingest'"),
            (["query", "s.rvf", "--vectr", "1"], "'--vectr'", "'--vector'"), (["compact", "s.rvf", "--teirs"], "'--teirs'", "'--tiers'"),
            (["text", "serch", "s.rvf", "x"], "'serch'", "'search'"), (["text", "add", "s.rvf", ".", "--quite"], "'--quite'", "'--quiet'"),
            (["--verson"], "'--verson'", "'--version'"), (["get", "s.rvf", "1", "--jsn"], "'--jsn'", "'--json'"),
            (["count", "s.rvf", "--fliter=id = 1"], "'--fliter'", "'--filter'"), (["status", "s.rvf", "t.rvf"], "'t.rvf'", None),
        ]:
            said = self.refused(*words, says=[unknown])
            self.assertEqual("did you mean" in said, meant is not None, said)
            if meant:
                self.assertIn(meant, said)

    def test_options_that_contradict_are_refused(self):
        self.make()
        before = (self.dir / "s.rvf").read_bytes()
        one = ["--vector", "1,2"]
        for words in [
            ["query", *one, "--queries", "a.csv"], ["query", *one, "--like", "1"], ["query", "--like", "1", "--queries", "a.csv"],
            ["query", *one, "--exact", "--ef", "5"], ["query", *one, "--exact", "--recall", "0.9"], ["query", *one, "--ef", "5", "--recall", "0.9"],
            ["query", *one, "--exact", "--time-budget", "5"], ["query", *one, "--group-size", "2"], ["query", *one, "--strategy", "pre"],
            ["query", *one, "--fusion", "rrf"], ["query", *one, "--text-field", "t"], ["query", *one, "--vector-weight", "0.1"],
            ["query", *one, "--words", "x", "--exact"], ["query", "--queries", "a.csv", "--words", "x"], ["query"],
            ["inspect", "--segments", "--epochs"], ["inspect", "--manifest", "--segments"], ["inspect", "--manifest", "--epochs"],
            ["compact", "--tiers", "--storage", "int8"], ["compact", "--hot", "0.1"], ["compact", "--warm", "0.1"], ["compact", "--cold-shard"],
            ["compact", "--tiers", "--hot", "0.8", "--warm", "0.3"], ["delete", "--ids", "1", "--filter", "id = 1"],
            ["delete", "--ids", "1", "--ids-file", "a.csv"], ["delete"], ["count", "--limit", "3"], ["count", "--by", "id", "--repeat", "2"],
            ["bench", "--queries", "a.csv", "--exact", "--ef", "9"], ["bench", "--queries", "a.csv", "--recall", "0.9", "--ef", "9"],
            ["query", *one, *one], ["query", *one, "-k", "1", "-k", "2"], ["compact", "--storage", "f32", "--storage", "int8"],
        ]:
            self.refused(words[0], "s.rvf", *words[1:])
        self.assertEqual((self.dir / "s.rvf").read_bytes(), before)

    def test_numbers_that_are_none_or_out_of_range_are_refused(self):
        self.make()
        odd = ["0", "-1", "1e99", "nan", "inf", "-inf", "x", "", " ", "99999999999999999999999", "0x"]
        for command, option, also in [
            (["query", "--vector", "1,2"], "-k", []), (["query", "--vector", "1,2"], "--ef", []), (["query", "--vector", "1,2"], "--threads", ["100000", "1.5"]),
            (["query", "--vector", "1,2"], "--recall", ["1", "0.1"]), (["query", "--vector", "1,2"], "--time-budget", []),
            (["query", "--vector", "1,2", "--group-by", "id"], "--group-size", []), (["compact"], "--io-budget", []), (["scan"], "--limit", []),
            (["count", "--by", "id"], "--limit", []), (["count"], "--repeat", []), (["rollback"], "--epoch", []), (["warm"], "--most", ["1XB"]),
            (["index"], "--threads", ["1025"]), (["bench", "--queries", "a.csv"], "--max-queries", []), (["text search"], "-k", ["1001"]),
        ]:
            for number in odd + also:
                words = command[0].split() + ["s.rvf"] + (["x"] if command[0] == "text search" else []) + command[1:]
                self.refused(*words, option, number)
        for vector in ["nan,1", "1,inf", "1,2,3", "1", "", ",", "1;2", "1,x"]:
            self.refused("query", "s.rvf", "--vector", vector)

    def test_help_and_version_come_at_any_place(self):
        for words, has in [(["help"], "query"), (["help", "compact"], "--tiers"), (["help", "text", "add"], "DIR"), (["--version"], "rvf "),
                           (["query", "--help"], "--vector"), (["text", "--help"], "search")]:
            self.assertIn(has, self.ok(*words))
        self.refused()

    def test_an_output_that_takes_nothing_is_an_error(self):
        self.make()
        for words in [["--help"], ["--version"], ["help", "query"], ["query", "s.rvf", "--vector", "1,2"], ["query", "s.rvf", "--vector", "1,2", "--json"],
                      ["count", "s.rvf"], ["get", "s.rvf", "1"], ["scan", "s.rvf"], ["status", "s.rvf"], ["inspect", "s.rvf", "--epochs"],
                      ["schema", "s.rvf"], ["verify", "s.rvf"], ["completion", "bash"], ["completion", "man"], ["compact", "s.rvf"],
                      ["delete", "s.rvf", "--ids", "9"]]:
            with open("/dev/full", "w") as full:
                p = subprocess.run([harness.RVF, *words], cwd=self.dir, stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(p.returncode, 4, words)
            self.assertNotEqual(p.stderr, "", words)
            p = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', harness.RVF, *words], cwd=self.dir, stderr=subprocess.PIPE, text=True)
            self.assertEqual(p.returncode, 4, words)
            for errors in [">&- 2>&-", "2>&-", "2>/dev/full", "<&-"]:
                p = subprocess.run(["sh", "-c", f'exec "$0" "$@" {errors}', harness.RVF, *words], cwd=self.dir, stdout=subprocess.DEVNULL)
                self.assertIn(p.returncode, (0, 4), (words, errors))
        self.ok("verify", "s.rvf", "--deep")
        self.assertEqual(self.count("s.rvf"), 2)

    def test_ctrl_c_ends_every_command_and_leaves_nothing_half_made(self):
        random.seed(1)
        rows = "".join(",".join(f"{random.gauss(0, 1):.3f}" for _ in range(48)) + "\n" for _ in range(20000))
        self.file("a.csv", ",".join(f"v{i}" for i in range(48)) + "\n" + rows)
        (self.dir / "docs").mkdir()
        for i in range(400):
            self.file(f"docs/{i}.txt", " ".join(random.choice("ape bee cat dog elk fox gnu hen".split()) for _ in range(3000)))
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet", "--no-index")
        self.ok("create", "n.rvf", "--dim", 48)
        # A compaction is continued, and what was acknowledged of an ingest or a text store stays.
        stays = {p.name for p in self.dir.iterdir()} | {"s.rvf.compact", "t.rvf"}
        for words, number in [
            (["repair", "s.rvf", "r.rvf", "--threads", "1"], signal.SIGINT), (["index", "s.rvf", "--threads", "1"], signal.SIGTERM),
            (["compact", "s.rvf", "--threads", "1"], signal.SIGINT), (["ingest", "n.rvf", "a.csv", "--batch", "50"], signal.SIGTERM),
            (["text", "add", "t.rvf", "docs"], signal.SIGINT), (["query", "s.rvf", "--queries", "a.csv", "--exact", "--json"], signal.SIGINT),
            (["bench", "s.rvf", "--queries", "a.csv", "--exact"], signal.SIGTERM), (["convert", "s.rvf", "c.rvf", "--to", "runtime"], signal.SIGINT),
            (["demo", "--text", "docs"], signal.SIGINT),
        ]:
            with self.subTest(words[0]):
                p = subprocess.Popen([harness.RVF, *words], cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                time.sleep(0.25)
                if p.poll() is not None:
                    continue  # it was quicker
                started = time.time()
                p.send_signal(number)
                p.communicate(timeout=60)
                self.assertLess(time.time() - started, 2)
                if p.returncode != 0:  # else it was done at that moment
                    self.assertIn(p.returncode, (128 + number, -number))
                self.assertEqual({p.name for p in self.dir.iterdir()} - stays, set())
        self.ok("compact", "s.rvf", "--no-index")
        self.ok("verify", "s.rvf")
        self.assertEqual(self.count("s.rvf"), 20000)
        self.assertFalse((self.dir / "s.rvf.compact").exists())


if __name__ == "__main__":
    harness.main()
