"""Command lines and their inputs, made at random for the store that the model has by now.

An operation is a dict: what to do, the command line (STORE stands for the store's name), its files and, for the
model, what they mean.
"""
import filters
import inputs
import misuses
import values
from inputs import FIELDS, TYPED
from values import Digits

TEXT_IDS = ["a", "b", "Ann", "Eve", "7", "007", "é", "e\u0301", "İ", "b/7", "it's", 'q"q', "x y", "1.0", "日本", "@3", "z" * 260,
            "0", "a-c"]
LARGE_IDS = [2**32, 2**53, 2**53 + 1, 2**63, 2**64 - 2]
BAD_IDS = [Digits("7.0"), Digits("-7"), Digits("1e3"), 2**64 - 1, "", True, [6], Digits("18446744073709551616")]
TIMES_TO_LIVE = [("30d", 30 * 86400), ("12h", 43200), ("36500d", 36500 * 86400), ("99999999999d", 10**12),
                 ("0d", 0), ("7x", 0), ("-1d", 0), ("1.5h", 0)]  # 0: refused
PLAIN = {"verify": ["verify", "STORE", "--deep", "--json"], "status": ["status", "STORE", "--json"],
         "inspect": ["inspect", "STORE", "--epochs", "--json"], "check_schema": ["schema", "STORE", "--json"]}
AWKWARD = [0.1, -0.0, 1e-40, 3e38, 1e39, Digits("0.30000001192092896"), Digits("1e400"), "x", "nan", ""]


class Grammar:
    def __init__(self, rng, world):
        self.rng, self.world = rng, world
        self.kind = rng.choice(["number", "text"])  # of a store that has none yet
        self.dim = rng.choice([1, 1, 2, 2, 3, 4, 5, 8])
        self.serial = 0

    def maybe(self, chance):
        return self.rng.random() < chance

    def name(self, suffix):
        self.serial += 1
        return f"{self.rng.choice(['in', 'été', 'a b', 'x'])}{self.serial}.{suffix}"

    # ---- parts

    def id(self, kind=None):
        kind = kind or (self.world.store and self.world.store.kind) or self.kind
        if self.maybe(0.01):
            kind = "text" if kind == "number" else "number"
        if kind == "text":
            return self.rng.choice(TEXT_IDS)
        return self.rng.choice(LARGE_IDS) if self.maybe(0.04) else self.rng.randint(0, 15)

    def known_id(self):
        live = self.world.store.ids() if self.world.store else []
        return self.rng.choice(live) if live and self.maybe(0.8) else self.id()

    def several_ids(self, count):
        out = []
        while len(out) < count:
            i = self.id()
            if i not in out or self.maybe(0.02):
                out.append(i)
            elif len(out) > 8:
                break
        return out

    def vector(self, dim=None, awkward=0.004, store=None):
        store = store or self.world.store
        dim = dim or (store.dim if store else self.dim)
        metric, dtype = (store.metric, store.dtype) if store else (self.metric, self.dtype)
        whole = dtype in ("i8", "u8")
        out = [float(self.rng.randint(0, 3)) if whole or self.maybe(0.5) else self.rng.randint(-6, 6) / 2 for _ in range(dim)]
        if metric == "cosine":
            out[0] = float(self.rng.randint(1, 5))
        for at in range(dim):
            if self.maybe(awkward) and metric != "cosine":
                out[at] = self.rng.choice(AWKWARD)
        return out

    def fields(self, names, misfits=0.012):
        return {n: inputs.field_value(self.rng, n, misfits) for n in names if self.maybe(0.85)}

    def field_names(self, most=4):
        return self.rng.sample(sorted(FIELDS), self.rng.randint(0, most))

    def schema(self):
        if not self.maybe(0.2):
            return {}
        names = self.rng.sample(sorted(TYPED), self.rng.randint(1, 4))
        return {n: TYPED[n] if self.maybe(0.96) else self.rng.choice(values.TYPES) for n in names}

    @staticmethod
    def schema_text(schema):
        return ",".join(f"{n}:{kind}{':index' if len(n) % 3 == 0 else ''}" for n, kind in schema.items())

    def broken(self):
        return self.maybe(0.02)

    # ---- commands that write

    def create(self):
        metric = self.rng.choice([None, None, "l2", "ip", "cosine"])
        dtype = self.rng.choice([None, None, None, "f32", "f16", "bf16", "i8", "u8"])
        id_type = self.rng.choice([None, None, None, self.kind])
        argv = ["create", "STORE", "--dim", str(self.dim)]
        for option, value in (("--metric", metric), ("--dtype", dtype), ("--id-type", id_type)):
            argv += [option, value] if value else []
        argv.append("--json")
        return {"do": "create", "argv": argv, "dim": self.dim, "metric": metric or "l2", "dtype": dtype or "f32", "kind": id_type}

    def ingest(self):
        store = self.world.store
        op = {"do": "ingest", "argv": ["ingest", "STORE"], "files": [], "create": store is None or self.maybe(0.1), "id_column": None}
        op["metric"] = self.metric = self.rng.choice(["l2", "ip", "cosine"]) if self.maybe(0.15) and not store else None
        op["dtype"] = self.dtype = self.rng.choice(["f32", "f16", "bf16", "i8", "u8"]) if self.maybe(0.15) and not store else None
        if store and self.maybe(0.04):
            shapes = [("l2", None), ("ip", None), (None, "f32"), (None, "i8"), (store.metric, store.dtype)]
            op["metric"], op["dtype"] = self.rng.choice(shapes)
        op["batch"] = self.rng.randint(1, 4) if self.maybe(0.3) else 10000
        op["on_duplicate"] = self.rng.choice(["replace", "keep", "error"]) if self.maybe(0.3) else None
        op["schema"] = self.schema()
        op["ids"] = op["meta"] = op["ttl"] = op["id_type"] = op["vector_field"] = None
        self.pipe = self.maybe(0.12)
        broken = self.broken()
        if broken:
            op["batch"] = 10000
        op["files"].append(self.vector_file(op, broken))
        if self.maybe(0.1) and not op["id_column"] and not op["vector_field"]:
            op["files"].append(self.vector_file(op, self.broken() and op["batch"] == 10000))
        count = sum(len(f.rows) for f in op["files"])
        bare = all(r[0] is None for f in op["files"] for r in f.rows)
        if not op["id_column"] and self.maybe(0.5 if bare else 0.03):
            op["ids"] = inputs.id_list(self.rng, self.name("txt"), self.several_ids(count + self.rng.choice([0] * 12 + [-1, 1])))
        elif self.maybe(0.25) and count and not broken:
            op["meta"] = self.meta(op, count, bare)
        if self.maybe(0.05):
            text, op["ttl"] = self.rng.choice(TIMES_TO_LIVE)
            op["argv"] += [f"--ttl={text}"]
            if not op["ttl"]:
                op["contradiction"] = "a bad time to live"
        if self.maybe(0.06):
            op["id_type"] = self.rng.choice(["number", "text"])
        return self.finish_ingest(op)

    def finish_ingest(self, op):
        pipe = op["files"][0] if self.pipe else None
        names = ["-" if f is pipe else f.name for f in op["files"]]
        op["argv"] += names
        for option in ("metric", "dtype", "id_type", "on_duplicate", "vector_field"):
            if op[option]:
                op["argv"] += ["--" + option.replace("_", "-"), op[option]]
        op["argv"] += ["--create"] * op["create"] + (["--batch", str(op["batch"])] if op["batch"] < 10000 else [])
        op["argv"] += ["--schema", self.schema_text(op["schema"])] if op["schema"] else []
        op["argv"] += ["--id-column", op["id_column"]] if op["id_column"] else []
        op["argv"] += ["--ids", op["ids"].name] if op["ids"] else []
        op["argv"] += ["--meta", op["meta"].name] if op["meta"] else []
        op["argv"] += ["--no-index"] * self.maybe(0.2) + ["--no-compact"] * self.maybe(0.2) + ["--durability", "flush"] * self.maybe(0.1)
        op["killed"] = self.rng.randint(0, 4) + 1 if not pipe and op["batch"] < 10000 and self.maybe(0.15) else 0
        op["stdin"] = pipe.content if pipe else None
        op["inputs"] = {f.name: f.content for f in [*op["files"], op["ids"], op["meta"]] if f and f is not pipe}
        op["argv"] += ["--quiet", "--json"]
        return op

    def vector_file(self, op, broken):
        rng, first = self.rng, not op["files"]
        dim = self.world.store.dim if self.world.store else self.dim
        if self.maybe(0.02):
            dim += 1
        form = rng.choice(["jsonl"] * 8 + ["csv"] * 6 + ["npy"] * 4 + ["fvecs"] * (not (self.pipe and first)))
        count = rng.randint(1, 9) if self.maybe(0.97) or form != "npy" else 0
        names = self.field_names()
        if form == "npy":
            vectors = [self.vector(dim, awkward=0) for _ in range(count)]
            return inputs.npy(rng, self.name("npy"), vectors, dim, broken)
        if form == "fvecs":
            return inputs.fvecs(rng, self.name("fvecs"), [self.vector(dim, awkward=0) for _ in range(count)], dim, broken)
        with_ids = self.maybe(0.75)
        ids = self.several_ids(count) if with_ids else [None] * count
        if with_ids and self.maybe(0.02):
            ids[rng.randrange(len(ids))] = rng.choice(BAD_IDS + [None]) if form == "jsonl" else ""
        vectors = [self.vector(dim) for _ in ids]
        if self.maybe(0.015):
            at = rng.randrange(len(vectors))
            vectors[at] = vectors[at] + [1.0]
        id_name = "id"
        if with_ids and first and self.maybe(0.06):
            id_name = op["id_column"] = "key"
        if form == "csv":
            texts = [{n: inputs.csv_text(v) for n, v in self.fields(names).items()} for _ in ids]
            rows = [(i if i is None else inputs.csv_text(i), v, f) for i, v, f in zip(ids, vectors, texts)]
            return inputs.csv(rng, self.name("csv"), rows, id_name, names, pipe=self.pipe and first, broken=broken)
        rows = [(i, v, self.with_expiry(self.fields(names))) for i, v in zip(ids, vectors)]
        vector_name = "vector"
        if first and self.maybe(0.08):
            op["vector_field"] = vector_name = rng.choice(["emb", "vector", "größen"])
        return inputs.jsonl(rng, self.name("jsonl"), rows, id_name, vector_name, pipe=self.pipe, broken=broken)

    def with_expiry(self, fields):
        """Vectors that are gone have no numbers, which would still hold a field back from widening."""
        if not self.maybe(0.03):
            return fields
        if self.maybe(0.5):
            return {"_expires": "1971-05-05"}
        return fields | {"_expires": self.rng.choice(["2100-01-01", "9999-12-31", "2200-01-01T00:00:00.5Z"])}

    def meta(self, op, count, bare):
        """Rows beside the vectors: as many, or by id, some of them and others, in some order."""
        rng, names = self.rng, self.field_names()
        taken = {n for f in op["files"] for r in f.rows for n in r[2]}
        names = [n for n in names if n not in taken or self.maybe(0.1)]
        ids = [r[0] for f in op["files"] for r in f.rows]
        form = rng.choice(["jsonl", "csv"])
        if bare:
            own = self.several_ids(count) if self.maybe(0.5) or op["id_column"] else [None] * count
            own += [None] * (count - len(own)) if own[0] is None else []
        elif self.maybe(0.25) and not op["id_column"]:
            own = [None] * count
        else:
            own = list(dict.fromkeys(i for i in ids if isinstance(i, (int, str)) and not isinstance(i, (Digits, bool)) and i != ""))
            if self.maybe(0.6):
                rng.shuffle(own)
            own = [i for i in own if self.maybe(0.9)] + [i for i in self.several_ids(2) if i not in ids and str(i) not in ids]
            if not own or len({str(i) for i in own}) < len(own):
                return None
        if own[0] is None and self.maybe(0.06):
            own = own[1:] if self.maybe(0.5) and len(own) > 1 else own + [None]
        if form == "csv":
            rows = [(i if i is None else str(i), {n: inputs.csv_text(v) for n, v in self.fields(names, 0).items()}) for i in own]
            names = names or ["s"]
            if own[0] is None and len(names) == 1:
                rows = [(i, {names[0]: f.get(names[0]) or "x"}) for i, f in rows]
            return inputs.csv(rng, self.name("csv"), rows, op["id_column"] or "id", names, vectors=False)
        return inputs.jsonl(rng, self.name("jsonl"), [(i, self.fields(names, 0.01)) for i in own], op["id_column"] or "id")

    def delete(self):
        rng, store, argv = self.rng, self.world.store, ["delete", "STORE"]
        op = {"do": "delete", "argv": argv, "inputs": {}}
        form = rng.random()
        if form < 0.25 and store:
            op["filter"] = filters.make(rng, store)
            self.add_filter(op)
        elif form < 0.5:
            ids = [self.known_id() for _ in range(rng.randint(1, 4))]
            op["listed"] = inputs.id_list(rng, self.name("txt"), ids)
            op["inputs"][op["listed"].name] = op["listed"].content
            argv += ["--ids-file", op["listed"].name]
        else:
            ids = [str(self.known_id()) for _ in range(rng.randint(1, 3))]
            if self.maybe(0.25) and (not store or store.kind != "text"):
                first = rng.randint(0, 12)
                ids = [f"{first}-{first + rng.choice([0, 2, 5, 2**63])}"] if self.maybe(0.9) else [f"{first + 1}-{first}"]
            op["ids"] = ids
            argv += ["--ids=" + ",".join(ids)]
        argv.append("--json")
        return op

    def update(self):
        rng, store = self.rng, self.world.store
        ids = list(dict.fromkeys(self.known_id() for _ in range(rng.randint(1, 4))))
        names, written = self.field_names(3), self.maybe(0.4)
        known = sorted(store.schema.keys() - {"_expires"}) if store else []
        clear = [rng.choice(known)] if known and self.maybe(0.2) else ["nope"] if self.maybe(0.02) else []
        if written:
            rows = [(str(i), {n: inputs.csv_text(v) for n, v in self.fields(names).items()}) for i in ids]
            source = inputs.csv(rng, self.name("csv"), rows, "id", names, vectors=False, broken=self.broken())
        else:
            rows = [(i, self.fields(names)) for i in ids]
            if self.maybe(0.03):
                rows[0][1]["_expires"] = "2100-01-01"
            if self.maybe(0.02):
                rows[0][1][rng.choice(["_key", "vector", "embedding", "_x"])] = 1
            source = inputs.jsonl(rng, self.name("jsonl"), rows, "id", broken=self.broken())
        op = {"do": "update", "source": source, "schema": self.schema(), "clear": clear, "inputs": {source.name: source.content}}
        op["argv"] = ["update", "STORE", "--meta", source.name] + ["--clear", ",".join(clear)] * bool(clear)
        op["argv"] += ["--schema", self.schema_text(op["schema"])] * bool(op["schema"]) + ["--json"]
        return op

    def set_schema(self):
        names = self.rng.sample(sorted(TYPED), self.rng.randint(1, 3))
        schema = {n: TYPED[n] if self.maybe(0.9) else self.rng.choice(values.TYPES) for n in names}
        return {"do": "set_schema", "schema": schema, "argv": ["schema", "STORE", "--set", self.schema_text(schema), "--json"]}

    def upkeep(self):
        command, *more = self.rng.choice([["compact"], ["index"], ["compact", "--search-layout", "standard"], ["compact", "--no-index"]])
        return {"do": "upkeep", "argv": [command, "STORE", *more, "--json"]}

    # ---- commands that read

    def add_filter(self, op):
        text = filters.text(op["filter"])
        if self.maybe(0.25) and "x'" not in text:  # in JSON bytes are texts, which fit other fields too
            text = filters.render(filters.as_json(op["filter"]), self.maybe(0.5))
        if self.maybe(0.15):
            name = self.name("filter")
            op["inputs"][name] = text.encode()
            op["argv"] += ["--filter-file", name]
        else:
            op["argv"] += ["--filter=" + text]

    def reading(self, do, argv, filtered=0.5):
        op = {"do": do, "argv": argv, "inputs": {}, "filter": None}
        if self.world.store and self.maybe(filtered):
            op["filter"] = filters.make(self.rng, self.world.store)
            self.add_filter(op)
        return op

    def get(self):
        ids = [str(self.known_id()) for _ in range(self.rng.randint(1, 3))]
        return {"do": "get", "ids": ids, "argv": ["get", "STORE", "--json", "--", *ids]}

    def count(self):
        return self.reading("count", ["count", "STORE", "--json"], 0.8)

    def count_by(self):
        names = sorted(self.world.store.schema) if self.world.store else []
        op = self.reading("count_by", ["count", "STORE", "--json"])
        op["by"] = self.rng.choice(names) if names and self.maybe(0.97) else "nope"
        op["argv"] += ["--by", op["by"]]
        return op

    def scan(self):
        op = self.reading("scan", ["scan", "STORE", "--json"])
        op["limit"], op["columns"] = self.rng.choice([1, 2, 3, 1000]), self.columns()
        op["argv"] += ["--limit", str(op["limit"])] + (["--columns", ",".join(op["columns"])] if op["columns"] else [])
        return op

    def columns(self):
        names = sorted(self.world.store.schema) if self.world.store else []
        if not names or self.maybe(0.4):
            return []
        return ["*"] if self.maybe(0.5) else self.rng.sample(names, 1) + ["nope"] * self.maybe(0.02)

    def query(self):
        rng, store = self.rng, self.world.store
        self.metric, self.dtype = "l2", "f32"
        op = self.reading("query", ["query", "STORE", "--json"])
        op |= {"like": None, "vectors": None, "k": 10, "within": None, "most": None, "group_by": None, "group_size": 1}
        op["columns"] = self.columns()
        form = rng.random()
        if form < 0.3:
            op["like"] = str(self.known_id())
            op["argv"] += ["--like=" + op["like"]]
        elif form < 0.7:
            op["vectors"] = [self.vector(awkward=0)]
            op["argv"] += ["--vector=" + rng.choice([",", ", "]).join(map(str, op["vectors"][0]))]
        else:
            dim = (store.dim if store else self.dim) + self.maybe(0.03)
            source = inputs.npy(rng, self.name("npy"), [self.vector(dim, awkward=0) for _ in range(rng.randint(1, 3))], dim)
            op["vectors"] = [r[1] for r in source.rows]
            op["inputs"][source.name] = source.content
            op["argv"] += ["--queries", source.name]
        if self.maybe(0.25):
            op["within"] = rng.choice([0, 1, 2.5, 9])
            op["argv"] += [f"--within={op['within']}"]
        elif self.maybe(0.7):
            op["k"] = rng.choice([1, 2, 5, 100])
            op["argv"] += ["-k", str(op["k"])]
        if op["within"] is None and self.maybe(0.15):
            op["most"] = rng.choice([0, 1.5, 6])
            op["argv"] += [f"--max-distance={op['most']}"]
        if store and store.schema and op["within"] is None and self.maybe(0.15):
            op["group_by"] = rng.choice(sorted(store.schema))
            op["group_size"] = rng.randint(1, 2)
            op["argv"] += ["--group-by", op["group_by"]] + ["--group-size", "2"] * (op["group_size"] == 2)
        op["argv"] += ["--exact"] * self.maybe(0.3) + (["--columns", ",".join(op["columns"])] if op["columns"] else [])
        return op

    # ---- what is next

    def next(self):
        writing = [(self.ingest, 30), (self.delete, 7), (self.update, 11), (self.set_schema, 2), (self.upkeep, 3), (self.create, 1)]
        reading = [(self.get, 4), (self.count, 6), (self.count_by, 4), (self.scan, 6), (self.query, 12)]
        plain = [(lambda do=do: {"do": do, "argv": PLAIN[do]}, weight) for do, weight in
                 (("verify", 1), ("status", 2), ("inspect", 1), ("check_schema", 3))]
        moves = [(lambda do=do: {"do": do, "argv": []}, weight) for do, weight in
                 (("bookmark", 4), ("rollback", 3), ("roundtrip", 2), ("rename", 1), ("link", 1))]
        chances = writing + reading + plain + moves + [(lambda: misuses.make(self), 10)]
        if not self.world.store and self.maybe(0.8):
            chances = [(self.ingest, 8), (self.create, 3)]
        made, weights = zip(*chances)
        op = self.rng.choices(made, weights)[0]()
        op.setdefault("inputs", {})
        op.setdefault("stdin", None)
        op["via_link"] = self.maybe(0.03)
        op["for_people"] = self.maybe(0.06) and "--json" in op["argv"] and op["do"] != "misuse" and not op.get("killed")
        return op
