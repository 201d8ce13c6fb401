#!/usr/bin/env python3
"""Makes a small source of every format with its own library, imports it, and compares what the store holds: vectors bit
by bit, ids, every field, metric. Then the store goes to Parquet and back: the copy must be equal.

Usage: RVF=path/to/rvf test_importers.py [Class[.test]]...   run.sh runs each class in a process of its own.
"""
import datetime
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
RVF = os.environ.get("RVF") or shutil.which("rvf")
N, DIM = 60, 8
LANGS = ["de", "en", "fr"]


def needs(*modules):
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def vectors(seed=1, n=N, dtype=np.float32):
    rng = np.random.default_rng(seed)
    if dtype in (np.int8, np.uint8):
        return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (n, DIM), dtype, endpoint=True)
    v = rng.standard_normal((n, DIM)).astype(dtype)
    v[0, :2] = [np.finfo(dtype).tiny, -0.0]
    return v


def rows(n=N):
    """Metadata of the kinds that every source can hold."""
    return [{"lang": LANGS[i % 3], "year": 1990 + i, "price": i + 0.5, "note": f'"{i}"\n\u00e4\u4e2d'} for i in range(n)]


class Importers(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.store = self.dir / "store.rvf"

    def tool(self, name, *arguments, code=0):
        p = subprocess.run([sys.executable, TOOLS / name, *map(str, arguments), "--rvf", RVF], capture_output=True, text=True)
        self.assertEqual(p.returncode, code, f"{name} {arguments}\n{p.stdout}\n{p.stderr}")
        return p

    def bring(self, *arguments, code=0):
        form, *rest = arguments
        return self.tool("rvf_import.py", form, self.store, *rest, code=code)

    def rvf(self, *arguments):
        p = subprocess.run([RVF, *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(p.returncode, 0, f"rvf {arguments}\n{p.stdout}\n{p.stderr}")
        return p.stdout

    def content(self, store):
        """{id: (vector, row)} of a store."""
        npy, jsonl = self.dir / "content.npy", self.dir / "content.jsonl"
        for path in (npy, jsonl):
            path.unlink(missing_ok=True)
        self.rvf("export", store, npy, "--meta", jsonl)
        array = np.load(npy)
        lines = [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(len(array), len(lines))
        return {r.pop("id"): (v, r) for v, r in zip(array, lines)}

    def schema(self, store):
        fields = json.loads(self.rvf("schema", store, "--json"))["fields"]
        return {f["name"]: f["type"] for f in fields}

    def status(self, store):
        return json.loads(self.rvf("status", store, "--json").splitlines()[-1])

    def check(self, ids, array, metadata=None, metric="l2", schema=None, dtype="f32"):
        have = self.content(self.store)
        self.assertEqual(sorted(have, key=str), sorted(ids, key=str))
        for key, vector, row in zip(ids, array, metadata or [{}] * len(ids)):
            self.assertEqual(have[key][0].dtype, vector.dtype)
            self.assertEqual(have[key][0].tobytes(), vector.tobytes(), f"vector of {key}")
            self.assertEqual(have[key][1], {k: v for k, v in row.items() if v is not None}, f"fields of {key}")
        status = self.status(self.store)
        self.assertEqual((status["metric"], status["dtype"]), (metric, dtype))
        if schema is not None:
            self.assertEqual(self.schema(self.store), schema)
        got = json.loads(self.rvf("get", self.store, ids[-1], "--json").splitlines()[-1])
        self.assertEqual(np.array(got["vector"], np.float32).tobytes(), array[-1].astype(np.float32).tobytes())
        self.check_parquet_round_trip(have)

    def check_parquet_round_trip(self, have):
        if importlib.util.find_spec("pyarrow") is None:
            return
        out, copy = self.dir / "copy.parquet", self.dir / "copy.rvf"
        for path in (out, copy):
            path.unlink(missing_ok=True)
        self.tool("rvf_export.py", "parquet", self.store, out)
        self.tool("rvf_import.py", "parquet", copy, out)
        there = self.content(copy)
        self.assertEqual(list(there), list(have))
        for key, (vector, row) in have.items():
            self.assertEqual((there[key][0].tobytes(), there[key][1]), (vector.tobytes(), row))
        self.assertEqual(self.schema(copy), self.schema(self.store))
        for field in ("metric", "dtype", "dim", "vectors"):
            self.assertEqual(self.status(copy)[field], self.status(self.store)[field])
        again = self.dir / "again.parquet"
        self.tool("rvf_export.py", "parquet", copy, again)
        self.assertEqual(again.read_bytes(), out.read_bytes())


@needs("chromadb")
class Chroma(Importers):
    def make(self, space, metadata):
        import chromadb
        from chromadb.config import Settings
        client = chromadb.PersistentClient(str(self.dir / "chroma"), settings=Settings(anonymized_telemetry=False))
        return client.create_collection("docs", configuration={"hnsw": {"space": space}}, embedding_function=None), metadata

    def test_collections_of_every_space_come_over_exactly(self):
        for space in ("l2", "ip", "cosine"):
            with self.subTest(space):
                shutil.rmtree(self.dir / "chroma", ignore_errors=True)
                self.store.unlink(missing_ok=True)
                ids = [f"doc-{i}" for i in range(N)]
                metadata = [r | {"open": i % 2 == 0} for i, r in enumerate(rows())]
                documents = [f"text {i}" if i % 5 else None for i in range(N)]
                make = (f"import chromadb, numpy as np, json, sys\n"
                        f"from chromadb.config import Settings\n"
                        f"c = chromadb.PersistentClient({str(self.dir / 'chroma')!r}, "
                        f"settings=Settings(anonymized_telemetry=False))\n"
                        f"d = json.load(sys.stdin)\n"
                        f"k = c.create_collection('docs', configuration={{'hnsw': {{'space': {space!r}}}}}, "
                        f"embedding_function=None)\n"
                        f"k.add(ids=d['ids'], embeddings=np.load({str(self.dir / 'v.npy')!r}), metadatas=d['rows'], "
                        f"documents=d['documents'])\n")
                np.save(self.dir / "v.npy", vectors())
                p = subprocess.run([sys.executable, "-c", make], capture_output=True, text=True,
                                   input=json.dumps({"ids": ids, "rows": metadata, "documents": documents}))
                self.assertEqual(p.returncode, 0, p.stderr)
                self.bring("chroma", self.dir / "chroma", "docs", "--batch", 25)
                self.check(ids, vectors(), [r | {"document": d} for r, d in zip(metadata, documents)], metric=space)

    def test_a_wrong_name_lists_the_collections(self):
        self.make("l2", None)
        p = self.bring("chroma", self.dir / "chroma", "nothing", code=1)
        self.assertIn("no collection 'nothing'; there are: docs", p.stderr)
        p = self.bring("chroma", self.dir, "docs", code=1)
        self.assertIn("holds no Chroma database", p.stderr)


@needs("lancedb", "pyarrow")
class LanceDb(Importers):
    def make(self, n=N):
        import lancedb
        import pyarrow as pa
        flat = pa.array(vectors(n=n).ravel())
        when = [datetime.datetime(2024, 1, 1, 0, 0, i % 60, 250000) for i in range(n)]
        table = pa.table({"id": pa.array([f"k{i}" for i in range(n)]),
                          "vector": pa.FixedSizeListArray.from_arrays(flat, DIM),
                          **{k: [r[k] for r in rows(n)] for k in rows(1)[0]},
                          "when": pa.array(when, pa.timestamp("us")),
                          "tags": pa.array([["a", "b"][:i % 3] for i in range(n)]),
                          "open": pa.array([None if i % 4 == 0 else i % 2 == 0 for i in range(n)])})
        return lancedb.connect(str(self.dir / "lance")).create_table("docs", table)

    def expected(self, n=N):
        return [r | {"when": f"2024-01-01T00:00:{i % 60:02}.25Z", "tags": ["a", "b"][:i % 3],
                     "open": None if i % 4 == 0 else i % 2 == 0} for i, r in enumerate(rows(n))]

    def test_a_table_comes_over_with_its_types(self):
        self.make()
        self.bring("lancedb", self.dir / "lance", "docs", "--batch", 25)
        self.check([f"k{i}" for i in range(N)], vectors(), self.expected(),
                   schema={"lang": "string", "year": "i64", "price": "f64", "note": "string", "when": "timestamp",
                           "tags": "list", "open": "bool"})

    def test_the_metric_is_that_of_the_index(self):
        self.make(300).create_index(metric="cosine", index_type="IVF_FLAT", num_partitions=1, vector_column_name="vector")
        self.bring("lancedb", self.dir / "lance", "docs")
        self.check([f"k{i}" for i in range(300)], vectors(n=300), self.expected(300), metric="cosine")

    def test_a_wrong_name_lists_the_tables(self):
        self.make()
        self.assertIn("no table 'x'; there are: docs", self.bring("lancedb", self.dir / "lance", "x", code=1).stderr)


@needs("faiss")
class Faiss(Importers):
    def save(self, index):
        import faiss
        faiss.write_index(index, str(self.dir / "index.faiss"))
        self.store.unlink(missing_ok=True)
        return self.dir / "index.faiss"

    def test_flat_and_hnsw_count_from_zero(self):
        import faiss
        for index, metric in ((faiss.IndexFlatL2(DIM), "l2"), (faiss.IndexFlatIP(DIM), "ip"),
                              (faiss.IndexHNSWFlat(DIM, 8), "l2"),
                              (faiss.IndexHNSWFlat(DIM, 8, faiss.METRIC_INNER_PRODUCT), "ip")):
            index.add(vectors())
            self.bring("faiss", self.save(index), "--batch", 25)
            self.check(list(range(N)), vectors(), metric=metric)

    def test_maps_and_lists_keep_their_ids(self):
        import faiss
        ids = np.arange(N) * 7 + 1000
        ivf = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIM), DIM, 3)
        ivf.train(vectors())
        for index, metric in ((faiss.IndexIDMap(faiss.IndexFlatL2(DIM)), "l2"),
                              (faiss.IndexIDMap2(faiss.IndexFlatIP(DIM)), "ip"),
                              (faiss.IndexIDMap2(faiss.IndexHNSWFlat(DIM, 8)), "l2"), (ivf, "l2")):
            index.add_with_ids(vectors(), ids)
            index.remove_ids(ids[:3]) if index is ivf else None
            kept = 3 if index is ivf else 0
            self.bring("faiss", self.save(index), "--batch", 25)
            self.check(ids[kept:].tolist(), vectors()[kept:], metric=metric)

    def test_negative_ids_make_all_ids_texts(self):
        import faiss
        index = faiss.IndexIDMap(faiss.IndexFlatL2(DIM))
        index.add_with_ids(vectors(n=3), np.array([-1, 2, 3]))
        p = self.bring("faiss", self.save(index))
        self.assertIn("all ids became text", p.stderr)
        self.check(["-1", "2", "3"], vectors(n=3))

    def test_an_index_that_lost_its_vectors_is_refused(self):
        import faiss
        index = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_8bit)
        index.train(vectors())
        index.add(vectors())
        p = self.bring("faiss", self.save(index), code=1)
        self.assertIn("cannot be taken out of a IndexScalarQuantizer", p.stderr)
        (self.dir / "none").write_bytes(b"nothing of the kind")
        self.assertIn("none: ", self.bring("faiss", self.dir / "none", code=1).stderr)


@needs("hnswlib")
class Hnswlib(Importers):
    def test_labels_are_ids_and_deleted_elements_stay_behind(self):
        import hnswlib
        for space in ("l2", "ip", "cosine"):
            index = hnswlib.Index(space, DIM)
            index.init_index(N)
            labels = np.arange(N) * 3 + 5
            index.add_items(vectors(), labels)
            kept = np.sort(labels)
            array = np.asarray(index.get_items(kept.tolist()), np.float32)  # cosine: normalised
            if space != "cosine":
                self.assertEqual(array.tobytes(), vectors().tobytes())
            index.mark_deleted(int(labels[4]))
            index.save_index(str(self.dir / "index.bin"))
            self.store.unlink(missing_ok=True)
            p = self.bring("hnswlib", self.dir / "index.bin", "--metric", space, "--batch", 25)
            self.assertIn("1 deleted elements left out", p.stderr)
            left = [i for i in range(N) if i != 4]
            self.check(kept[left].tolist(), array[left], metric=space)

    def test_without_a_metric_it_says_what_it_took(self):
        import hnswlib
        index = hnswlib.Index("l2", DIM)
        index.init_index(N)
        index.add_items(vectors())
        index.save_index(str(self.dir / "index.bin"))
        self.assertIn("l2 was taken", self.bring("hnswlib", self.dir / "index.bin").stderr)
        self.store.unlink()
        (self.dir / "none").write_bytes(b"x" * 100)
        self.assertIn("is no hnswlib index", self.bring("hnswlib", self.dir / "none", code=1).stderr)


@needs("usearch")
class Usearch(Importers):
    def test_every_metric_and_element_comes_over(self):
        from usearch.index import Index
        for metric, name in (("l2sq", "l2"), ("cos", "cosine"), ("ip", "ip")):
            for element, dtype, stored in (("f32", np.float32, "f32"), ("f16", np.float16, "f16"), ("i8", np.int8, "i8")):
                with self.subTest(metric=metric, element=element):
                    index = Index(ndim=DIM, metric=metric, dtype=element)
                    keys = np.arange(N, dtype=np.uint64) * 2 + (1 << 40)
                    index.add(keys, vectors(dtype=dtype))
                    index.save(str(self.dir / "index.usearch"))
                    self.store.unlink(missing_ok=True)
                    self.bring("usearch", self.dir / "index.usearch", "--batch", 25)
                    self.check(keys.tolist(), vectors(dtype=dtype), metric=name, dtype=stored)

    def test_bf16_stays_what_it_is(self):
        from usearch.index import Index
        index = Index(ndim=DIM, metric="cos", dtype="bf16")
        index.add(np.arange(N, dtype=np.uint64), vectors())
        index.save(str(self.dir / "index.usearch"))
        array = np.stack([np.asarray(v, np.float32) for v in index.get(np.arange(N, dtype=np.uint64))])
        self.bring("usearch", self.dir / "index.usearch")
        self.check(list(range(N)), array, metric="cosine", dtype="bf16")

    def test_f64_becomes_f32_and_is_counted(self):
        from usearch.index import Index
        index = Index(ndim=DIM, metric="l2sq", dtype="f64")
        array = vectors().astype(np.float64) + 1e-12
        index.add(np.arange(N, dtype=np.uint64), array)
        index.save(str(self.dir / "index.usearch"))
        p = self.bring("usearch", self.dir / "index.usearch")
        self.assertIn("vectors rounded to f32", p.stderr)
        self.check(list(range(N)), array.astype(np.float32))

    def test_another_file_is_refused(self):
        (self.dir / "none").write_bytes(b"x" * 100)
        self.assertIn("none", self.bring("usearch", self.dir / "none", code=1).stderr)


def sqlite():
    """A sqlite3 that can load extensions, or None."""
    import sqlite3
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return sqlite3
    try:
        import pysqlite3
        return pysqlite3
    except ImportError:
        return None


@needs("sqlite_vec")
@unittest.skipUnless(sqlite(), "this Python's sqlite3 loads no extensions, and pysqlite3-binary is not installed")
class SqliteVec(Importers):
    def open(self):
        import sqlite_vec
        connection = sqlite().connect(str(self.dir / "docs.db"))
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        return connection

    def test_a_vec0_table_comes_over_with_its_columns(self):
        db = self.open()
        db.execute(f"create virtual table docs using vec0(doc_id integer primary key, emb float[{DIM}] "
                   "distance_metric=cosine, lang text partition key, year integer, price float, open boolean, +note text)")
        for i, (v, r) in enumerate(zip(vectors(), rows())):
            db.execute("insert into docs(doc_id, emb, lang, year, price, open, note) values(?, ?, ?, ?, ?, ?, ?)",
                       [i * 2 + 1, v.tobytes(), r["lang"], r["year"], r["price"], i % 2, r["note"]])
        db.commit()
        db.close()
        self.bring("sqlite-vec", self.dir / "docs.db", "docs", "--batch", 25)
        self.check([i * 2 + 1 for i in range(N)], vectors(), [r | {"open": i % 2 == 1} for i, r in enumerate(rows())],
                   metric="cosine",
                   schema={"lang": "string", "year": "i64", "price": "f64", "open": "bool", "note": "string"})

    def test_text_keys_and_int8_vectors_come_over(self):
        db = self.open()
        db.execute(f"create virtual table docs using vec0(key text primary key, emb int8[{DIM}])")
        array = vectors(dtype=np.int8)
        for i, v in enumerate(array):
            db.execute("insert into docs(key, emb) values(?, vec_int8(?))", [f"k{i}", v.tobytes()])
        db.commit()
        db.close()
        self.bring("sqlite-vec", self.dir / "docs.db", "docs")
        self.check([f"k{i}" for i in range(N)], array, dtype="i8")

    def test_a_query_joins_vectors_and_texts(self):
        db = self.open()
        db.execute(f"create virtual table v using vec0(emb float[{DIM}])")
        db.execute("create table docs(id integer primary key, lang text, year int, price real, note text, _hidden int)")
        for i, (v, r) in enumerate(zip(vectors(), rows())):
            db.execute("insert into docs values(?, ?, ?, ?, ?, ?)", [i + 1, *r.values(), i])
            db.execute("insert into v(rowid, emb) values(?, ?)", [i + 1, v.tobytes()])
        db.commit()
        db.close()
        self.bring("sqlite-vec", self.dir / "docs.db", "v", "--sql",
                   "select d.*, v.emb from v join docs d on d.id = v.rowid", "--id-column", "id", "--metric", "ip")
        self.check([i + 1 for i in range(N)], vectors(), [r | {"hidden_": i} for i, r in enumerate(rows())], metric="ip")

    def test_an_ordinary_table_needs_the_name_of_its_vectors(self):
        db = self.open()
        db.execute("create table docs(id text primary key, emb, year int)")
        for i, v in enumerate(vectors()):
            db.execute("insert into docs values(?, ?, ?)",
                       [f"k{i}", v.tobytes() if i % 2 else json.dumps([float(x) for x in v]), i])
        db.execute("insert into docs values('none', null, 0)")
        db.commit()
        db.close()
        self.assertIn("--vector-column", self.bring("sqlite-vec", self.dir / "docs.db", "docs", code=1).stderr)
        p = self.bring("sqlite-vec", self.dir / "docs.db", "docs", "--vector-column", "emb", "--id-column", "id")
        self.assertIn("1 rows without a vector left out", p.stderr)
        self.check([f"k{i}" for i in range(N)], vectors(), [{"year": i} for i in range(N)])
        self.store.unlink()
        self.assertIn("no table 'x'; there are: docs", self.bring("sqlite-vec", self.dir / "docs.db", "x", code=1).stderr)


@needs("qdrant_client")
class Qdrant(Importers):
    def make(self, ids, named=False):
        from qdrant_client import QdrantClient, models
        client = QdrantClient(":memory:")
        size = models.VectorParams(size=DIM, distance=models.Distance.DOT)
        client.create_collection("docs", vectors_config={"a": size, "b": size} if named else size)
        points = []
        for i, (v, r) in enumerate(zip(vectors(), rows())):
            vector = v.tolist()
            payload = r | {"tags": ["x", "y"][:i % 3], "author": {"name": f"n{i}", "born": 1900 + i}, "n": [1, 2.5]}
            points.append(models.PointStruct(id=ids[i], payload=payload,
                                             vector={"a": [0.0] * DIM, "b": vector} if named else vector))
        client.upsert("docs", points)
        answers, offset = [], None
        while True:
            got, offset = client.scroll("docs", limit=25, offset=offset, with_vectors=True)
            answers.append({"result": {"points": [json.loads(p.model_dump_json()) for p in got],
                                       "next_page_offset": offset}, "status": "ok", "time": 0.1})
            if offset is None:
                return answers

    def expected(self):
        return [r | {"tags": ["x", "y"][:i % 3], "author.name": f"n{i}", "author.born": 1900 + i, "n": "[1,2.5]"}
                for i, r in enumerate(rows())]

    def test_answers_of_scroll_a_line_each_come_over(self):
        path = self.dir / "points.jsonl"
        path.write_text("".join(json.dumps(a) + "\n" for a in self.make(list(range(100, 100 + N)))))
        self.bring("qdrant", path, "--metric", "ip", "--batch", 25)
        self.check(list(range(100, 100 + N)), vectors(), self.expected(), metric="ip")

    def test_a_list_of_points_with_names_and_uuids_comes_over(self):
        import uuid
        ids = [str(uuid.UUID(int=i)) if i % 2 else i for i in range(N)]
        points = [p for a in self.make(ids, named=True) for p in a["result"]["points"]]
        path = self.dir / "points.json"
        path.write_text(json.dumps(points, indent=2))
        self.assertIn("choose with --vector-name", self.bring("qdrant", path, code=1).stderr)
        p = self.bring("qdrant", path, "--vector-name", "b")
        self.assertIn("l2 was taken", p.stderr)
        self.check([str(i) for i in ids], vectors(), self.expected())


@needs("pyarrow")
class Parquet(Importers):
    def write(self, columns, name="t.parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq
        pq.write_table(pa.table(columns), self.dir / name)
        return self.dir / name

    def test_every_type_comes_over(self):
        import decimal
        import pyarrow as pa
        array = vectors(n=3)
        path = self.write({
            "id": pa.array([7, 1 << 63, 9], pa.uint64()),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), DIM),
            "i8": pa.array([-128, None, 127], pa.int8()),
            "i64": pa.array([-(1 << 63), (1 << 63) - 1, None]),
            "u64": pa.array([0, (1 << 64) - 1, None], pa.uint64()),
            "f32": pa.array([0.1, None, 3e38], pa.float32()),
            "f64": pa.array([0.1, 5e-324, float("nan")]),
            "bool": [True, None, False],
            "text": ["", None, "ä\0b"],
            "big": pa.array(["x", None, "y"], pa.large_string()),
            "kind": pa.array(["a", None, "a"]).dictionary_encode(),
            "ns": pa.array([1, -1, None], pa.timestamp("ns")),
            "us": pa.array([1, None, 2], pa.timestamp("us", "Europe/Berlin")),
            "day": pa.array([0, None, 19844], pa.date32()),
            "raw": [b"\xff\x00", None, b""],
            "tags": pa.array([["a", "b"], [], None]),
            "holes": pa.array([["a", None], None, None]),
            "numbers": pa.array([[1, 2], None, []]),
            "price": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-2.00")]),
            "who": pa.array([{"name": "x", "born": 1900}, None, {"name": "y", "born": None}]),
            "nothing": pa.nulls(3),
        })
        p = self.bring("parquet", path)
        self.assertIn("1 NaN", p.stderr)
        self.assertIn("1 rows with a null in a list", p.stderr)
        third = float(np.float32(3e38))
        self.check([7, 1 << 63, 9], array, [
            {"i8": -128, "i64": -(1 << 63), "u64": 0, "f32": float(np.float32(0.1)), "f64": 0.1, "bool": True, "text": "",
             "big": "x", "kind": "a", "ns": "1970-01-01T00:00:00.000000001Z", "us": "1970-01-01T00:00:00.000001Z",
             "day": "1970-01-01T00:00:00Z", "raw": "/wA=", "tags": ["a", "b"], "holes": ["a"], "numbers": "[1, 2]",
             "price": "1.50", "who.name": "x", "who.born": 1900},
            {"i64": (1 << 63) - 1, "u64": (1 << 64) - 1, "f64": 5e-324, "ns": "1969-12-31T23:59:59.999999999Z", "tags": []},
            {"i8": 127, "f32": third, "bool": False, "text": "ä\0b", "big": "y", "kind": "a",
             "us": "1970-01-01T00:00:00.000002Z", "day": "2024-05-01T00:00:00Z", "raw": "", "numbers": "[]",
             "price": "-2.00", "who.name": "y"}])
        types = self.schema(self.store)
        self.assertEqual([types[n] for n in ("i8", "u64", "f32", "kind", "ns", "day", "raw", "tags", "numbers", "who.name")],
                         ["i64", "u64", "f64", "enum", "timestamp", "timestamp", "bytes", "list", "string", "string"])

    def test_vectors_of_every_element_come_over(self):
        import pyarrow as pa
        for dtype, stored in ((np.float16, "f16"), (np.float32, "f32"), (np.int8, "i8"), (np.uint8, "u8")):
            array = vectors(dtype=dtype)
            path = self.write({"vector": pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), DIM)})
            self.store.unlink(missing_ok=True)
            self.bring("parquet", path, "--metric", "ip", "--batch", 25)
            self.check(list(range(N)), array, metric="ip", dtype=stored)
        lists = self.write({"embedding": pa.array(vectors().tolist(), pa.list_(pa.float32())),
                            "other": pa.array([[1.0]] * N), "id": [f"k{i}" for i in range(N)]})
        self.store.unlink()
        self.bring("parquet", lists)
        self.check([f"k{i}" for i in range(N)], vectors(), [{"other": "[1.0]"}] * N)

    def test_other_exports_hold_what_their_format_can(self):
        import pyarrow as pa
        ids = [f"k{i}" for i in range(N)]
        path = self.write({"vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors().ravel()), DIM), "id": ids,
                           **{k: [r[k] for r in rows()] for k in rows(1)[0]}})
        self.bring("parquet", path)
        jsonl, copy = self.dir / "out.jsonl", self.dir / "out.rvf"
        self.tool("rvf_export.py", "jsonl", self.store, jsonl)
        self.rvf("ingest", copy, jsonl, "--create", "--metric", "l2")
        there, here = self.content(copy), self.content(self.store)
        self.assertEqual({k: (v.tobytes(), r) for k, (v, r) in there.items()},
                         {k: (v.tobytes(), r) for k, (v, r) in here.items()})
        npy, meta, fvecs = self.dir / "out.npy", self.dir / "meta.jsonl", self.dir / "out.fvecs"
        self.tool("rvf_export.py", "npy", self.store, npy, "--meta", meta)
        self.assertEqual(np.load(npy).tobytes(), vectors().tobytes())
        self.assertEqual([json.loads(line) for line in meta.read_text(encoding="utf-8").splitlines()],
                         [{"id": k} | r for k, r in zip(ids, rows())])
        self.tool("rvf_export.py", "fvecs", self.store, fvecs)
        self.assertEqual(np.fromfile(fvecs, "<f4").reshape(N, DIM + 1)[:, 1:].tobytes(), vectors().tobytes())
        self.assertIn("must end with .npy", self.tool("rvf_export.py", "npy", self.store, fvecs, code=1).stderr)

    def test_given_types_names_and_ids_win(self):
        import pyarrow as pa
        path = self.write({"vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors(n=2).ravel()), DIM),
                           "key": ["a", "b"], "_x": [1, 2], "when": ["2024-05-01", None]})
        p = self.bring("parquet", path, "--id-column", "key", "--rename", "_x=x", "--schema", "when:timestamp,x:string")
        self.assertIn("'_x' is 'x'", p.stderr)
        self.check(["a", "b"], vectors(n=2), [{"x": "1", "when": "2024-05-01T00:00:00Z"}, {"x": "2"}],
                   schema={"x": "string", "when": "timestamp"})

    def test_mistakes_are_named(self):
        import pyarrow as pa
        path = self.write({"a": pa.array([[1.0]]), "b": pa.array([[2.0]]), "c": [1]})
        self.assertIn("lists of numbers are: a, b", self.bring("parquet", path, code=1).stderr)
        self.assertIn("those that do: a, b", self.bring("parquet", path, "--vector-column", "c", code=1).stderr)
        ragged = self.write({"v": pa.array([[1.0], [1.0, 2.0]])}, "ragged.parquet")
        self.assertIn("not all of one dimension", self.bring("parquet", ragged, code=1).stderr)
        self.assertIn("no such file", self.bring("parquet", self.dir / "none", code=1).stderr)
        self.assertFalse(self.store.exists())
        self.bring("parquet", path, "--vector-column", "a")
        self.assertIn("--append", self.bring("parquet", path, "--vector-column", "a", code=1).stderr)


class NoFormat(Importers):
    def test_a_missing_library_is_named(self):
        env = os.environ | {"PYTHONPATH": str(self.dir)}
        (self.dir / "faiss.py").write_text("raise ImportError('not here')")
        (self.dir / "x").write_bytes(b"x")
        p = subprocess.run([sys.executable, TOOLS / "rvf_import.py", "faiss", self.store, self.dir / "x", "--rvf", RVF],
                           capture_output=True, text=True, env=env)
        self.assertEqual(p.returncode, 1)
        self.assertIn("needs the Python package 'faiss-cpu'", p.stderr)

    def test_help_names_every_format(self):
        out = self.tool("rvf_import.py", "--help").stdout
        for name in ("chroma", "lancedb", "faiss", "hnswlib", "usearch", "sqlite-vec", "qdrant", "parquet"):
            self.assertIn(name, out)


if __name__ == "__main__":
    if not RVF:
        sys.exit("set RVF to the path of the rvf command")
    unittest.main(verbosity=2)
