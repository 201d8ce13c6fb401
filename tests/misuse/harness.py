"""What the misuse tests share: the rvf command in a folder of its own, and small input files.

Each *_test.py here is one kind of misuse: a table of inputs that must be answered rightly or refused, never
with lost data and exit code 0. Usage of each: NAME_test.py PATH_TO_RVF. Standard library only.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

RVF = None


class Misuse(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)

    def fresh(self):
        """Another empty folder, for one row of a table."""
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=self.dir))

    def rvf(self, *arguments, stdin=None):
        """The finished process, whatever its exit code; output as text, bytes that are no UTF-8 escaped."""
        return subprocess.run([RVF, *map(str, arguments)], cwd=self.dir, input=stdin, capture_output=True,
                              text=True, errors="backslashreplace", timeout=120)

    def ok(self, *arguments, stdin=None):
        p = self.rvf(*arguments, stdin=stdin)
        self.assertEqual(p.returncode, 0, f"rvf {arguments}\n{p.stdout}\n{p.stderr}")
        return p.stdout

    def refused(self, *arguments, code=1, says=(), stdin=None):
        """Ends with `code`, and its message holds each of the words `says`."""
        p = self.rvf(*arguments, stdin=stdin)
        self.assertEqual(p.returncode, code, f"rvf {arguments}\n{p.stdout}\n{p.stderr}")
        self.assertNotEqual(p.stderr.strip(), "", f"rvf {arguments} was refused without a word")
        for word in says:
            self.assertIn(word, p.stderr, f"rvf {arguments}")
        return p.stderr

    def json(self, *arguments):
        return [json.loads(line) for line in self.ok(*arguments, "--json").splitlines()]

    def count(self, store):
        return self.json("count", store)[0]["count"]

    def file(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def jsonl(self, name, rows):
        return self.file(name, "".join(json.dumps(row) + "\n" for row in rows))


def main():
    global RVF
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} PATH_TO_RVF")
    RVF = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(module="__main__")
