"""The rvf command as seen from Python: vectors go in and out as .npy, metadata as jsonl.

Used by rvf_import.py and rvf_export.py. Needs numpy; everything else is the standard library.
"""
import base64
import datetime
import decimal
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import numpy as np

U64 = 1 << 64
I64 = 1 << 63
NPY_HEADER = 128
TYPES = ("string", "bytes", "i64", "u64", "f64", "bool", "enum", "timestamp", "list")


class Failure(Exception):
    """What the user did or has is wrong; the message says it, no traceback is needed."""


def need(module, package=None):
    """Imports a library that only one format needs."""
    try:
        return __import__(module, fromlist=["_"])
    except ImportError as e:
        raise Failure(f"this format needs the Python package '{package or module}' (pip install {package or module}): "
                      f"{e}") from None


class Rvf:
    """Runs the command; a failure becomes a Failure with what it said."""

    def __init__(self, path=None):
        self.path = path or os.environ.get("RVF") or shutil.which("rvf")
        if not self.path or not shutil.which(self.path):
            raise Failure("the rvf command was not found; name it with --rvf or the environment variable RVF")

    def __call__(self, *arguments):
        p = subprocess.run([self.path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if p.returncode != 0:
            raise Failure((p.stderr.strip() or p.stdout.strip() or f"rvf {arguments[0]} failed")
                          + f" (rvf {arguments[0]}: exit code {p.returncode})")
        return p.stdout

    def json(self, *arguments):
        """The last line of the output as JSON."""
        return json.loads(self(*arguments, "--json").strip().splitlines()[-1])


# ---- schemas: {name: {"type": ..., "index": [...]}}

def parse_schema(text):
    """name:type[:index...],... or JSON or a .json file, as --schema of rvf takes it."""
    text = text.strip()
    if text.startswith("@") or (text.endswith(".json") and not text.startswith("{")):
        text = pathlib.Path(text.removeprefix("@")).read_text(encoding="utf-8").strip()
    if text.startswith("{"):
        fields = json.loads(text)
        return {n: {"type": f} if isinstance(f, str) else dict(f) for n, f in fields.items()}
    fields = {}
    for entry in text.split(","):
        name, *rest = (part.strip() for part in entry.split(":"))
        if not name or not rest:
            raise Failure(f'schema: "{entry}": name:type is wanted, types are {" ".join(TYPES)}')
        fields[name] = {"type": rest[0], "index": rest[1:]} if rest[1:] else {"type": rest[0]}
    return fields


def store_schema(rvf, store):
    """The fields of a store, as parse_schema gives them."""
    fields = {}
    for f in rvf.json("schema", store)["fields"]:
        index = f.get("index") or []
        index = [index] if isinstance(index, str) else list(index)
        index = ["index" if i == "values" else i for i in index if i != "none"]
        fields[f["name"]] = {"type": f["type"], "index": index} if index else {"type": f["type"]}
    return fields


# ---- files

class NpyWriter:
    """Rows of one dtype and dimension, appended; the header is written when their number is known."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(b"\0" * NPY_HEADER)
        self.dtype = None
        self.dim = None
        self.rows = 0

    def append(self, array):
        if self.dtype is None:
            self.dtype, self.dim = array.dtype.newbyteorder("<"), array.shape[1]
        if array.shape[1] != self.dim:
            raise Failure(f"a vector has {array.shape[1]} dimensions, those before have {self.dim}")
        self.file.write(np.ascontiguousarray(array, dtype=self.dtype).tobytes())
        self.rows += len(array)

    def close(self):
        if self.dtype is not None:
            text = "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }" % (
                self.dtype.str, self.rows, self.dim)
            text = text.ljust(NPY_HEADER - 11) + "\n"
            self.file.seek(0)
            self.file.write(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
        self.file.close()


def working_folder(near):
    """A temporary folder beside a file: what goes through it may be too large for /tmp."""
    return tempfile.TemporaryDirectory(prefix=".rvf-", dir=pathlib.Path(near).absolute().parent)


# ---- values

class Cleaner:
    """Makes JSON values of what libraries hand over, and names that a store takes; counts what could not be kept."""

    def __init__(self, renames=None):
        self.names = dict(renames or {})
        self.taken = set(self.names.values())
        self.lost = {}

    def count(self, what, n=1):
        self.lost[what] = self.lost.get(what, 0) + n

    def name(self, name):
        new = self.names.get(name)
        if new is None:
            new = name = str(name)
            if name == "id" or (name.startswith("_") and name != "_expires") or not name:
                new = (name.lstrip("_") or "unnamed") + "_"
            while new != name and new in self.taken:
                new += "_"
            self.names[name] = new
            self.taken.add(new)
        return new

    def renamed(self):
        return {a: b for a, b in self.names.items() if a != b}

    def row(self, row):
        return {self.name(k): self.value(v) for k, v in row.items() if v is not None}

    def value(self, v):
        if v is None or isinstance(v, (str, bool)):
            return v
        if isinstance(v, np.generic):
            v = v.item()
        if isinstance(v, bool):
            return v
        if isinstance(v, int):
            if -I64 <= v < U64:
                return v
            self.count("whole numbers beyond 64 bits, kept as text")
            return str(v)
        if isinstance(v, float):
            if math.isfinite(v):
                return v
            self.count("NaN or infinite numbers, which became null")
            return None
        if isinstance(v, (list, tuple, set, np.ndarray)):
            return [self.value(x) for x in v]
        if isinstance(v, dict):
            return {str(k): self.value(x) for k, x in v.items()}
        if isinstance(v, datetime.datetime):
            return v.isoformat() if v.tzinfo is None else v.astimezone(datetime.timezone.utc).isoformat()
        if isinstance(v, (datetime.date, datetime.time)):
            return v.isoformat()
        if isinstance(v, (bytes, bytearray, memoryview)):
            return base64.b64encode(bytes(v)).decode()
        if not isinstance(v, (decimal.Decimal, uuid.UUID)):
            self.count(f"values of type {type(v).__name__}, kept as text")
        return str(v)


def as_rows(vectors, note):
    """Vectors as an array that rvf reads, with f64 rounded to f32."""
    array = np.asarray(vectors)
    if array.ndim != 2 or array.dtype == object:
        raise Failure("the vectors are not all of one dimension")
    if array.dtype in (np.float32, np.float16, np.int8, np.uint8):
        return array
    if array.dtype.kind not in "fiu":
        raise Failure(f"vectors of {array.dtype} cannot be stored")
    single = array.astype(np.float32)
    if not np.array_equal(single.astype(array.dtype), array):
        note("vectors rounded to f32", int((single != array).any(axis=1).sum()))
    return single


class Ingest:
    """Collects batches in files and gives them to `rvf ingest` in one go."""

    def __init__(self, rvf, store, folder, cleaner):
        self.rvf, self.store, self.cleaner = rvf, store, cleaner
        self.folder = pathlib.Path(folder)
        self.npy = NpyWriter(self.folder / "vectors.npy")
        self.rows_path = self.folder / "rows.jsonl"
        self.rows = open(self.rows_path, "wb")
        self.kinds = set()  # of ids: "none", "number", "text"
        self.any_row = False

    def add(self, vectors, ids=None, rows=None):
        vectors = as_rows(vectors, self.cleaner.count)
        n = len(vectors)
        if n == 0:
            return
        if (ids is not None and len(ids) != n) or (rows is not None and len(rows) != n):
            raise Failure(f"{n} vectors, but {len(ids or rows)} ids or rows of metadata")
        self.npy.append(vectors)
        lines = []
        for i in range(n):
            line = {}
            if ids is not None:
                line["id"] = self.identifier(ids[i])
            else:
                self.kinds.add("none")
            if rows is not None:
                row = self.cleaner.row(rows[i])
                self.any_row = self.any_row or bool(row)
                line.update(row)
            lines.append(json.dumps(line, ensure_ascii=False, allow_nan=False))
        self.rows.write(("\n".join(lines) + "\n").encode("utf-8", "replace"))

    def identifier(self, v):
        if isinstance(v, np.generic):
            v = v.item()
        if isinstance(v, int) and not isinstance(v, bool) and 0 <= v < U64:
            self.kinds.add("number")
            return v
        self.kinds.add("number" if isinstance(v, int) and v >= 0 else "text")
        if isinstance(v, float) or v is None or v == "":
            raise Failure(f"{v!r} is no id; ids are whole numbers or texts (choose another --id-column)")
        return str(v)

    def finish(self, metric, dtype, schema, extra=()):
        self.npy.close()
        self.rows.close()
        if self.npy.rows == 0:
            raise Failure("the source holds no vectors")
        if {"number", "text"} <= self.kinds:
            self.all_ids_to_text()
        arguments = ["ingest", self.store, self.folder / "vectors.npy", *extra]
        if metric:
            arguments += ["--metric", metric]
        if dtype:
            arguments += ["--dtype", dtype]
        with_ids = self.kinds != {"none"}
        if with_ids or self.any_row:
            arguments += ["--meta", self.rows_path]
        if with_ids:
            arguments += ["--id-column", "id"]
        if schema:
            path = self.folder / "schema.json"
            path.write_text(json.dumps(schema), encoding="utf-8")
            arguments += ["--schema", path]
        return self.rvf.json(*arguments)

    def all_ids_to_text(self):
        """Some ids are texts or negative: then all of them are texts."""
        self.cleaner.count("ids that are no whole number >= 0, so that all ids became text (lines)")
        new = self.folder / "rows2.jsonl"
        with open(self.rows_path, "rb") as old, open(new, "wb") as out:
            for line in old:
                out.write(re.sub(rb'^\{"id": (\d+)', rb'{"id": "\1"', line))
        os.replace(new, self.rows_path)


def main_wrapper(main):
    """Runs a program's main(); a Failure is one line on standard error and exit code 1."""
    try:
        sys.exit(main())
    except Failure as e:
        print(f"{pathlib.Path(sys.argv[0]).name}: {e}", file=sys.stderr)
    except BrokenPipeError:
        pass
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    sys.exit(1)
