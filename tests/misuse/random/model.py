"""What a store is, without files: ids and their vectors and fields, and what each command must do to them.

Written from docs/cli.md. A command either changes the model and says what is to be printed, or raises Refused.
"""
import copy
import struct
import time

import values
from columns import Columns, Refused, common_type

NO_ID = 2**64 - 1
RESERVED = ("id", "vector", "embedding")


def number_id(text):
    """The number that a written id is, or None."""
    if not text.isascii() or not text.isdigit() or (text[0] == "0" and len(text) > 1) or int(text) >= NO_ID:
        return None
    return int(text)


def flat(fields, types, prefix=""):
    """Objects taken apart: {"a": {"b": 1}} is a.b."""
    out = {}
    for name, value in fields.items():
        if isinstance(value, dict) and types(prefix + name) != "string":
            inner = flat(value, types, prefix + name + ".")
        else:
            inner = {prefix + name: value}
        for key, v in inner.items():
            if key in out:
                raise Refused(f"{key} is there twice")
            out[key] = v
    return out


class Row:
    def __init__(self, vector, fields, order):
        self.vector, self.fields, self.order = vector, fields, order

    def with_fields(self, fields, without=()):
        return Row(self.vector, {n: v for n, v in self.fields.items() if n not in without} | fields, self.order)

    def gone(self):
        return self.fields.get("_expires", 2**63) <= time.time_ns()


class Store:
    def __init__(self, dim, metric="l2", dtype="f32", kind=None):
        self.dim, self.metric, self.dtype, self.kind = dim, metric, dtype, kind
        self.next_id = 0
        self.order = 0
        self.ordered = True  # whether the order in which texts came in is known
        self.schema = {}
        self.rows = {}

    def copy(self):
        out = copy.copy(self)
        out.schema, out.rows = dict(self.schema), dict(self.rows)
        return out

    def live(self):
        return {i: r for i, r in self.rows.items() if not r.gone()}

    def ids(self):
        """As scan and export list them."""
        live = self.live()
        return sorted(live, key=(lambda i: live[i].order) if self.kind == "text" else None)

    def shown(self, i, columns=None):
        fields = self.rows[i].fields
        return {n: values.shown(v, self.schema[n]) for n, v in fields.items()
                if columns is None or n in columns}

    # ---- fields

    def declare(self, fields):
        """A field keeps its type, but that numbers widen where none is rounded."""
        schema = dict(self.schema)
        for name, kind in fields.items():
            if name in RESERVED or (name.startswith("_") and name != "_expires"):
                raise Refused(f"{name} is reserved")
            schema[name] = common_type(schema.get(name, kind), kind)
        rows = {}
        for i, row in self.rows.items():
            widened = {n: v for n, v in row.fields.items() if schema.get(n) == "f64" and not isinstance(v, float)}
            try:
                rows[i] = row.with_fields({n: values.exactly(v) for n, v in widened.items()}) if widened else row
            except values.Misfit:
                raise Refused("a stored number would be rounded") from None
        self.schema, self.rows = schema, rows

    def put_columns(self, typed, fields):
        """Takes typed columns into the schema, and into `fields`, a dict a row."""
        self.declare({name: kind for name, (kind, _) in typed.items()})
        for name, (_, cells) in typed.items():
            for at, value in cells.items():
                if self.schema.get(name) == "f64" and not isinstance(value, float):
                    try:
                        value = values.exactly(value)
                    except values.Misfit:
                        raise Refused(f"{name}: {value} is no f64") from None
                fields[at][name] = value

    # ---- vectors

    def stored(self, vector):
        if len(vector) != self.dim:
            raise Refused(f"{len(vector)} elements, the store has {self.dim}")
        out = []
        for x in vector:
            try:
                x = values.f32(x)
                if x != x or abs(x) == float("inf"):
                    raise Refused("not finite")
                if self.dtype == "f16":
                    x = values.f16(x)
                elif self.dtype == "bf16":
                    x = values.bf16(x)
                elif self.dtype in ("i8", "u8"):
                    if x != int(x) or int(x) not in (range(-128, 128) if self.dtype == "i8" else range(256)):
                        raise Refused(f"{x} is no {self.dtype}")
                    x = float(int(x))
            except (OverflowError, struct.error):
                raise Refused("beyond the range") from None
            out.append(x)
        return tuple(out)

    def write(self, vectors, ids, fields, mode):
        """One batch. ids: a list, or None where they are counted on. Yields (added, replaced, kept)."""
        if ids is None:
            if self.kind == "text":
                raise Refused("each vector needs a text id")
            if vectors and self.next_id + len(vectors) > NO_ID:
                raise Refused("no ids are left")
            ids = list(range(self.next_id, self.next_id + len(vectors)))
        there = self.live()
        chosen = {}
        for at, i in enumerate(ids):
            if mode == "error" and (i in there or i in chosen) or mode is None and i in chosen:
                raise Refused(f"{i} is there already")
            if mode == "keep":
                if i not in there and i not in chosen:
                    chosen[i] = at
            else:
                chosen.pop(i, None)
                chosen[i] = at
        kept = {i: self.stored(vectors[at]) for i, at in chosen.items()}  # what a mode leaves out may be anything
        replaced = sum(i in there for i in chosen)
        dropped = len(ids) - len(chosen)
        for i, at in chosen.items():
            old = self.rows.get(i)
            if old is not None and old.gone():
                self.ordered = False
            if old is None:
                self.order += 1
            self.rows[i] = Row(kept[i], fields[at], self.order if old is None else old.order)
        if ids and self.kind is None:
            self.kind = "text" if isinstance(ids[0], str) else "number"
        if self.kind == "number":
            self.next_id = max([self.next_id, *(i + 1 for i in chosen)])
        return (len(chosen), replaced, dropped) if mode == "keep" else (len(ids), replaced + dropped, 0)

    def delete(self, ids):
        live = self.live()
        found = [i for i in dict.fromkeys(ids) if i in live]
        for i in dict.fromkeys(ids):
            self.rows.pop(i, None)
        return len(found)

    # ---- ids as they are written on the command line

    def id_of(self, text):
        if self.kind == "text":
            return text
        n = number_id(text)
        if n is None:
            raise Refused(f"{text} is no id of this store")
        return n


class IdReader:
    """Ids of one file, by one rule for all files."""

    def __init__(self, kind):
        self.kind, self.present = kind, None

    def take(self, batch, written):
        """ids of a batch: int, str or None as JSON has them, or texts of a file of text (written)."""
        out = []
        for i in batch:
            if self.present not in (None, i is not None):
                raise Refused("some rows have ids and others none")
            self.present = i is not None
            if i is None:
                continue
            if isinstance(i, bool) or not isinstance(i, (int, str)) or isinstance(i, values.Digits) or i == "":
                raise Refused(f"{i!r} is no id")
            if isinstance(i, int):
                if i not in range(NO_ID):
                    raise Refused(f"{i} is no id")
                self.kind = self.kind or "number"
                out.append(str(i) if self.kind == "text" else i)
                continue
            if not written:
                self.kind = self.kind or "text"
            out.append(i if self.kind != "number" else number_id(i))
            if out[-1] is None:
                raise Refused(f"the id {i} is a text")
        if self.kind is None and out:
            numbers = [number_id(i) for i in out]
            self.kind = "text" if None in numbers else "number"
            out = out if None in numbers else numbers
        return out if self.present else None


def update(store, rows, declared, clear, written):
    """rows: (id, {name: cell or JSON value}). Yields how many."""
    store.declare(declared)
    columns = Columns(declared, store.schema)
    ids = IdReader("text" if store.kind == "text" else "number").take([i for i, _ in rows], written)
    if rows and ids is None:
        raise Refused("rows without ids")
    typed = columns.batch([cells_of(f, columns.fixed, written) for _, f in rows])
    live = store.live()
    if any(i not in live for i in ids) or len(set(ids)) < len(ids):
        raise Refused("an id is not there, or twice")
    fields = [dict() for _ in rows]
    for name in clear:
        if name not in store.schema or name in typed:
            raise Refused(f"{name} cannot be cleared")
    store.put_columns(typed, fields)
    for i, new in zip(ids, fields):
        store.rows[i] = store.rows[i].with_fields(new, without=clear)
    return len(ids)


def cells_of(fields, types, written):
    """Of a row its cells. In csv every value is a text."""
    if written:
        return {n: None if v is None else ("open", v) for n, v in fields.items()}
    cells = {n: values.cell_of(v) for n, v in flat(fields, types).items()}
    for name in cells:
        if not name or len(name.encode()) > 255 or any(ord(c) < 32 for c in name):
            raise Refused("a bad name")
        if name in RESERVED or (name.startswith("_") and name != "_expires"):
            raise Refused(f"{name} is reserved")
    return cells
