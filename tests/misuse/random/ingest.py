"""What ingest must do: files of rows, ids and metadata beside them, batch by batch."""
import math
import time

import model
import values
from columns import Columns, Refused
from model import IdReader, Store, cells_of


class Input:
    """A file: its bytes, and what they mean. rows: (id, vector, fields) or, of metadata, (id, fields)."""

    def __init__(self, name, content, rows, written=False, ids_known=True, dtype="f32", dim=None, broken=False):
        self.name, self.content, self.rows, self.written = name, content, rows, written
        self.ids_known = ids_known  # all ids of a csv are looked at beforehand, but not in a pipe
        self.dtype, self.dim, self.broken = dtype, dim, broken

    def id_reader(self, kind):
        ids = [r[0] for r in self.rows if r[0]]
        if kind is None and self.written and self.ids_known and self.rows and self.rows[0][0] is not None:
            kind = "text" if any(model.number_id(i) is None for i in ids) else "number"
        return IdReader(kind)


def element(x):
    """A component as it is read."""
    if isinstance(x, values.Digits):
        x = float(x)
    if isinstance(x, str) or x is None or isinstance(x, (bool, list)) or math.isinf(x):
        raise Refused(f"{x} is no number")
    try:
        return values.f32(x)
    except OverflowError:
        raise Refused(f"{x} is beyond the range of f32") from None


class Join:
    """--meta: by id where both have ids, else row by row."""

    def __init__(self, source, declared, known, kind, required):
        self.source, self.columns = source, Columns(declared, known)
        self.kind, self.required = kind, required
        self.vectors_have_ids = None
        self.reader, self.at, self.table, self.by_id, self.both = None, 0, {}, False, False

    def read(self, count):
        rows = self.source.rows[self.at:self.at + count]
        self.at += len(rows)
        if self.required and any(i is None for i, _ in rows):
            raise Refused("a row without an id")
        ids = self.reader.take([i for i, _ in rows], self.source.written)
        typed = self.columns.batch([cells_of(f, self.columns.fixed, self.source.written) for _, f in rows])
        return ids, typed, len(rows)

    def take(self, ids, count):
        """Yields (ids, {name: (type, {row: value})}) for the next vectors."""
        if self.vectors_have_ids not in (None, bool(ids)):
            raise Refused("neither by id nor row by row")
        self.vectors_have_ids = bool(ids)
        if self.reader is None:
            if self.source.broken:
                raise Refused("broken rows")
            kind = self.kind if not ids else "text" if isinstance(ids[0], str) else "number"
            self.reader = self.source.id_reader(kind)
        if not self.by_id:
            own, typed, have = self.read(count)
            self.both = self.both or bool(ids and own)
            self.keep(own or [], typed)
            if not self.both or own == ids:
                if have < count:
                    raise Refused("fewer rows than vectors")
                return (ids or own), typed
            self.by_id = True
            own, typed, have = self.read(len(self.source.rows))
            self.keep(own or [], typed)
        out = {}
        for at, i in enumerate(ids):
            for name, (kind, value) in self.table.get(i, {}).items():
                old, cells = out.setdefault(name, (kind, {}))
                if old != kind:
                    out[name] = ("f64", cells)
                cells[at] = value
        for name, (kind, cells) in out.items():
            if kind == "f64":
                try:
                    out[name] = (kind, {at: values.exactly(v) if isinstance(v, int) else v for at, v in cells.items()})
                except values.Misfit:
                    raise Refused(f"{name} would be rounded") from None
        return ids, out

    def keep(self, ids, typed):
        for at, i in enumerate(ids):
            if self.by_id and i in self.table:
                raise Refused(f"{i} is there twice")
            self.table[i] = {n: (kind, cells[at]) for n, (kind, cells) in typed.items() if at in cells}

    def finish(self):
        if self.reader is None:  # no vectors: whether the rows have ids does not matter
            self.reader = self.source.id_reader(self.kind)
        if self.by_id or self.at == len(self.source.rows):
            return
        if not self.both:
            raise Refused("more rows than vectors")
        self.read(len(self.source.rows))


class Ingest:
    def __init__(self, world, op):
        self.world, self.op = world, op
        self.added = self.replaced = self.kept = 0
        self.acknowledged = []
        self.states = [world.store]  # after as many batches
        self.pending = world.store  # with what is declared, which stays where a batch or the whole command does

    def run(self):
        """Changes the world batch by batch; Refused may come behind some of them."""
        op, store = self.op, self.world.store
        if op.get("contradiction"):
            raise Refused(op["contradiction"])
        if store is None and not op["create"]:
            raise Refused("no such store")
        if store is not None and (op["metric"] not in (None, store.metric) or op["dtype"] not in (None, store.dtype)):
            raise Refused("the store is another one")
        self.kind = store.kind if store and store.kind else op["id_type"]
        if op["id_type"] not in (None, self.kind):
            raise Refused("the ids are of the other kind")
        listed = None
        if op["ids"]:
            if op["ids"].broken:
                raise Refused("broken ids")
            listed = op["ids"].id_reader(self.kind).take([r[0] for r in op["ids"].rows], op["ids"].written) or []
        self.join = op["meta"] and Join(op["meta"], op["schema"], store.schema if store else {}, self.kind, bool(op["id_column"]))
        for source in op["files"]:
            self.read(source, listed)
        if self.join:
            self.join.finish()
        if listed:
            raise Refused("more ids than vectors")
        self.world.store = self.states[-1] = self.pending
        return self

    def read(self, source, listed):
        op, world = self.op, self.world
        if source.broken:
            raise Refused("a broken file")
        dim = source.dim or len(source.rows[0][1])
        store = self.pending.copy() if self.pending else Store(dim, op["metric"] or "l2", op["dtype"] or source.dtype, op["id_type"])
        store.declare(op["schema"])
        ids = source.id_reader(self.kind)
        columns = Columns(op["schema"], store.schema)
        for at in range(0, len(source.rows), op["batch"]):
            store = store.copy()
            if self.chunk(store, source, source.rows[at:at + op["batch"]], ids, columns, listed):
                world.store = store
                self.states.append(store)
            self.pending, self.kind = store, store.kind
        self.pending = store

    def chunk(self, store, source, rows, reader, columns, listed):
        op = self.op
        if op["id_column"] and not self.join and any(r[0] is None for r in rows):
            raise Refused("a row without an id")
        ids = reader.take([r[0] for r in rows], source.written)
        vectors = [[element(x) for x in r[1]] for r in rows]
        if any(len(v) != (source.dim or len(source.rows[0][1])) for v in vectors):
            raise Refused("rows of different lengths")
        if op["ids"]:
            if len(listed) < len(rows):
                raise Refused("fewer ids than vectors")
            ids, listed[:len(rows)] = listed[:len(rows)], []
        typed = columns.batch([cells_of(r[2], columns.fixed, source.written) for r in rows])
        if self.join:
            ids, more = self.join.take(ids, len(rows))
            if typed.keys() & more.keys():
                raise Refused("a field comes twice")
            typed |= more
        if op["ttl"]:
            if "_expires" in typed:
                raise Refused("a time to live comes twice")
            end = values.About(min(2**63 - 1, time.time_ns() + op["ttl"] * 10**9))
            typed["_expires"] = ("timestamp", {at: end for at in range(len(rows))})
        if op["on_duplicate"] == "keep" and ids and set(ids) <= store.live().keys():
            self.kept += len(rows)  # nothing is written, no field either
            return False
        fields = [dict() for _ in rows]
        store.put_columns(typed, fields)
        added, replaced, kept = store.write(vectors, ids, fields, op["on_duplicate"])
        self.added, self.replaced, self.kept = self.added + added, self.replaced + replaced, self.kept + kept
        if added:
            self.acknowledged.append(self.added)
        return added > 0
