#!/usr/bin/env python3
"""Every form that a file may have is read whole, or refused; no form gives fewer rows and exit code 0."""
import json
import os
import struct
import subprocess
import threading
import zipfile

import harness


def npy(code, shape, raw, fortran=False, version=1):
    header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (code, fortran, shape)
    header += " " * (-(len(header) + 11) % 64) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode("utf-8") + raw


ROWS = [[1, 2], [3, 4], [5, 6]]
F4 = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


class Files(harness.Misuse):
    def vectors(self, store):
        return [json.loads(line)["vector"] for line in self.ok("export", store, "-").splitlines()]

    def reads(self, name, *options, rows=None, stdin=None):
        (self.dir / "s.rvf").unlink(missing_ok=True)
        self.ok("ingest", "s.rvf", name, "--create", "--quiet", *options, stdin=stdin)
        self.assertEqual(self.vectors("s.rvf"), ROWS if rows is None else rows)

    def never(self, name, *options, says=()):
        (self.dir / "s.rvf").unlink(missing_ok=True)
        self.refused("ingest", "s.rvf", name, "--create", "--quiet", *options, says=says)
        self.assertEqual(list(self.dir.glob("s.rvf*")), [])

    def test_csv_of_every_line_end_separator_and_quote(self):
        for name, content in {
                "cr": "v0,v1\r1,2\r3,4\r5,6\r", "cr without the last": "v0,v1\r1,2\r3,4\r5,6",
                "crlf": "v0,v1\r\n1,2\r\n3,4\r\n5,6\r\n", "mixed": "v0,v1\n1,2\r3,4\r\n5,6", "bom": "\ufeffv0,v1\n1,2\n3,4\n5,6\n",
                "no header": "1,2\n3,4\n5,6\n", "semicolons": "v0;v1\n1;2\n3;4\n5;6\n", "tabs": "v0\tv1\n1\t2\n3\t4\n5\t6\n",
                "empty lines": "\nv0,v1\n\n1,2\n\n\n3,4\n5,6\n\n", "quoted": '"v0","v1"\n"1","2"\n3,"4"\n5,6\n',
                "one column": 'id,vector\n1,"[1, 2]"\n2,"[3,4]"\n3,"[5 6]"\n', "one column and semicolons": "embedding\n[1;2]\n",
                "quoted line end": 'id,v0,v1,t\n1,1,2,"a\nb"\n2,3,4,"c\r\nd"\n3,5,6,"e,""f"\n',
                "more behind a quote": 'id\tv0\tv1\tt\n1\t1\t2\t"q" rest\n2\t3\t4\tx\n3\t5\t6\ty\n'}.items():
            with self.subTest(name):
                self.file("a.csv", content)
                if name == "one column and semicolons":
                    self.never("a.csv")
                else:
                    self.reads("a.csv")

    def test_csv_that_cannot_be_meant_is_refused_with_its_line(self):
        for content, says in (("v0,v1\n1,2\n3\n", "line 3"), ("v0,v1\n1,2\n3,4,5\n", "line 3"), ("v0,v0\n1,2\n", "two columns"),
                              ("v0,v1\n", "no rows"), ("v0;v1\n1,5;2,5\n", "decimal comma"), ("a,1,2\nb,3,4\n", "line 1"),
                              ('v0,v1\n1,"2\n3,4\n', "line 2"), ("v0,v1\n1,nan\n", "line 2"), ("v0,v1\n1,\n", "line 2"),
                              ('vector,embedding\n"[1]","[2]"\n', "--vector-field"), ("", "empty"), ("\n\n", "blanks"),
                              ("id,name\n1,x\n", "0 columns")):
            with self.subTest(content=content):
                self.never(self.file("a.csv", content), says=[says])

    def test_json_in_lines_in_one_array_and_over_several_lines(self):
        objects = [json.dumps({"id": i, "vector": r}) for i, r in enumerate(ROWS)]
        for name, content in {"lines": "\n".join(objects), "crlf": "\r\n".join(objects) + "\r\n", "cr": "\r".join(objects),
                              "blank lines": "\n\n".join(objects) + "\n\n", "bom": "\ufeff" + "\n".join(objects),
                              "array": "[" + ",".join(objects) + "]", "array of arrays": json.dumps(ROWS),
                              "bare": "\n".join(map(str, ROWS)),
                              "pretty": json.dumps([json.loads(o) for o in objects], indent=2),
                              "pretty objects": "\n".join(json.dumps(json.loads(o), indent=1) for o in objects)}.items():
            with self.subTest(name):
                self.reads(self.file("a.jsonl", content))
        for content in ("[" + ",".join(objects), "[" + ",".join(objects) + ",]", ",\n".join(objects), "[" + " ".join(objects) + "]",
                        "\n".join(objects) + '\n{"id":9,"vec', '{"vector":[1,NaN]}', '{"vector":[1,2],"vector":[3,4]}',
                        '{"id":1,"id":2,"vector":[1]}', '{"vector":[1],"n":1,"n":2}', '{"vector":[1],"a.b":1,"a":{"b":2}}',
                        '{"vector":[1],"n":null,"n":2}', '{"vector":[1,2],"embedding":[3,4]}', '{"embedding":[3],"vector":[1]}',
                        '{"vector":[1]}\x00{"vector":[2]}', "[]", '{"vector":[1],"vector ":[2],"_x":1}',
                        '{"vector":[1],"embedding":"x"}', "[" + ",".join(objects) + "] {}"):
            with self.subTest(content=content):
                self.never(self.file("a.jsonl", content))

    def test_the_vector_can_be_chosen_whatever_the_order_of_the_keys(self):
        for content in ('{"id":1,"other":[1,0],"embedding":[0,1]}', '{"embedding":[0,1],"other":[1,0],"id":1}',
                        '{"embedding":[0,1],"values":[1,0]}'):
            with self.subTest(content=content):
                self.reads(self.file("a.jsonl", content), "--vector-field", "embedding", rows=[[0, 1]])

    def test_names_of_the_vector_and_the_id_are_no_fields(self):
        self.file("a.jsonl", '{"id":1,"vector":[1,2],"n":1}\n')
        self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
        before = self.ok("export", "s.rvf", "-")
        for name in ("vector", "embedding", "_key", "_anything"):
            for value in ("[9,9]", '"x"', "null", "7"):
                with self.subTest(name=name, value=value):
                    self.file("u.jsonl", f'{{"id":1,"{name}":{value}}}\n')
                    self.refused("update", "s.rvf", "--meta", "u.jsonl", says=[name])
        self.refused("schema", "s.rvf", "--set", "vector:string", says=["vector"])
        self.assertEqual(self.ok("export", "s.rvf", "-"), before)

    def test_npy_of_every_kind(self):
        for name, content in {
                "fortran": npy("<f4", "(3, 2)", struct.pack("<6f", 1, 3, 5, 2, 4, 6), fortran=True),
                "fortran of doubles": npy(">f8", "(3, 2)", struct.pack(">6d", 1, 3, 5, 2, 4, 6), fortran=True),
                "big endian": npy(">f4", "(3, 2)", struct.pack(">6f", 1, 2, 3, 4, 5, 6)),
                "doubles": npy("<f8", "(3, 2)", struct.pack("<6d", 1, 2, 3, 4, 5, 6)),
                "i8": npy("<i8", "(3, 2)", struct.pack("<6q", 1, 2, 3, 4, 5, 6)),
                "version 2": npy("<f4", "(3, 2)", F4, version=2), "version 3": npy("<f4", "(3, 2)", F4, version=3)}.items():
            with self.subTest(name):
                self.reads(self.file("a.npy", content))
        self.reads(self.file("b.npy", npy("|b1", "(2, 2)", b"\1\0\0\1")), rows=[[1, 0], [0, 1]])
        self.reads(self.file("z.npy", npy("<f4", "(0, 2)", b"")), rows=[])
        for content in (npy("<f4", "(6,)", F4), npy("<f4", "(1, 3, 2)", F4), npy("|O", "(3, 2)", bytes(48)),
                        npy("<c8", "(3, 1)", F4), npy("<f4", "(3, 2)", F4[:-1]), npy("<f4", "(3, 2)", F4 + b"x"),
                        npy("<f4", "(99999999999, 2)", F4, fortran=True), npy("<i8", "(1, 1)", struct.pack("<q", 2**53 + 1))):
            self.never(self.file("a.npy", content))

    def test_npz_stored_and_deflated_and_damaged(self):
        vectors = npy("<f4", "(3, 2)", F4)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            for force in (False, True):
                with zipfile.ZipFile(self.dir / "a.npz", "w", method) as z:
                    for name, content in (("x.npy", vectors), ("ids.npy", npy("<i8", "(3,)", struct.pack("<3q", 7, 8, 9)))):
                        with z.open(name, "w", force_zip64=force) as f:
                            f.write(content)
                self.reads("a.npz:x", "--ids", "a.npz:ids")
                self.assertEqual(self.json("get", "s.rvf", 8)[0]["vector"], [3, 4])
                self.never("a.npz", says=["x, ids"])
                self.never("a.npz:y", says=["x, ids"])
                whole = (self.dir / "a.npz").read_bytes()
                for at in range(0, len(whole), 7):
                    self.file("d.npz", whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
                    p = self.rvf("ingest", "s.rvf", "d.npz:x", "--create", "--quiet")
                    self.assertIn(p.returncode, (0, 1), p.stderr)
                    if p.returncode == 0:
                        self.assertEqual(self.vectors("s.rvf"), ROWS, f"byte {at}")
                        (self.dir / "s.rvf").unlink()
                self.file("d.npz", whole[:-9])
                self.never("d.npz:x")

    def test_pipes_fifos_and_standard_input_are_files_too(self):
        content = "".join(json.dumps({"id": i, "vector": r}) + "\n" for i, r in enumerate(ROWS))
        for name in ("-", "/dev/stdin", "/proc/self/fd/0"):
            self.reads(name, stdin=content)
        os.mkfifo(self.dir / "fifo")
        writer = threading.Thread(target=lambda: (self.dir / "fifo").write_text(content))
        writer.start()
        self.reads("fifo")
        writer.join()
        self.refused("ingest", "s.rvf", "-", "--meta", "-", stdin=content, says=["twice"])
        self.ok("export", "s.rvf", "v.npy", "--meta", "m.jsonl")
        self.reads("v.npy", "--meta", "-", stdin=(self.dir / "m.jsonl").read_text())
        self.assertEqual(len(self.ok("query", "s.rvf", "--queries", "-", "--json", stdin=content).splitlines()), 3)
        self.file("n.csv", "id,v0\n1,1\n2,2\n")
        self.file("n.jsonl", '{"id":1,"n":5}\n')
        self.ok("ingest", "n.rvf", "n.csv", "--meta", "n.jsonl", "--create", "--quiet")
        self.file("f.txt", "n > 3\n")
        for command in (["count"], ["scan"], ["query", "--vector", "1"], ["export", "-"]):
            for source, given in (("f.txt", None), ("-", "n > 3")):
                out = self.ok(command[0], "n.rvf", *command[1:], "--filter-file", source, stdin=given)
                self.assertIn("1", out)
        self.refused("count", "n.rvf", "--filter-file", self.file("blank", " \n"), says=["empty"])
        self.refused("count", "n.rvf", "--filter", "n=1", "--filter-file", "f.txt")

    def test_an_export_goes_through_a_pipe_into_another_store(self):
        self.reads(self.file("a.csv", "1,2\n3,4\n5,6\n"))
        for form in ("jsonl", "npy", "fvecs"):
            (self.dir / "t.rvf").unlink(missing_ok=True)
            out = subprocess.run([harness.RVF, "export", "s.rvf", "-", "--format", form], cwd=self.dir, capture_output=True,
                                 check=True).stdout
            subprocess.run([harness.RVF, "ingest", "t.rvf", "-", "--create", "--quiet"], cwd=self.dir, input=out, check=True,
                           capture_output=True)
            self.assertEqual(self.vectors("t.rvf"), ROWS)

    def test_a_reader_that_goes_away_ends_the_command_with_a_word_and_no_signal(self):
        self.file("a.csv", "".join(f"{i},{i}\n" for i in range(60000)))
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet", "--no-index")
        for command in (["export", "s.rvf", "-"], ["scan", "s.rvf", "--limit", "60000", "--json"]):
            with self.subTest(command[0]):
                p = subprocess.Popen([harness.RVF, *command], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                p.stdout.read(10)
                p.stdout.close()
                message = p.stderr.read()
                p.stderr.close()
                self.assertEqual(p.wait(), 4, message)
                self.assertIn(b"Broken pipe", message)


if __name__ == "__main__":
    harness.main()
