#!/usr/bin/env python3
"""A store has one writer, whatever its file is called, and nothing is acknowledged into a file that has no name."""
import json
import os
import signal
import struct
import subprocess
import time

import harness

ROWS = 4000


class Writer:
    """An ingest that was stopped behind its first acknowledgement, and holds the store until go_on()."""

    def __init__(self, test, store, first_id=0):
        rows = "id,v0,v1\n" + "".join(f"{first_id + i},{i},1\n" for i in range(ROWS))
        test.file("rows.csv", rows)
        self.process = subprocess.Popen([harness.RVF, "ingest", store, "rows.csv", "--batch", "4", "--no-index", "--json"],
                                        cwd=test.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = [self.process.stdout.readline()]
        self.process.send_signal(signal.SIGSTOP)
        test.addCleanup(self.process.kill)

    def go_on(self):
        """Its exit code and how many vectors it acknowledged."""
        self.process.send_signal(signal.SIGCONT)
        out, self.said = self.process.communicate(timeout=120)
        lines = [json.loads(line) for line in [*self.lines, *out.splitlines()] if line.strip()]
        return self.process.returncode, max(x.get("acknowledged", 0) for x in lines)


class OneWriter(harness.Misuse):
    def make(self, name="s.rvf"):
        self.file("one.csv", "id,v0,v1\n1000000,1,2\n")
        self.ok("ingest", name, "one.csv", "--create", "--quiet")

    def sh(self, command):
        subprocess.run(command, shell=True, cwd=self.dir, check=True)

    def test_no_other_name_leads_past_a_writer(self):
        for prepare, name in [
            ("ln -s s.rvf l.rvf", "l.rvf"),
            ("ln -s s.rvf a; ln -s a b; ln -s $PWD/b c", "c"),
            ("ln s.rvf hard.rvf", "hard.rvf"),
            ("ln s.rvf hard.rvf; ln -s hard.rvf l.rvf", "l.rvf"),
            ("mkdir d; ln -s .. d/up", "d/up/s.rvf"),
            ("mkdir d", "./d/../s.rvf"),
            ("rm s.rvf.lock", "s.rvf"),
            ("rm s.rvf.lock; : > s.rvf.lock", "s.rvf"),
            ("ln s.rvf.lock x; rm s.rvf.lock; head -c 104 /dev/zero > s.rvf.lock", "s.rvf"),
        ]:
            with self.subTest(prepare):
                self.fresh()
                self.make()
                writer = Writer(self, "s.rvf")
                self.sh(prepare)
                for command in [("ingest", name, "one.csv"), ("delete", name, "--ids", "1000000"), ("rollback", name, "--epoch", 1),
                                ("index", name), ("compact", name)]:
                    self.refused(*command, code=3)
                self.assertEqual(self.count(name) % 4, 1)
                code, acknowledged = writer.go_on()
                self.assertEqual((code, acknowledged), (0, ROWS), writer.said)
                self.assertEqual(self.count("s.rvf"), ROWS + 1)
                self.ok("verify", "s.rvf", "--deep")

    def test_what_has_no_name_any_more_is_not_written_to(self):
        for loss, left in [
            ("mv s.rvf t.rvf", "t.rvf"),
            ("mv s.rvf t.rvf; ln -s nowhere s.rvf", "t.rvf"),
            ("ln s.rvf t.rvf; rm s.rvf", "t.rvf"),
            ("mkdir d; mv s.rvf d/", "d/s.rvf"),
            ("ln s.rvf t.rvf; mv other.rvf s.rvf", "t.rvf"),
            ("ln s.rvf t.rvf; rm s.rvf s.rvf.lock; cp other.rvf s.rvf", "t.rvf"),
            ("rm s.rvf", None),
        ]:
            with self.subTest(loss):
                self.fresh()
                self.make()
                self.make("other.rvf")
                writer = Writer(self, "s.rvf")
                self.sh(loss)
                code, acknowledged = writer.go_on()
                self.assertEqual(code, 4, writer.said)
                self.assertIn("s.rvf", writer.said)
                if left:
                    self.assertEqual(self.count(left), acknowledged + 1)
                    self.ok("verify", left)
                    self.ok("ingest", left, "rows.csv", "--quiet")
                if "other" in loss:
                    self.assertEqual(self.count("s.rvf"), 1)

    def test_a_folder_may_not_be_renamed_above_a_writer(self):
        (self.dir / "a").mkdir()
        self.make("a/s.rvf")
        writer = Writer(self, "a/s.rvf")
        self.sh("mv a b")
        code, acknowledged = writer.go_on()
        self.assertEqual(code, 4)
        self.assertEqual(self.count("b/s.rvf"), acknowledged + 1)

    def test_a_file_that_is_overwritten_in_place_is_not_written_on(self):
        self.make()
        self.make("other.rvf")
        writer = Writer(self, "s.rvf")
        self.sh("cat other.rvf other.rvf > x; cat x > s.rvf")
        self.assertNotEqual(writer.go_on()[0], 0)
        self.assertEqual((self.dir / "s.rvf").read_bytes(), (self.dir / "x").read_bytes())

    def test_a_link_stays_a_link_and_all_lies_beside_the_file(self):
        for links in ["ln -s real/s.rvf l.rvf", "ln -s real/s.rvf a.rvf; ln -s a.rvf l.rvf", "ln -s $PWD/real/s.rvf l.rvf"]:
            with self.subTest(links):
                self.fresh()
                (self.dir / "real").mkdir()
                self.sh(links)
                self.ok("create", "l.rvf", "--dim", 2)  # through a link that leads nowhere yet
                self.file("rows.csv", "id,v0,v1\n" + "".join(f"{i},{i},1\n" for i in range(50)))
                self.ok("ingest", "l.rvf", "rows.csv", "--quiet")
                for command in [("compact", "l.rvf"), ("compact", "l.rvf", "--tiers", "--hot", 0, "--warm", 0.5, "--cold-shard"),
                                ("index", "l.rvf"), ("rollback", "l.rvf", "--epoch", 5)]:
                    self.rvf(*command)
                    self.assertTrue((self.dir / "l.rvf").is_symlink(), command)
                self.assertEqual(self.count("real/s.rvf"), 50)
                self.assertEqual(self.count("l.rvf"), 50)
                beside = {p.name for p in self.dir.iterdir()} - {"rows.csv", "real", "a.rvf", "l.rvf"}
                self.assertEqual(beside, set(), "beside the link")

    def test_names_that_are_no_files_are_refused(self):
        (self.dir / "d").mkdir()
        self.sh("ln -s round round; ln -s none/s.rvf far.rvf")
        for name in ["d", "d/", "d/.", "new.rvf/", "round", "far.rvf", "none/s.rvf", ".", "/"]:
            self.assertIn(self.rvf("create", name, "--dim", 2).returncode, (1, 4), name)
            self.assertIn(self.rvf("compact", name).returncode, (1, 4), name)
        self.assertEqual(list((self.dir / "d").iterdir()), [])

    def test_files_of_others_are_neither_written_through_nor_removed(self):
        for name, command in [("s.rvf.lock", ("ingest", "s.rvf", "one.csv")), ("s.rvf.compact", ("compact", "s.rvf")),
                              ("n.rvf.new", ("create", "n.rvf", "--dim", "2")), ("n.rvf.lock", ("create", "n.rvf", "--dim", "2")),
                              ("r.rvf.repairing", ("repair", "s.rvf", "r.rvf")), ("s.rvf.cold.0", ("compact", "s.rvf", "--tiers", "--hot", "0", "--warm", "0", "--cold-shard"))]:
            for plant in ["printf precious > {0}", "printf precious > p; ln -s p {0}", "ln -s nowhere {0}", "printf precious > p; ln p {0}",
                          "mkdir {0}", "cp s.rvf {0}"]:
                with self.subTest(f"{name}: {plant}"):
                    self.fresh()
                    self.make()
                    self.sh(plant.format(name))
                    planted = self.dir / name
                    what = os.readlink(planted) if planted.is_symlink() else planted.read_bytes() if planted.is_file() else "a folder"
                    self.rvf(*command)
                    now = os.readlink(planted) if planted.is_symlink() else planted.read_bytes() if planted.is_file() else "a folder"
                    self.assertEqual(now, what)
                    self.assertFalse((self.dir / "nowhere").exists())
                    if (self.dir / "p").exists():
                        self.assertEqual((self.dir / "p").read_bytes(), b"precious")
                    self.assertEqual(self.count("s.rvf"), 1)

    def test_a_file_with_several_names_is_not_replaced_under_one_of_them(self):
        self.make()
        os.link(self.dir / "s.rvf", self.dir / "t.rvf")
        self.refused("compact", "s.rvf", says=["names"])
        self.file("two.csv", "id,v0,v1\n2,1,2\n")
        self.ok("ingest", "t.rvf", "two.csv", "--quiet")
        self.assertEqual((self.count("s.rvf"), self.count("t.rvf")), (2, 2))

    def test_a_replaced_file_keeps_mode_and_attributes(self):
        acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, perm, who) for tag, perm, who in [
            (1, 6, 0xFFFFFFFF), (2, 4, 12345), (4, 0, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)])
        for mode in [0o600, 0o640, 0o660, 0o604, 0o700]:
            for attributes in [{}, {"user.origin": b"somewhere"}, {"system.posix_acl_access": acl}]:
                with self.subTest(f"{mode:o} {list(attributes)}"):
                    self.fresh()
                    self.make()
                    store = self.dir / "s.rvf"
                    store.chmod(mode)
                    try:
                        for name, value in attributes.items():
                            os.setxattr(store, name, value)
                    except OSError:
                        self.skipTest("no such attributes here")
                    before = (store.stat().st_mode, {n: os.getxattr(store, n) for n in os.listxattr(store)})
                    self.ok("compact", "s.rvf")
                    self.ok("repair", "s.rvf", "r.rvf")
                    for name in ["s.rvf", "r.rvf"]:
                        new = self.dir / name
                        self.assertEqual((new.stat().st_mode, {n: os.getxattr(new, n) for n in os.listxattr(new)}), before, name)

    def test_new_files_obey_the_umask_and_a_lock_is_no_more_open_than_its_store(self):
        for umask, mode in [(0o077, 0o600), (0o027, 0o640), (0o022, 0o644)]:
            self.fresh()
            old = os.umask(umask)
            try:
                self.make()
                self.assertEqual((self.dir / "s.rvf").stat().st_mode & 0o777, mode)
            finally:
                os.umask(old)
        (self.dir / "s.rvf").chmod(0o600)
        writer = Writer(self, "s.rvf")
        self.assertEqual((self.dir / "s.rvf.lock").stat().st_mode & 0o777, 0o600)
        self.assertEqual(writer.go_on()[0], 0)

    def test_waiting_for_another_writer_is_bounded_and_can_be_given_up(self):
        self.make()
        writer = Writer(self, "s.rvf")
        started = time.time()
        self.refused("delete", "s.rvf", "--ids", "1", "--wait", "0.3", code=3)
        self.assertLess(0.25, time.time() - started)
        waiting = [subprocess.Popen([harness.RVF, *command, "--wait", "60"], cwd=self.dir, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE) for command in [
                       ("delete", "s.rvf", "--ids", "1000000"), ("compact", "s.rvf"), ("index", "s.rvf"),
                       ("schema", "s.rvf", "--set", "a:i64"), ("rollback", "s.rvf", "--epoch", "2")]]
        given_up = waiting.pop()
        time.sleep(0.3)
        given_up.send_signal(signal.SIGINT)
        given_up.communicate(timeout=5)
        self.assertEqual(given_up.returncode, 130)
        self.assertEqual(writer.go_on(), (0, ROWS))
        for p in waiting:
            self.assertIn(p.communicate(timeout=60)[1], [b""], p.args)
            self.assertEqual(p.returncode, 0, p.args)
        self.assertEqual(self.count("s.rvf"), ROWS)
        for wrong in ["-1", "nan", "inf", "1e99", "soon", ""]:
            self.refused("index", "s.rvf", "--wait", wrong)

    def test_of_many_that_create_one_store_one_succeeds(self):
        for _ in range(5):
            self.fresh()
            all_of_them = [subprocess.Popen([harness.RVF, "create", "s.rvf", "--dim", str(n + 1)], cwd=self.dir,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(8)]
            codes = [p.wait() for p in all_of_them]
            self.assertEqual(codes.count(0), 1, codes)
            self.assertEqual(self.json("status", "s.rvf")[0]["dim"], codes.index(0) + 1)
            self.assertEqual([p.name for p in self.dir.iterdir()], ["s.rvf"])


if __name__ == "__main__":
    harness.main()
