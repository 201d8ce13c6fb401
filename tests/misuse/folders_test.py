#!/usr/bin/env python3
"""A folder is itself whatever names lead to it, and what cannot be read is not taken for gone."""
import gzip
import os
import signal
import subprocess
import time

import harness

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []


class Folders(harness.Misuse):
    def add(self, *arguments, cwd=".", store="t.rvf"):
        """The report of `text add`, run in a folder below."""
        p = self.anyone(["text", "add", str(self.dir / store), *arguments, "--json"], cwd)
        self.assertEqual(p.returncode, 0, p.stderr)
        return harness.json.loads(p.stdout)

    def anyone(self, arguments, cwd="."):
        return subprocess.run([*self.prefix, harness.RVF, *arguments], cwd=self.dir / cwd, capture_output=True, text=True, timeout=120)

    def setUp(self):
        super().setUp()
        self.prefix = []
        self.file("docs/a.txt", "one walrus\n")
        self.file("docs/sub/b.txt", "two okapi\n")

    def as_nobody(self):
        """Root reads everything; permissions are tried as somebody else."""
        self.prefix = NOBODY
        for path in [self.dir, *self.dir.rglob("*")]:
            os.chmod(path, 0o777 if path.is_dir() else 0o666)
        if self.dir.parent.name.startswith("tmp"):
            os.chmod(self.dir.parent, 0o755)

    def test_spellings_of_a_folder_are_one_folder(self):
        os.symlink("docs", self.dir / "link")
        os.symlink(self.dir / "link", self.dir / "link2")
        self.add("docs")
        for name, cwd in [("docs/", "."), ("./docs", "."), (".", "docs"), ("..", "docs/sub"), ("link", "."), ("link2/", "."), ("docs/../docs", "."),
                          (str(self.dir / "docs"), "/"), ("docs//", "."), ("../docs/sub/..", "docs")]:
            with self.subTest(name=name, cwd=cwd):
                r = self.add(name, cwd=cwd)
                self.assertEqual((r["files_unchanged"], r["files_added"], r["files_removed"], r["passages"]), (2, 0, 0, 2))

    def test_the_same_spelling_in_two_places_is_two_folders(self):
        for name in ("d1", "d2", "d3"):
            self.file(f"{name}/same.txt", f"{name} has a walrus\n")
            self.add(".", cwd=name)
        self.assertEqual(self.count("t.rvf"), 3)
        (found,) = self.json("text", "search", "t.rvf", "walrus")
        self.assertEqual(len({h["path"] for h in found["hits"]}), 3)

    def test_roots_inside_roots_are_taken_once(self):
        for arguments in (["docs", "docs/sub"], ["docs/sub", "docs"], ["docs/sub/b.txt", "docs", "docs/sub"], ["docs", "docs"]):
            with self.subTest(arguments=arguments):
                self.add(*arguments, store="n.rvf")
                self.assertEqual(self.count("n.rvf"), 2)
                os.remove(self.dir / "n.rvf")
        self.add("docs/sub")
        self.assertEqual(self.add("docs")["files_added"], 1)
        os.remove(self.dir / "docs/a.txt")
        self.assertEqual(self.add("docs/sub")["files_removed"], 0)
        self.assertEqual(self.add("docs")["files_removed"], 1)

    def test_what_was_given_by_name_stays_though_its_folder_would_leave_it_out(self):
        self.file("docs/.private/c.txt", "three lemurs\n")
        self.file("docs/notes.db", "four yaks\n")
        self.add("docs/.private", "docs/notes.db")
        r = self.add("docs")
        self.assertEqual((r["files_removed"], r["files_kept"], r["passages"]), (0, 2, 4))

    def test_what_cannot_be_read_is_kept_and_named(self):
        cases = {"folder": lambda d: os.chmod(d / "sub", 0), "file": lambda d: os.chmod(d / "sub/b.txt", 0),
                 "no search": lambda d: os.chmod(d / "sub", 0o444), "no list": lambda d: os.chmod(d / "sub", 0o111)}
        for case, spoil in cases.items():
            with self.subTest(case=case):
                self.fresh()
                self.file("docs/a.txt", "one walrus\n")
                self.file("docs/sub/b.txt", "two okapi\n")
                self.as_nobody()
                self.add("docs")
                if case == "file":  # changed as well, else it need not be read
                    self.file("docs/sub/b.txt", "two other okapi\n")
                spoil(self.dir / "docs")
                r = self.add("docs")
                os.chmod(self.dir / "docs/sub", 0o777)
                self.assertEqual((r["files_removed"], r["files_kept"], r["passages"]), (0, 1, 2))
                (skipped,) = r["skipped"]
                self.assertIn("/sub", skipped["path"])
                self.assertEqual((skipped["reason"], skipped["kept"]), ("Permission denied", True))

    def test_a_file_that_fails_midway_is_kept(self):
        whole = gzip.compress(b"a walrus sleeps\n" * 5000)
        for damage in (whole[:-10], whole[:40] + b"\xff" * 40 + whole[80:]):
            self.file("docs/z.gz", whole)
            self.add("docs")
            before = self.count("t.rvf")
            self.file("docs/z.gz", damage)
            r = self.add("docs")
            self.assertEqual((r["files_removed"], r["files_kept"], self.count("t.rvf")), (0, 1, before))
            self.assertTrue(r["skipped"][0]["path"].endswith("z.gz"))

    def test_a_folder_that_is_gone_or_empty_loses_nothing_unless_that_is_allowed(self):
        self.add("docs")
        os.rename(self.dir / "docs", self.dir / "away")
        self.refused("text", "add", "t.rvf", "docs", says=["docs"])
        os.mkdir(self.dir / "docs")
        self.refused("text", "add", "t.rvf", "docs", says=["2 of its files", "--allow-empty"])
        self.file("docs/picture.png", b"\x89PNG")
        self.refused("text", "add", "t.rvf", "docs", says=["--allow-empty"])
        self.assertEqual(self.count("t.rvf"), 2)
        os.remove(self.dir / "docs/picture.png")
        os.rmdir(self.dir / "docs")
        os.rename(self.dir / "away", self.dir / "docs")
        self.assertEqual(self.add("docs")["files_unchanged"], 2)
        subprocess.run(["rm", "-r", self.dir / "docs"], check=True)
        self.assertEqual(self.add("docs", "--allow-empty")["files_removed"], 2)
        self.assertEqual(self.count("t.rvf"), 0)

    def test_a_disk_that_is_not_mounted_keeps_its_files(self):
        self.add("docs")
        os.rename(self.dir / "docs/sub", self.dir / "disk")
        os.mkdir(self.dir / "docs/sub")
        os.utime(self.dir / "docs/sub", (1, 1))  # as it was before the disk was mounted over it
        r = self.add("docs")
        self.assertEqual((r["files_removed"], r["files_kept"], r["passages"]), (0, 1, 2))
        self.assertIn("mounted", r["skipped"][0]["reason"])

    def test_a_folder_that_was_emptied_loses_its_files(self):
        self.add("docs")
        os.remove(self.dir / "docs/sub/b.txt")
        self.assertEqual(self.add("docs")["files_removed"], 1)

    def test_odd_things_in_a_tree_are_named_and_stop_nothing(self):
        os.mkfifo(self.dir / "docs/pipe")
        os.symlink("loop", self.dir / "docs/loop")
        os.symlink(".", self.dir / "docs/sub/self")
        os.symlink("nowhere", self.dir / "docs/dangling.txt")
        self.file("docs/empty.txt", "")
        self.file("docs/.hidden", "x")
        self.file("docs/.git/config", "x")
        self.file("docs/data.txt", b"\0\1\2\3")
        self.file("docs/big.txt", "x" * 3000)
        self.file("docs/bomb.gz", gzip.compress(b"x" * 3000))
        os.link(self.dir / "docs/a.txt", self.dir / "docs/hard.txt")
        for name in (b"docs/new\nline.txt", b"docs/bad\xff.txt", b"docs/bad\xfe.txt"):
            with open(os.fsencode(self.dir) + b"/" + name, "wb") as f:
                f.write(b"a lemur in " + name + b"\n")
        r = self.add("docs", "--max-file-size", "2000")
        self.assertEqual((r["files_added"], r["files_skipped"]), (6, 10))
        self.assertEqual(len(r["skipped"]), 10)
        self.assertEqual(self.add("docs", "--max-file-size", "2k")["files_unchanged"], 6)
        self.assertEqual(self.add("docs")["files_added"], 2)
        people = self.ok("text", "add", "t.rvf", "docs", "--max-file-size", "2000")
        self.assertIn("big.txt: larger than 2000 bytes", people)
        self.assertEqual(self.add("docs", "--max-file-size", "2000")["files_removed"], 0)

    def test_a_few_are_named_for_people_and_all_if_asked(self):
        for i in range(30):
            self.file(f"docs/{i}.png", "x")
        few = self.ok("text", "add", "t.rvf", "docs")
        self.assertIn("skipped: 20 more", few)
        self.assertEqual(self.ok("text", "add", "t.rvf", "docs", "--verbose").count(".png"), 30)

    def test_every_change_is_seen(self):
        path = self.dir / "docs/a.txt"
        for number, word in enumerate(["lemur", "tapir", "camel", "hyena"]):  # all of one length
            time_before = path.stat()
            self.file("docs/a.txt", f"one {word}\n")
            if number % 2:
                os.utime(path, ns=(time_before.st_atime_ns, time_before.st_mtime_ns))
            self.add("docs")
            (found,) = self.json("text", "search", "t.rvf", word)
            self.assertIn(word, found["hits"][0]["text"])

    def test_nothing_is_left_behind_where_nothing_can_be_added(self):
        self.refused("text", "add", "new.rvf", "docs", "missing", says=["missing"])
        self.assertFalse((self.dir / "new.rvf").exists())
        self.refused("text", "add", "t.rvf", "docs", "--encoding", "klingon", says=["klingon"])
        self.refused("text", "add", "t.rvf", "docs", "--max-file-size", "many")

    def test_an_interrupt_ends_at_once_and_leaves_the_last_commit(self):
        self.add("docs")
        for i in range(300):
            self.file(f"many/{i}.txt", f"walrus number {i} " * 20000)
        p = subprocess.Popen([harness.RVF, "text", "add", "t.rvf", "many"], cwd=self.dir, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        p.send_signal(signal.SIGINT)
        asked = time.time()
        _, errors = p.communicate(timeout=60)
        self.assertLess(time.time() - asked, 10)
        self.assertNotEqual(p.returncode, 0, errors)
        self.assertIn("stopped", errors)
        self.assertTrue(self.json("verify", "t.rvf", "--deep")[0]["ok"])
        (found,) = self.json("text", "search", "t.rvf", "okapi")
        self.assertIn("okapi", found["hits"][0]["text"])


if __name__ == "__main__":
    harness.main()
