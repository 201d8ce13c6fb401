#!/usr/bin/env python3
"""Runs the rvf command as a user would. Usage: cli_test.py PATH_TO_RVF. Standard library only."""
import array
import gzip
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import unittest

RVF = None


def write_npy(path, rows, code="<f4", fmt="f"):
    header = "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }" % (code, len(rows), len(rows[0]))
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for r in rows:
            f.write(struct.pack("<%d%s" % (len(r), fmt), *r))


def read_npy(path):
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack_from("<H", data, 8)[0]
    header = eval(data[10:10 + length].decode())  # our own file, written by the command under test
    values = array.array("f")
    values.frombytes(data[10 + length:])
    n, d = header["shape"]
    return [list(values[i * d:(i + 1) * d]) for i in range(n)]


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dir = pathlib.Path(self.folder.name)
        random.seed(7)

    def run_rvf(self, *arguments, code=0):
        p = subprocess.run([RVF, *map(str, arguments)], capture_output=True, text=True, cwd=self.dir)
        self.assertEqual(p.returncode, code, f"rvf {arguments}\n{p.stdout}\n{p.stderr}")
        return p

    def json(self, *arguments, code=0):
        return [json.loads(line) for line in self.run_rvf(*arguments, "--json", code=code).stdout.splitlines()]

    def vectors(self, n, d):
        return [[random.gauss(0, 1) for _ in range(d)] for _ in range(n)]

    def test_the_documented_path_works_from_create_to_export(self):
        rows = self.vectors(50, 4)
        write_npy(self.dir / "v.npy", rows)
        self.run_rvf("create", "s.rvf", "--dim", 4, "--metric", "l2")
        lines = self.json("ingest", "s.rvf", "v.npy", "--batch", 20)
        self.assertEqual([x["acknowledged"] for x in lines[:-1]], [20, 40, 50])
        self.assertEqual(lines[-1]["added"], 50)
        (status,) = self.json("status", "s.rvf")
        for key in ("vectors deleted dim metric dtype epoch file_bytes live_bytes segments index "
                    "recovered_from").split():
            self.assertIn(key, status)
        self.assertEqual((status["vectors"], status["dim"], status["metric"], status["dtype"]), (50, 4, "l2", "f32"))
        self.assertIsNone(status["recovered_from"])
        query = ",".join(map(str, rows[7]))
        (found,) = self.json("query", "s.rvf", "--vector", query, "-k", 3)
        self.assertEqual((found["query"], found["ids"][0], len(found["ids"])), (0, 7, 3))
        self.assertLess(found["distances"][0], 1e-9)
        exact = sorted(range(50), key=lambda i: sum((a - b) ** 2 for a, b in zip(rows[i], rows[7])))[:3]
        self.assertEqual(found["ids"], exact)
        self.assertEqual(len(self.json("query", "s.rvf", "--queries", "v.npy", "-k", 1)), 50)
        (got,) = self.json("get", "s.rvf", 3)
        for a, b in zip(got["vector"], rows[3]):
            self.assertAlmostEqual(a, b, places=6)
        (gone,) = self.json("delete", "s.rvf", "--ids", "1,2,5-9,1000")
        self.assertEqual((gone["deleted"], gone["not_found"], gone["vectors"]), (7, 1, 43))
        self.run_rvf("get", "s.rvf", 6, code=1)
        self.assertTrue(self.json("verify", "s.rvf", "--deep")[0]["ok"])
        self.json("compact", "s.rvf")
        self.assertEqual(self.json("status", "s.rvf")[0]["deleted"], 0)
        self.run_rvf("export", "s.rvf", "out.npy")
        left = [r for i, r in enumerate(rows) if i not in (1, 2, 5, 6, 7, 8, 9)]
        for a, b in zip(read_npy(self.dir / "out.npy"), left):
            for x, y in zip(a, b):
                self.assertAlmostEqual(x, y, places=6)
        self.run_rvf("export", "s.rvf", "out.jsonl")
        self.run_rvf("ingest", "again.rvf", "out.jsonl", "--create")
        self.run_rvf("export", "again.rvf", "out2.npy")
        self.assertEqual((self.dir / "out.npy").read_bytes(), (self.dir / "out2.npy").read_bytes())
        self.run_rvf("export", "s.rvf", "out.fvecs")
        self.run_rvf("ingest", "third.rvf", "out.fvecs", "--create")
        self.assertEqual(self.json("status", "third.rvf")[0]["vectors"], 43)

    def test_every_input_format_gives_the_same_vectors(self):
        rows = [[1, 2, 3], [4, 5, 6], [7, 8, 250]]
        write_npy(self.dir / "a.npy", rows)
        (self.dir / "b.csv").write_text("x,y,z\n" + "\n".join(",".join(map(str, r)) for r in rows) + "\n")
        (self.dir / "c.jsonl").write_text("".join(json.dumps({"id": i, "vector": r}) + "\n" for i, r in enumerate(rows)))
        (self.dir / "d.fvecs").write_bytes(b"".join(struct.pack("<i3f", 3, *r) for r in rows))
        (self.dir / "e.bvecs").write_bytes(b"".join(struct.pack("<i3B", 3, *r) for r in rows))
        (self.dir / "f.fbin").write_bytes(struct.pack("<II", 3, 3) + b"".join(struct.pack("<3f", *r) for r in rows))
        (self.dir / "g.u8bin").write_bytes(struct.pack("<II", 3, 3) + b"".join(struct.pack("<3B", *r) for r in rows))
        (self.dir / "h.idx").write_bytes(struct.pack(">BBBBII", 0, 0, 8, 2, 3, 3) + b"".join(bytes(r) for r in rows))
        for name in list(os.listdir(self.dir)):
            (self.dir / (name + ".gz")).write_bytes(gzip.compress((self.dir / name).read_bytes()))
        for name in sorted(os.listdir(self.dir)):
            with self.subTest(name):
                store = name + ".rvf"
                self.run_rvf("create", store, "--dim", 3)
                self.run_rvf("ingest", store, name)
                self.assertEqual([x["vector"] for x in self.json("get", store, 0, 1, 2)], rows)

    def test_ids_are_counted_on_or_taken_from_a_file_and_upserts_are_counted(self):
        write_npy(self.dir / "v.npy", self.vectors(3, 2))
        (self.dir / "ids.txt").write_text("100\n7\n18446744073709551614\n")
        self.run_rvf("ingest", "s.rvf", "v.npy", "--create")
        self.assertEqual(self.json("ingest", "s.rvf", "v.npy")[-1]["vectors"], 6)
        self.assertEqual(self.json("ingest", "s.rvf", "v.npy", "--ids", "ids.txt")[-1]["replaced"], 0)
        self.assertEqual(self.json("ingest", "s.rvf", "v.npy", "--ids", "ids.txt")[-1]["replaced"], 3)
        self.assertEqual(self.json("status", "s.rvf")[0]["vectors"], 9)
        self.run_rvf("get", "s.rvf", 18446744073709551614, 5, 100)

    def test_errors_have_their_exit_codes_and_name_the_thing(self):
        write_npy(self.dir / "v.npy", self.vectors(3, 2))
        self.run_rvf("ingest", "s.rvf", "v.npy", "--create")
        self.assertIn("the store 2", self.run_rvf("query", "s.rvf", "--vector", "1,2,3", code=1).stderr)
        self.assertIn("-k: '0'", self.run_rvf("query", "s.rvf", "--vector", "1,2", "-k", 0, code=1).stderr)
        self.assertIn("nan", self.run_rvf("query", "s.rvf", "--vector", "1,nan", code=1).stderr.lower())
        self.run_rvf("query", "s.rvf", code=1)
        self.run_rvf("query", "missing.rvf", "--vector", "1,2", code=1)
        self.run_rvf("create", "s.rvf", "--dim", 2, code=1)
        self.run_rvf("create", "t.rvf", "--dim", 0, code=1)
        self.run_rvf("create", "t.rvf", "--dim", 70000, code=1)
        unknown = self.run_rvf("create", "t.rvf", "--dim", 8, "--metric", "manhattan", code=1).stderr
        self.assertIn("'manhattan' is not one of cosine, hamming, ip, l2", unknown)
        self.assertFalse((self.dir / "t.rvf").exists())
        (self.dir / "text.txt").write_text("hello world\n" * 1000)
        self.assertIn("not an RVF", self.run_rvf("status", "text.txt", code=1).stderr)
        self.assertIn("directory", self.run_rvf("status", ".", code=1).stderr)
        (self.dir / "bad.csv").write_text("1,2\n3,oops\n")
        self.assertIn("bad.csv", self.run_rvf("ingest", "s.rvf", "bad.csv", code=1).stderr)
        write_npy(self.dir / "wide.npy", self.vectors(2, 3))
        self.assertIn("wide.npy", self.run_rvf("ingest", "s.rvf", "wide.npy", code=1).stderr)
        self.run_rvf("rollback", "s.rvf", "--epoch", 99, code=1)
        self.run_rvf("nonsense", code=1)
        self.assertEqual(self.json("status", "s.rvf")[0]["vectors"], 3)

    def test_a_damaged_store_ends_with_2_and_a_cut_one_says_what_it_fell_back_to(self):
        write_npy(self.dir / "v.npy", self.vectors(2000, 16))
        self.run_rvf("ingest", "s.rvf", "v.npy", "--create", "--batch", 500)
        whole = bytearray((self.dir / "s.rvf").read_bytes())
        damaged = bytearray(whole)
        damaged[100_000] ^= 1
        (self.dir / "d.rvf").write_bytes(damaged)
        report = self.json("verify", "d.rvf", code=2)[0]
        self.assertFalse(report["ok"])
        self.assertEqual(report["problems"][0]["code"], "bad_checksum")
        self.assertIn("VEC segment", self.run_rvf("compact", "d.rvf", code=2).stderr)
        self.run_rvf("delete", "d.rvf", "--ids", "1", code=2)
        self.assertEqual((self.dir / "d.rvf").read_bytes(), bytes(damaged), "a failed compaction changes nothing")
        self.assertFalse((self.dir / "d.rvf.compact").exists())
        epoch = self.json("status", "s.rvf")[0]["epoch"]
        self.assertEqual(self.json("rollback", "d.rvf", "--epoch", 3)[0]["vectors"], 1000)
        self.assertGreater(self.json("status", "d.rvf")[0]["epoch"], epoch)
        self.json("compact", "d.rvf")
        self.assertTrue(self.json("verify", "d.rvf", "--deep")[0]["ok"])
        (self.dir / "d.rvf").write_bytes(damaged)
        report = self.json("repair", "d.rvf", "saved.rvf", code=2)[0]
        self.assertEqual(report["outcome"], "partial")
        self.assertEqual(report["vectors"] + report["vectors_lost"], 2000)
        self.assertEqual(report["lost"][0]["type"], "VEC")
        self.assertTrue(self.json("verify", "saved.rvf", "--deep")[0]["ok"])
        self.assertEqual((self.dir / "d.rvf").read_bytes(), bytes(damaged), "a repair only reads")
        self.assertEqual(self.json("repair", "s.rvf", "again.rvf")[0]["outcome"], "whole")
        self.run_rvf("repair", "s.rvf", "saved.rvf", code=1)
        (self.dir / "c.rvf").write_bytes(whole[:-1000])
        p = self.run_rvf("status", "c.rvf")
        self.assertIn("epoch", p.stderr)
        self.assertIsNotNone(self.json("status", "c.rvf")[0]["recovered_from"])
        (self.dir / "h.rvf").write_bytes(whole[:3000])
        self.run_rvf("status", "h.rvf", code=2)

    def test_a_second_writer_is_told_who_holds_the_store(self):
        rows = self.vectors(200, 4)
        (self.dir / "pipe.jsonl").write_text("")
        self.run_rvf("create", "s.rvf", "--dim", 4)
        os.mkfifo(self.dir / "fifo")
        write_npy(self.dir / "big.npy", self.vectors(60000, 16))
        self.run_rvf("create", "b.rvf", "--dim", 16)
        holder = subprocess.Popen([RVF, "ingest", "b.rvf", "big.npy", "--batch", "10", "--threads", "1"], cwd=self.dir,
                                  stdout=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if (self.dir / "b.rvf.lock").exists() and (self.dir / "b.rvf.lock").stat().st_size == 104:
                    break
                time.sleep(0.01)
            p = self.run_rvf("delete", "b.rvf", "--ids", "1", code=3)
            self.assertIn(str(holder.pid), p.stderr)
            self.run_rvf("status", "b.rvf")  # readers need no lock
        finally:
            holder.kill()
            holder.wait()
        self.run_rvf("delete", "b.rvf", "--ids", "1")  # a dead holder blocks nobody
        self.assertTrue(self.json("verify", "b.rvf", "--deep")[0]["ok"])
        del rows

    def test_rollback_goes_back_and_forth(self):
        write_npy(self.dir / "v.npy", self.vectors(30, 2))
        self.run_rvf("ingest", "s.rvf", "v.npy", "--create", "--batch", 10)
        epochs = self.json("inspect", "s.rvf", "--epochs")
        self.assertEqual([e["vectors"] for e in epochs], [30, 20, 10, 0])
        self.assertEqual(self.json("rollback", "s.rvf", "--epoch", epochs[2]["epoch"])[0]["vectors"], 10)
        self.assertEqual(self.json("rollback", "s.rvf", "--epoch", epochs[0]["epoch"])[0]["vectors"], 30)
        self.assertTrue(any(s["type"] == "VEC" for s in self.json("inspect", "s.rvf", "--segments")))

    def test_a_lossy_store_tells_its_recall_and_queries_tell_their_layers(self):
        rows = self.vectors(5000, 16)
        write_npy(self.dir / "v.npy", rows)
        self.run_rvf("ingest", "s.rvf", "v.npy", "--create", "--storage", "int8", "--search-layout", "partitions")
        self.assertEqual(self.json("status", "s.rvf")[0]["storage"], "int8")
        (query,) = self.json("query", "s.rvf", "--like", 3, "-k", 4, "--explain")
        self.assertEqual((query["layers"], query["ids"][0]), ("A", 3))
        (first,) = self.json("compact", "s.rvf")  # codes what was exact until now
        self.assertGreaterEqual(first["recall_at_10"], 0.9)
        self.assertLess(first["bytes_after"], first["bytes_before"])
        (second,) = self.json("compact", "s.rvf")
        self.assertNotIn("recall_at_10", second)  # nothing was lost this time
        self.assertEqual(self.json("warm", "s.rvf", "--most", 5000)[0], {"layer_a": 5000, "layer_c": 0, "rows": 0})
        self.assertGreaterEqual(self.json("warm", "s.rvf", "--rows")[0]["rows"], 5000 * 16)
        for option, value in (("--storage", "f16"), ("--search-layout", "fused")):
            p = self.run_rvf("ingest", "s.rvf", "v.npy", option, value, code=1)
            self.assertIn("rvf compact " + option, p.stderr)
        self.assertTrue(self.json("verify", "s.rvf", "--deep")[0]["ok"])

    def test_bench_reports_the_documented_figures(self):
        rows = self.vectors(5000, 8)
        write_npy(self.dir / "v.npy", rows)
        write_npy(self.dir / "q.npy", rows[:20])
        truth = []
        for q in rows[:20]:
            truth.append(sorted(range(5000), key=lambda i: sum((a - b) ** 2 for a, b in zip(rows[i], q)))[:10])
        write_npy(self.dir / "t.npy", truth, "<i4", "i")
        self.run_rvf("ingest", "s.rvf", "v.npy", "--create")
        (b,) = self.json("bench", "s.rvf", "--queries", "q.npy", "--truth", "t.npy", "-k", 10)
        for key in "recall qps p50_us p99_us open_us first_result_us bytes_read_first_result".split():
            self.assertIn(key, b)
        self.assertGreaterEqual(b["recall"], 0.95)
        (b,) = self.json("bench", "s.rvf", "--queries", "q.npy", "--truth", "t.npy", "-k", 10, "--exact")
        self.assertEqual(b["recall"], 1.0)

    def test_text_is_found_and_only_changes_are_taken_again(self):
        notes = self.dir / "notes"
        (notes / "deep").mkdir(parents=True)
        (notes / "bread.md").write_text("# Bread\n\nKnead the dough for ten minutes and let it rise overnight.\n")
        (notes / "deep" / "bees.txt.gz").write_bytes(gzip.compress(b"Bees dance to tell others where flowers are.\n"))
        (notes / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        (first,) = self.json("text", "add", "t.rvf", "notes")
        self.assertEqual((first["files_added"], first["passages"]), (2, 2))
        (hits,) = self.json("text", "search", "t.rvf", "kneading dough")
        self.assertTrue(hits["hits"][0]["path"].endswith("notes/bread.md"))
        self.assertEqual((hits["hits"][0]["first_line"], hits["hits"][0]["last_line"]), (1, 3))
        self.assertIn("**Knead**", self.run_rvf("text", "search", "t.rvf", "kneading dough", "-k", 1).stdout)
        self.assertIn("bees.txt.gz", self.run_rvf("text", "search", "t.rvf", "where do bees dance", "-k", 1).stdout)
        (again,) = self.json("text", "add", "t.rvf", "notes")
        self.assertEqual((again["files_unchanged"], again["files_added"], again["passages_added"]), (2, 0, 0))
        (notes / "bread.md").write_text("# Bread\n\nSourdough needs a starter of flour and water.\n")
        os.remove(notes / "deep" / "bees.txt.gz")
        (notes / "tea.txt").write_text("Green tea is steeped below boiling.\n")
        (third,) = self.json("text", "add", "t.rvf", "notes")
        self.assertEqual((third["files_added"], third["files_changed"], third["files_removed"], third["passages"]),
                         (1, 1, 1, 2))
        paths = [h["path"] for h in self.json("text", "search", "t.rvf", "bees dance flowers knead dough")[0]["hits"]]
        self.assertFalse(any("bees" in p for p in paths))
        self.assertTrue(self.json("verify", "t.rvf", "--deep")[0]["ok"])
        self.run_rvf("compact", "t.rvf")
        self.assertIn("starter", self.run_rvf("text", "search", "t.rvf", "sourdough starter", "-k", 1).stdout)
        write_npy(self.dir / "v.npy", self.vectors(3, 2))
        self.run_rvf("ingest", "plain.rvf", "v.npy", "--create")
        self.run_rvf("text", "search", "plain.rvf", "x", code=1)

    def test_help_completions_and_the_manual_page_cover_every_command(self):
        help_text = self.run_rvf("--help").stdout
        man = self.run_rvf("completion", "man").stdout
        bash = self.run_rvf("completion", "bash").stdout
        for command in ("create ingest query get delete status inspect verify compact rollback export bench text "
                        "demo completion index").split():
            self.assertIn(command, help_text)
            self.assertIn("rvf " + command, man)
            self.assertIn(command, bash)
            self.run_rvf(command, "--help")
        self.assertEqual(subprocess.run(["bash", "-n"], input=bash, text=True).returncode, 0)
        self.run_rvf("completion", "zsh")
        self.run_rvf("completion", "fish")
        self.assertRegex(self.run_rvf("--version").stdout, r"rvf \d+\.\d+\.\d+")


if __name__ == "__main__":
    RVF = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
