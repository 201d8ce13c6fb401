"""What rvf_import.py reads, a class a source: how it is opened, its metric and types, and batches of
(vectors, ids or None, rows of metadata or None)."""
import json
import pathlib
import re
import struct

import numpy as np

from rvf_arrow import ArrowColumns
from rvf_pipe import Failure, need


def existing(path, folder=False):
    path = pathlib.Path(path)
    if not path.exists():
        raise Failure(f"{path}: no such {'folder' if folder else 'file'}")
    if path.is_dir() != folder:
        raise Failure(f"{path} is {'a folder' if path.is_dir() else 'no folder'}")
    return path


class Source:
    """Base: a source without types that names no metric."""

    def __init__(self, args, cleaner):
        self.args, self.cleaner = args, cleaner
        self.metric = None
        self.dtype = None  # of the store; None: that of the vectors
        self.schema = {}
        self.notes = []
        self.open()

    @staticmethod
    def arguments(parser):
        parser.add_argument("path", metavar="FILE")

    def open(self):
        raise NotImplementedError

    def batches(self, size):
        raise NotImplementedError


class Chroma(Source):
    """A collection of a Chroma database (PersistentClient). Documents and URIs become the fields document and uri.

    Chroma keeps the vectors of cosine collections normalised and gives them back rounded; those that are still in its
    write-ahead log are taken from there, exactly.
    """

    @staticmethod
    def arguments(parser):
        parser.add_argument("path", metavar="FOLDER")
        parser.add_argument("collection", metavar="COLLECTION")

    def open(self):
        folder = existing(self.args.path, folder=True)
        if not (folder / "chroma.sqlite3").is_file():
            raise Failure(f"{folder} holds no Chroma database (no chroma.sqlite3)")
        chromadb = need("chromadb")
        settings = need("chromadb.config", "chromadb").Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(str(folder), settings=settings)
        try:
            self.collection = client.get_collection(self.args.collection, embedding_function=None)
        except Exception as e:
            names = ", ".join(sorted(c.name for c in client.list_collections())) or "none"
            raise Failure(f"{folder}: no collection {self.args.collection!r}; there are: {names} ({e})") from None
        configured = getattr(self.collection, "configuration", None) or {}
        space = next((part["space"] for part in configured.values() if isinstance(part, dict) and part.get("space")),
                     (self.collection.metadata or {}).get("hnsw:space", "l2"))
        self.metric = {"l2": "l2", "cosine": "cosine", "ip": "ip"}.get(space)
        self.log = self.open_log(folder) if self.metric == "cosine" else None

    def open_log(self, folder):
        """{id: sequence number} of the vectors in the write-ahead log, newest last, and the connection."""
        import sqlite3
        connection = sqlite3.connect(f"file:{folder}/chroma.sqlite3?mode=ro", uri=True)
        try:
            rows = connection.execute("select id, seq_id from embeddings_queue where topic like ? and vector is not null "
                                      "and encoding = 'FLOAT32' order by seq_id", [f"%{self.collection.id}"])
            return {key: at for key, at in rows}, connection
        except sqlite3.Error:  # another version of Chroma
            return {}, connection

    def exact(self, ids, vectors):
        newest, connection = self.log
        missing = 0
        for i, key in enumerate(ids):
            row = key in newest and connection.execute("select vector from embeddings_queue where seq_id = ?",
                                                       [newest[key]]).fetchone()
            exact = np.frombuffer(row[0], np.float32) if row else None
            if exact is not None and np.allclose(exact, vectors[i], rtol=1e-4, atol=1e-5):
                vectors[i] = exact
            else:
                missing += 1
        if missing:
            self.cleaner.count("vectors as Chroma rounds them", missing)

    def batches(self, size):
        for offset in range(0, self.collection.count(), size):
            got = self.collection.get(include=["embeddings", "metadatas", "documents", "uris"], limit=size, offset=offset)
            vectors = np.asarray(got["embeddings"], dtype=np.float64).astype(np.float32)
            if self.log:
                self.exact(got["ids"], vectors)
            rows = [dict(m or {}) for m in got["metadatas"] or [None] * len(got["ids"])]
            for key, values in (("document", got["documents"]), ("uri", got["uris"])):
                for row, value in zip(rows, values or []):
                    if value is not None:
                        row[key + "_" if key in row else key] = value
            yield vectors, got["ids"], rows


class Arrow(Source):
    """Base of the sources that are Arrow tables."""

    @staticmethod
    def common_arguments(parser):
        parser.add_argument("--vector-column", metavar="NAME", help="the only column of vectors, if it is not named")
        parser.add_argument("--id-column", metavar="NAME", help='"id", if there is such a column')

    def take_schema(self, schema):
        self.columns = ArrowColumns(schema, self.args.vector_column, self.args.id_column, self.cleaner)
        self.schema = self.columns.schema
        self.dtype = self.columns.dtype

    def take(self, batches):
        for batch in batches:
            yield self.columns.split(batch)


class LanceDb(Arrow):
    """A table of a LanceDB database. The metric is that of its vector index, if it has one."""

    @staticmethod
    def arguments(parser):
        parser.add_argument("path", metavar="FOLDER")
        parser.add_argument("table", metavar="TABLE")
        Arrow.common_arguments(parser)

    def open(self):
        folder = existing(self.args.path, folder=True)
        if not (folder / f"{self.args.table}.lance").is_dir():
            names = ", ".join(sorted(p.stem for p in folder.glob("*.lance"))) or "none"
            raise Failure(f"{folder}: no table {self.args.table!r}; there are: {names}")
        self.table = need("lancedb").connect(str(folder)).open_table(self.args.table)
        self.take_schema(self.table.schema)
        for index in self.table.list_indices():
            if self.columns.vector in index.columns:
                stats = self.table.index_stats(index.name)
                self.metric = {"l2": "l2", "cosine": "cosine", "dot": "ip", "hamming": "hamming"}.get(
                    str(getattr(stats, "distance_type", "")).lower())

    def batches(self, size):
        yield from self.take(self.table.search().to_batches(size))


class Parquet(Arrow):
    """A Parquet file with a column of lists of numbers. Files of rvf_export.py carry metric, dtype and schema.

    Dictionary columns become enum, timestamps and dates timestamp, binary bytes, decimals and what is nested text.
    """

    @staticmethod
    def arguments(parser):
        Source.arguments(parser)
        Arrow.common_arguments(parser)

    def open(self):
        path = existing(self.args.path)
        parquet = need("pyarrow.parquet", "pyarrow")
        try:
            self.file = parquet.ParquetFile(path)
        except Exception as e:
            raise Failure(f"{path}: {e}") from None
        self.take_schema(self.file.schema_arrow)
        written = self.file.schema_arrow.metadata or {}
        if b"rvf" in written:
            own = json.loads(written[b"rvf"])
            self.metric = own.get("metric")
            self.dtype = own.get("dtype", self.dtype)
            self.schema |= own.get("schema", {})

    def batches(self, size):
        yield from self.take(self.file.iter_batches(size))


class Faiss(Source):
    """A FAISS index that keeps whole vectors: Flat, IVFFlat, HNSWFlat, also inside IDMap and IDMap2.

    Ids are those of IDMap and of IVF lists, else positions. Quantised indexes have lost the vectors and are refused.
    """

    def open(self):
        path = existing(self.args.path)
        self.faiss = faiss = need("faiss", "faiss-cpu")
        try:
            index = faiss.read_index(str(path))
        except Exception as e:
            raise Failure(f"{path}: {str(e).splitlines()[0]}") from None
        self.keep = index
        self.ids = None
        kinds = (faiss.IndexIDMap, faiss.IndexIDMap2)
        if isinstance(index, kinds):
            self.ids = faiss.vector_to_array(index.id_map)
            index = faiss.downcast_index(index.index)
        if not isinstance(index, (faiss.IndexFlat, faiss.IndexIVFFlat, faiss.IndexHNSWFlat)):
            raise Failure(f"{path}: vectors cannot be taken out of a {type(index).__name__} as they were; Flat, IVFFlat "
                          "and HNSWFlat keep them")
        self.index = index
        self.metric = {faiss.METRIC_L2: "l2", faiss.METRIC_INNER_PRODUCT: "ip"}.get(index.metric_type)
        if self.metric is None and not self.args.metric:
            raise Failure(f"{path}: its metric has no counterpart; choose one with --metric")

    def batches(self, size):
        if isinstance(self.index, self.faiss.IndexIVFFlat):
            yield from self.lists()
            return
        for first in range(0, self.index.ntotal, size):
            n = min(size, self.index.ntotal - first)
            ids = np.arange(first, first + n) if self.ids is None else self.ids[first:first + n]
            yield self.index.reconstruct_n(first, n), list(ids), None

    def lists(self):
        """IVF: the vectors stand in the lists, with their ids."""
        lists = self.index.invlists
        for i in range(lists.nlist):
            n = lists.list_size(i)
            if n == 0:
                continue
            ids = self.faiss.rev_swig_ptr(lists.get_ids(i), n).copy()
            codes = self.faiss.rev_swig_ptr(lists.get_codes(i), n * lists.code_size).copy()
            if self.ids is not None:
                ids = self.ids[ids]
            yield codes.view(np.float32).reshape(n, self.index.d), list(ids), None


class Hnswlib(Source):
    """An hnswlib index. The file does not say its space: give --metric (hnswlib keeps cosine vectors normalised).

    Elements that are marked as deleted are left out.
    """

    def open(self):
        path = existing(self.args.path)
        with open(path, "rb") as f:
            head = f.read(48)
        if len(head) < 48:
            raise Failure(f"{path} is no hnswlib index")
        _, most, self.count, row, label, data = struct.unpack("<6Q", head)
        if not (self.count <= most and data < label < row <= 1 << 24 and (label - data) % 4 == 0):
            raise Failure(f"{path} is no hnswlib index of float vectors")
        hnswlib = need("hnswlib")
        metric = self.args.metric or "l2"
        if metric not in ("l2", "cosine", "ip"):
            raise Failure(f"hnswlib knows l2, cosine and ip, not {metric}")
        self.index = hnswlib.Index(space=metric, dim=(label - data) // 4)
        try:
            self.index.load_index(str(path))
        except RuntimeError as e:
            raise Failure(f"{path}: {e}") from None
        if not self.args.metric:
            self.notes.append("an hnswlib file does not say its metric; l2 was taken (--metric)")

    def batches(self, size):
        labels = sorted(self.index.get_ids_list())
        for first in range(0, len(labels), size):
            ids = labels[first:first + size]
            try:
                yield self.index.get_items(ids), ids, None
            except RuntimeError:
                yield from self.without_deleted(ids)

    def without_deleted(self, ids):
        kept, vectors = [], []
        for i in ids:
            try:
                vectors.append(self.index.get_items([i])[0])
                kept.append(i)
            except RuntimeError:
                self.cleaner.count("deleted elements left out")
        if kept:
            yield np.stack(vectors), kept, None


class Usearch(Source):
    """A usearch index file; metric and dtype are its own. Vectors of i8 are its codes."""

    def open(self):
        path = existing(self.args.path)
        usearch = need("usearch.index", "usearch")
        try:
            self.index = usearch.Index.restore(str(path), view=True)
        except Exception as e:
            raise Failure(f"{path}: {e}") from None
        if self.index is None:
            raise Failure(f"{path} is no usearch index")
        if self.index.multi:
            raise Failure(f"{path}: keeps several vectors a key; a store has one an id")
        kind = str(self.index.metric_kind).rsplit(".", 1)[-1].lower()
        self.metric = {"l2sq": "l2", "cos": "cosine", "ip": "ip"}.get(kind)
        if self.metric is None and not self.args.metric:
            raise Failure(f"{path}: its metric {kind} has no counterpart; choose one with --metric")
        scalar = str(self.index.dtype).rsplit(".", 1)[-1].lower()
        if scalar not in ("f64", "f32", "bf16", "f16", "i8"):
            raise Failure(f"{path}: vectors of {scalar} cannot be taken over")
        self.dtype = "bf16" if scalar == "bf16" else None

    def batches(self, size):
        keys = np.sort(np.asarray(self.index.keys, dtype=np.uint64))
        for first in range(0, len(keys), size):
            ids = keys[first:first + size]
            yield np.stack([np.asarray(v) for v in self.index.get(ids)]), list(ids), None


class SqliteVec(Source):
    """A table of a SQLite database: a vec0 table of sqlite-vec, or any other with a column of vectors as blob or JSON.

    Of a vec0 table the metric and the key are known, and all its columns are taken. --sql reads the rows of a query
    instead, for example a vec0 table joined with the table that holds its texts; name its columns with --vector-column
    and --id-column then.
    """

    @staticmethod
    def arguments(parser):
        Source.arguments(parser)
        parser.add_argument("table", metavar="TABLE")
        parser.add_argument("--sql", metavar="SELECT", help="these rows in place of all of TABLE")
        parser.add_argument("--vector-column", metavar="NAME", help="the first vector column of a vec0 table")
        parser.add_argument("--id-column", metavar="NAME", help="the primary key, or rowid")

    def open(self):
        path = existing(self.args.path)
        self.connection = connect(path)
        table = self.args.table
        found = self.connection.execute("select sql from sqlite_master where name = ?", [table]).fetchone()
        if not found:
            names = [n for (n,) in self.connection.execute(
                "select name from sqlite_master where type = 'table' order by name")]
            raise Failure(f"{path}: no table {table!r}; there are: {', '.join(names) or 'none'}")
        vec0 = re.search(r"using\s+vec0\s*\((.*)\)\s*$", found[0] or "", re.I | re.S)
        self.vector, self.key = self.args.vector_column, self.args.id_column
        self.element = "float"
        self.left_out = set()
        if vec0:
            self.take_vec0(vec0[1])
        if not self.vector:
            raise Failure(f"{table} is no vec0 table; name its column of vectors with --vector-column")
        quoted = table.replace('"', '""')
        self.sql = self.args.sql or f'select * from "{quoted}"'
        if not self.key and not self.args.sql:
            self.sql = f'select rowid as "rowid", * from "{quoted}"'

    def take_vec0(self, text):
        columns = [c.strip() for c in re.split(r",(?![^\[(]*[\])])", text)]
        for column in columns:
            words = column.split()
            name = words[0].strip("\"'`[]+")
            vector = re.match(r"(\S+)\s+(float|f32|int8|i8|bit)\s*\[\s*\d+\s*\](.*)", column, re.I | re.S)
            if vector and (self.vector in (None, name)):
                self.vector = name
                self.element = vector[2].lower()
                metric = re.search(r"distance_metric\s*=\s*(\w+)", vector[3], re.I)
                self.metric = {"l2": "l2", "cosine": "cosine"}.get(metric[1].lower() if metric else "l2")
            elif vector:
                self.notes.append(f"the vector column {name} was left out")
                self.left_out.add(name)
            if re.search(r"primary\s+key", column, re.I):
                self.key = self.key or name
            if len(words) > 1 and words[1].lower() in ("boolean", "bool"):
                self.schema[name] = {"type": "bool"}
        if self.element == "bit":
            raise Failure(f"{self.args.table}: bit vectors cannot be taken over")

    def batches(self, size):
        try:
            cursor = self.connection.execute(self.sql)
        except Exception as e:
            raise Failure(f"{self.sql}: {e}") from None
        names = [d[0] for d in cursor.description]
        if self.vector not in names:
            raise Failure(f"no column {self.vector!r} among {', '.join(names)}")
        key = self.key or ("rowid" if "rowid" in names else None)
        if self.key and self.key not in names:
            raise Failure(f"no column {self.key!r} among {', '.join(names)}")
        while rows := cursor.fetchmany(size):
            rows = [dict(zip(names, row)) for row in rows]
            with_vector = [r for r in rows if r[self.vector] is not None]
            if len(with_vector) < len(rows):
                self.cleaner.count("rows without a vector left out", len(rows) - len(with_vector))
            if not with_vector:
                continue
            vectors = [self.decode(r.pop(self.vector)) for r in with_vector]
            if len({len(v) for v in vectors}) != 1:
                raise Failure("the vectors are not all of one dimension")
            ids = [r.pop(key) for r in with_vector] if key else None
            for r in with_vector:
                r.pop("rowid", None)
                for name in self.left_out:
                    r.pop(name, None)
            yield np.stack(vectors), ids, with_vector

    def decode(self, value):
        if isinstance(value, str):
            return np.array(json.loads(value), dtype=np.float64).astype(np.float32)
        if self.element in ("int8", "i8"):
            return np.frombuffer(value, np.int8)
        if len(value) % 4:
            raise Failure(f"a vector of {len(value)} bytes is no array of 32-bit floats")
        return np.frombuffer(value, "<f4")


def connect(path):
    """A read-only connection with sqlite-vec loaded where that is possible."""
    import sqlite3
    uri = f"file:{pathlib.Path(path).absolute()}?mode=ro"
    module = sqlite3
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        try:
            import pysqlite3
            module = pysqlite3
        except ImportError:
            raise Failure("this Python cannot load SQLite extensions; install pysqlite3-binary, or use a Python whose "
                          "sqlite3 can") from None
    connection = module.connect(uri, uri=True)
    connection.enable_load_extension(True)
    need("sqlite_vec", "sqlite-vec").load(connection)
    return connection


class Qdrant(Source):
    """Points of Qdrant as JSON: answers of the scroll API ({"result":{"points":[...]}}), a list of points, or one point a line.

    The file may hold several answers, one a line. Payloads are the metadata. Points do not say their metric: give
    --metric. Of named vectors choose one with --vector-name.
    """

    @staticmethod
    def arguments(parser):
        Source.arguments(parser)
        parser.add_argument("--vector-name", metavar="NAME", help="of the vectors of a point, this one")

    def open(self):
        self.path = existing(self.args.path)
        if not self.args.metric:
            self.notes.append("points of Qdrant do not say their metric; l2 was taken (--metric)")

    def points(self):
        with open(self.path, encoding="utf-8") as f:
            first = f.readline()
            try:
                json.loads(first)
                f.seek(0)
                documents = (json.loads(line) for line in f if line.strip())
                for document in documents:
                    yield from self.points_of(document)
            except json.JSONDecodeError:
                try:
                    f.seek(0)
                    document = json.load(f)
                except json.JSONDecodeError as e:
                    raise Failure(f"{self.path}: not JSON: {e}") from None
                yield from self.points_of(document)

    def points_of(self, document):
        if isinstance(document, dict) and "result" in document:
            document = document["result"]
        if isinstance(document, dict) and "points" in document:
            document = document["points"]
        if isinstance(document, dict) and "id" in document:
            document = [document]
        if not isinstance(document, list) or not all(isinstance(p, dict) and "id" in p for p in document):
            raise Failure(f"{self.path}: no points of Qdrant (objects with id, vector and payload)")
        return document

    def vector(self, point):
        vector = point.get("vector")
        if isinstance(vector, dict):
            name = self.args.vector_name
            if name is None and len(vector) != 1:
                raise Failure(f"point {point['id']}: has the vectors {', '.join(sorted(vector))}; choose with --vector-name")
            vector = vector.get(name) if name is not None else next(iter(vector.values()))
        if vector is not None and not (isinstance(vector, list) and vector
                                       and all(isinstance(x, (int, float)) for x in vector)):
            raise Failure(f"point {point['id']}: its vector is not a list of numbers")
        return vector

    def batches(self, size):
        batch = []
        for point in self.points():
            vector = self.vector(point)
            if vector is None:
                self.cleaner.count("points without a vector left out")
                continue
            batch.append((vector, point["id"], point.get("payload") or {}))
            if len(batch) == size:
                yield self.pack(batch)
                batch = []
        if batch:
            yield self.pack(batch)

    @staticmethod
    def pack(batch):
        if len({len(v) for v, _, _ in batch}) != 1:
            raise Failure("the vectors are not all of one dimension")
        vectors = np.array([v for v, _, _ in batch], dtype=np.float64).astype(np.float32)
        return vectors, [i for _, i, _ in batch], [p for _, _, p in batch]


SOURCES = {"chroma": Chroma, "lancedb": LanceDb, "faiss": Faiss, "hnswlib": Hnswlib, "usearch": Usearch,
           "sqlite-vec": SqliteVec, "qdrant": Qdrant, "parquet": Parquet}
