#!/usr/bin/env python3
"""Options that contradict a store or each other are refused, and a failure leaves nothing behind."""
import os
import signal
import struct
import subprocess
import time

import harness


class Contradictions(harness.Misuse):
    def store(self):
        self.jsonl("a.jsonl", [{"id": i, "vector": [i, 1]} for i in range(3)])
        self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")

    def nothing_left(self, *beside):
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), sorted(beside))

    def test_options_for_a_new_store_that_one_which_is_there_contradicts(self):
        self.store()
        for create in ([], ["--create"]):
            for option, value in (("--metric", "cosine"), ("--metric", "ip"), ("--dtype", "f16"), ("--dtype", "i8"),
                                  ("--id-type", "text"), ("--storage", "int8"), ("--search-layout", "standard")):
                with self.subTest(option=option, value=value, create=create):
                    self.refused("ingest", "s.rvf", "a.jsonl", *create, option, value, says=[option])
        self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--metric", "l2", "--dtype", "f32", "--quiet")
        (status,) = self.json("status", "s.rvf")
        self.assertEqual((status["metric"], status["dtype"], status["vectors"]), ("l2", "f32", 3))

    def test_names_of_columns_are_refused_of_files_that_have_none(self):
        self.file("v.fvecs", struct.pack("<i2f", 2, 1, 2) * 3)
        self.file("v.csv", "1,2\n3,4\n")
        for name in ("v.fvecs", "v.csv"):
            for option in ("--vector-field", "--id-column"):
                with self.subTest(name=name, option=option):
                    self.refused("ingest", "s.rvf", name, "--create", option, "key", says=[name, "key"])
        self.nothing_left("v.csv", "v.fvecs")

    def test_an_explicit_metric_of_bits_is_the_one_that_was_asked_for(self):
        for metric, made in (([], "hamming"), (["--metric", "l2"], "l2"), (["--metric", "hamming"], "hamming")):
            (self.dir / "s.rvf").unlink(missing_ok=True)
            self.ok("create", "s.rvf", "--dim", 2, "--dtype", "binary", *metric)
            self.assertEqual(self.json("status", "s.rvf")[0]["metric"], made)
        self.refused("create", "t.rvf", "--dim", 2, "--metric", "hamming")
        self.nothing_left("s.rvf")

    def test_a_failed_create_leaves_nothing_whatever_the_reason(self):
        for name, content, *options in (("nan.csv", "nan,2\n"), ("late.csv", "1,2\n3,x\n"), ("twice.jsonl", '{"id":1,"vector":[1]}\n' * 2),
                                        ("dim.jsonl", '{"vector":[1]}\n{"vector":[1,2]}\n'), ("u8.csv", "1,0.5\n", "--dtype", "u8"),
                                        ("big.csv", "1e39,2\n"), ("meta.csv", "1,2\n", "--meta", "missing.jsonl"),
                                        ("few.csv", "1\n2\n", "--meta", "m.jsonl"), ("ids.csv", "1\n", "--ids", "missing.txt"),
                                        ("type.jsonl", '{"vector":[1],"n":"x"}\n', "--schema", "n:i64"), ("empty.csv", ""),
                                        ("schema.csv", "1\n", "--schema", "n:nonsense"), ("ttl.csv", "1\n", "--ttl", "7x"),
                                        ("ham.csv", "1,2\n", "--metric", "hamming"),
                                        ("missing.npy", None), ("second.csv", "1,2\n", "missing.npy", "--durability", "none")):
            with self.subTest(name):
                self.fresh()
                beside = [self.jsonl("m.jsonl", [{"n": 1}])]
                if content is not None:
                    beside.append(self.file(name, content))
                p = self.rvf("ingest", "s.rvf", name, "--create", "--quiet", *options)
                self.assertEqual(p.returncode, 1, p.stderr)
                if name != "second.csv":
                    self.nothing_left(*beside)
                else:  # what was acknowledged before stays, and is told
                    self.assertIn("1 vectors of this run are in the store", p.stderr)
                    self.assertEqual(self.count("s.rvf"), 1)

    def test_batches_that_were_acknowledged_stay_and_are_counted(self):
        self.file("a.csv", "1,2\n3,4\n5,x\n")
        self.refused("ingest", "s.rvf", "a.csv", "--create", "--quiet", "--batch", 2, says=["line 3", "2 vectors of this run"])
        self.assertEqual(self.count("s.rvf"), 2)

    def test_an_interrupt_before_the_first_commit_leaves_nothing(self):
        os.mkfifo(self.dir / "fifo")
        p = subprocess.Popen([harness.RVF, "ingest", "s.rvf", "fifo", "--create", "--quiet"], cwd=self.dir,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(self.dir / "fifo", "w") as f:
            f.write('{"vector":[1,2]}\n')
            f.flush()
            time.sleep(0.3)
            p.send_signal(signal.SIGINT)
            time.sleep(0.1)
            p.send_signal(signal.SIGINT)
            self.assertNotEqual(p.wait(10), 0)
        self.nothing_left("fifo")

    def test_an_export_never_goes_onto_the_store_or_into_one_file_twice(self):
        self.store()
        os.symlink("s.rvf", self.dir / "l.npy")
        os.link(self.dir / "s.rvf", self.dir / "h.jsonl")
        os.symlink("x.npy", self.dir / "y.npy")
        self.file("x.npy", "old")
        before = (self.dir / "s.rvf").read_bytes()
        for arguments in (["l.npy"], ["h.jsonl"], ["s.rvf", "--format", "npy"], ["a.npy", "--meta", "a.npy"],
                          ["a.npy", "--meta", "s.rvf"], ["x.npy", "--meta", "y.npy"], ["x.npy", "--meta", "./x.npy"],
                          ["no/such/a.npy"], ["a.npy", "--meta", "no/such/m.jsonl"], ["."], ["a.parquet"], ["-", "--json"],
                          ["x.npy", "--filter", "nope = 1"], ["x.npy", "--columns", "nope"]):
            with self.subTest(arguments=arguments):
                self.refused("export", "s.rvf", *arguments)
        self.assertEqual((self.dir / "s.rvf").read_bytes(), before)
        self.assertEqual((self.dir / "x.npy").read_text(), "old")
        self.nothing_left("a.jsonl", "h.jsonl", "l.npy", "s.rvf", "x.npy", "y.npy")

    def test_a_replaced_export_keeps_its_mode_and_a_link_stays_a_link(self):
        self.store()
        for name in ("o.npy", "o.jsonl", "o.fvecs"):
            self.file(name, "old")
            os.chmod(self.dir / name, 0o640)
            os.symlink(name, self.dir / ("l" + name))
            self.ok("export", "s.rvf", "l" + name, "--format", name.split(".")[1])
            self.assertTrue((self.dir / ("l" + name)).is_symlink())
            self.assertEqual((self.dir / name).stat().st_mode & 0o7777, 0o640)
            self.assertNotEqual((self.dir / name).read_bytes(), b"old")

    def test_what_is_named_twice_or_is_the_store_itself_is_no_input(self):
        self.store()
        os.symlink("a.jsonl", self.dir / "b.jsonl")
        for arguments in (["a.jsonl", "a.jsonl"], ["a.jsonl", "b.jsonl"], ["a.jsonl", "./a.jsonl"], ["s.rvf"],
                          ["a.jsonl", "--meta", "s.rvf"], ["a.jsonl", "--ids", "i.txt", "--id-column", "key"]):
            with self.subTest(arguments=arguments):
                self.refused("ingest", "s.rvf", *arguments)
        self.assertEqual(self.count("s.rvf"), 3)


if __name__ == "__main__":
    harness.main()
