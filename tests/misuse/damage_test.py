#!/usr/bin/env python3
"""What was durable and has been damaged is an error, never an older answer; what was never finished is none."""
import random
import signal
import subprocess

import harness

READERS = [("query", "{}", "--vector", "0,0,0,0"), ("count", "{}"), ("get", "{}", "7"), ("status", "{}"), ("inspect", "{}"),
           ("scan", "{}"), ("schema", "{}"), ("export", "{}", "out.jsonl"), ("warm", "{}")]
WRITERS = [("ingest", "{}", "a.csv"), ("delete", "{}", "--ids", "3"), ("compact", "{}"), ("index", "{}")]


class Damage(harness.Misuse):
    def make(self, rows=300, batches=3, dim=4):
        random.seed(5)
        for batch in range(batches):
            text = "id," + ",".join(f"v{i}" for i in range(dim)) + "\n"
            for row in range(rows):
                text += f"{batch * rows + row}," + ",".join(f"{random.gauss(0, 1):.4f}" for _ in range(dim)) + "\n"
            self.file("a.csv", text)
            self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet", "--no-index", "--batch", rows)
        self.whole = (self.dir / "s.rvf").read_bytes()
        self.epochs = self.json("inspect", "s.rvf", "--epochs")

    def harm(self, at, new, name="d.rvf"):
        b = bytearray(self.whole)
        b[at:at + len(new)] = new
        self.file(name, bytes(b))
        return name

    def flip(self, at, bits=4):
        return self.harm(at, bytes([self.whole[at] ^ bits]))

    def test_no_byte_of_a_small_store_can_rot_unnoticed(self):
        self.make(rows=20)
        (right,) = self.json("query", "s.rvf", "--vector", "0,0,0,0", "-k", 60)
        for at in range(0, len(self.whole), 37):
            p = self.rvf("query", self.flip(at, 1 << at % 8), "--vector", "0,0,0,0", "-k", 60, "--json")
            if p.returncode == 0:
                self.assertEqual(harness.json.loads(p.stdout)["ids"], right["ids"], f"byte {at}")
            else:
                self.assertEqual(p.returncode, 2, f"byte {at}: {p.stderr}")

    def test_readers_and_writers_refuse_damage_and_name_the_ways_out(self):
        self.make()
        root = len(self.whole) - 4096
        manifest = self.epochs[0]["manifest_offset"]
        for what, at, new in [
            ("vectors of the newest commit", manifest - 2000, b"\0" * 64),
            ("vectors of the first commit", self.epochs[2]["manifest_offset"] - 1000, b"x"),
            ("a byte of the newest root", root + 40, b"x"),
            ("its magic", root, b"R"),
            ("its flags", root + 6, b"\0"),
            ("its counts", root + 24, b"\xff\xff"),
            ("its identity", root + 0xF00, b"\0\0\0"),
            ("its checksum", root + 0xFFC, b"\1\2"),
            ("64 bytes amid it", root + 30, b"z" * 64),
            ("its Level 1", manifest + 64 + 20, b"\x77"),
            ("its header", manifest + 16, b"\x77"),
            ("the hash in its header", manifest + 45, b"\x77"),
        ]:
            with self.subTest(what):
                store = self.harm(at, new)
                if (self.dir / store).read_bytes() == self.whole:
                    self.skipTest("the same bytes")
                for command in READERS + WRITERS:
                    words = [w.format(store) for w in command]
                    if command[0] in ("status", "inspect", "warm") and "vectors" in what:
                        continue  # do not read them
                    self.refused(*words, code=2, says=["d.rvf", "rollback", "--last-intact"])
                    self.assertFalse((self.dir / "out.jsonl").exists())
                self.assertEqual(self.rvf("verify", store).returncode, 2)
                p = self.rvf("count", store, "--last-intact", "--json")
                self.assertEqual(p.returncode, 0, p.stderr)
                self.assertIn(harness.json.loads(p.stdout)["count"], (0, 300, 600))
                self.assertIn("damaged", p.stderr)
                self.assertIn(self.rvf("repair", store, "r.rvf").returncode, (0, 2))
                (self.dir / "r.rvf").unlink(missing_ok=True)
                epoch = int(self.rvf("count", store).stderr.split("--epoch ")[1].split("`")[0])
                self.ok("rollback", store, "--epoch", epoch)
                self.ok("verify", store)
                self.ok("ingest", store, "a.csv", "--quiet", "--no-index")

    def test_a_write_that_was_never_finished_is_no_damage(self):
        self.make()
        manifest = self.epochs[0]["manifest_offset"]
        before = self.epochs[1]["manifest_offset"]
        size = len(self.whole)
        sector = (manifest + 512) // 512 * 512
        for what, torn in [
            ("cut amid the data", self.whole[:manifest - 3000]),
            ("cut amid the manifest", self.whole[:manifest + 100]),
            ("cut in the root", self.whole[:size - 1000]),
            ("one byte short", self.whole[:size - 1]),
            ("the manifest zeroed", self.whole[:manifest] + bytes(size - manifest)),
            ("its end zeroed", self.whole[:sector] + bytes(size - sector)),
            ("the last sector zeroed", self.whole[:size // 512 * 512] + bytes(size % 512) if size % 512 else self.whole[:-512] + bytes(512)),
        ]:
            with self.subTest(what):
                self.file("d.rvf", torn)
                p = self.rvf("count", "d.rvf", "--json")
                self.assertEqual((p.returncode, harness.json.loads(p.stdout or "{}").get("count")), (0, 600), p.stderr)
                self.assertIn("not finished", p.stderr)
                self.ok("verify", "d.rvf")
                self.ok("ingest", "d.rvf", "a.csv", "--quiet", "--no-index")
                self.assertEqual(self.rvf("count", "d.rvf").stderr, "")
                self.assertEqual(self.count("d.rvf"), 900)
        self.assertGreater(manifest, before)

    def test_a_reader_beside_a_writer_says_nothing_of_what_is_being_written(self):
        self.make(rows=2000, batches=1)
        p = subprocess.Popen([harness.RVF, "ingest", "s.rvf", "a.csv", "--batch", "3", "--no-index", "--quiet"], cwd=self.dir,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        reads = 0
        while p.poll() is None:
            for command in [("count", "s.rvf"), ("status", "s.rvf"), ("verify", "s.rvf")]:
                r = self.rvf(*command)
                self.assertEqual((r.returncode, r.stderr), (0, ""))
                reads += 1
        self.assertEqual(p.returncode, 0)
        self.assertGreater(reads, 3)

    def test_the_end_of_a_writer_that_was_killed_is_told(self):
        self.make(rows=2000, batches=1)
        for _ in range(5):
            p = subprocess.Popen([harness.RVF, "ingest", "s.rvf", "a.csv", "--batch", "3", "--no-index", "--json"],
                                 cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            p.stdout.readline()
            p.send_signal(signal.SIGKILL)
            p.communicate()
            self.assertIn(self.rvf("count", "s.rvf").returncode, (0,))
            self.ok("verify", "s.rvf")

    def test_what_repair_loses_to_a_small_hole_is_small(self):
        self.make(rows=10000, batches=1)
        vectors = next(s for s in self.json("inspect", "s.rvf", "--segments") if s["type"] == "VEC")
        for share in [0.2, 0.5, 0.9]:
            store = self.harm(vectors["offset"] + int(vectors["payload_bytes"] * share), bytes(64))
            r = self.rvf("repair", store, "r.rvf", "--json", "--no-index")
            self.assertEqual(r.returncode, 2, r.stderr)
            report = harness.json.loads(r.stdout)
            self.assertLessEqual(report["vectors_lost"], 1024)
            self.assertEqual(report["vectors"] + report["vectors_lost"], 10000)
            (self.dir / "r.rvf").unlink()


if __name__ == "__main__":
    harness.main()
