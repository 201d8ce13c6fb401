"""Filters: made at random, written as text, and answered by hand. A part of docs/filters.md."""
import values
from columns import Refused
from inputs import FIELDS, TEXTS, TIMES
from values import render

ORDER = ("<", "<=", ">", ">=")
COMPARE = {"=": lambda a, b: a == b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}
TEXTUAL = ("string", "enum", "list")
JSON_NAMES = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "in": "$in", "not in": "$nin",
              "between": "$between", "starts with": "$startsWith", "contains": "$contains"}
TEXTS_HERE = [t for t in TEXTS if len(t) < 40]


class Bytes(bytes):
    pass


def literal(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Bytes):
        return "x'" + value.hex() + "'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def name(field):
    return field if all(c.isalpha() or c in "._" for c in field) else f"`{field}`"


def text(node):
    kind, *rest = node
    if kind in ("and", "or"):
        return f" {kind} ".join(f"({text(n)})" for n in rest)
    if kind == "not":
        return f"not ({text(rest[0])})"
    field, value = rest
    field = name(field)
    if kind in ("is null", "is not null"):
        return f"{field} {kind}"
    if kind in ("in", "not in"):
        return f"{field} {kind} ({', '.join(literal(v) for v in value)})"
    if kind == "between":
        return f"{field} between {literal(value[0])} and {literal(value[1])}"
    return f"{field} {kind} {literal(value)}"


def as_json(node):
    """The same in JSON, where no value is bytes."""
    kind, *rest = node
    if kind in ("and", "or"):
        return {"$" + kind: [as_json(n) for n in rest]}
    if kind == "not":
        return {"$not": as_json(rest[0])}
    field, value = rest
    if kind in ("is null", "is not null"):
        return {field: {"$exists": kind == "is not null"}}
    if kind == "not starts with":
        return {field: {"$not": {"$startsWith": value}}}
    return {field: {JSON_NAMES[kind]: value}}


def a_value(rng, kind):
    if kind in TEXTUAL:
        return rng.choice(TEXTS_HERE)
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "bytes":
        return Bytes(rng.choice([b"", b"\0", b"\0\1\xff", b"foo"]))
    if kind == "timestamp":
        return rng.choice(TIMES)
    if kind == "id":
        return rng.choice([0, 1, 3, 7, 2**64 - 2])
    return rng.choice([0, 1, -1, 2, 3, 0.5, 2.5, -2.5, 1e22, 2**53, 2**53 + 1, -2**63, 2**63, 2**64 - 1])


def types_of(store):
    return store.schema | {"id": "string" if store.kind == "text" else "id"}


def leaf(rng, store):
    types = types_of(store)
    field = rng.choice(sorted(types)) if rng.random() < 0.97 else rng.choice(sorted(FIELDS))
    kind = types.get(field, "string")
    value = a_value(rng, kind if rng.random() < 0.97 else rng.choice(values.TYPES))
    ops = ["=", "=", "!=", "in", "not in", "is null", "is not null"]
    if kind not in ("bool", "list"):
        ops += [*ORDER, "between"]
    if kind in TEXTUAL:
        ops += ["starts with", "contains", "not starts with"]
    op = rng.choice(ops)
    if op in ("is null", "is not null"):
        return op, field, None
    if op in ("in", "not in"):
        return op, field, [value] + [a_value(rng, kind) for _ in range(rng.randint(0, 2))] + [None] * (rng.random() < 0.2)
    if op == "between":
        return op, field, [value, a_value(rng, kind)]
    return op, field, value


def make(rng, store, depth=2):
    if depth and rng.random() < 0.35:
        kind = rng.choice(["and", "or", "not"])
        return (kind, *(make(rng, store, depth - 1) for _ in range(1 if kind == "not" else rng.randint(2, 3))))
    return leaf(rng, store)


def fitting(value, kind, field):
    """A literal as a value of the field's type, or Refused."""
    ok = {"bool": bool, "bytes": Bytes}.get(kind)
    if kind in TEXTUAL:
        ok = str
    if ok:
        if not isinstance(value, ok):
            raise Refused(f"{field}: {value!r} is no {kind}")
        return value.encode() if ok is str else bytes(value) if ok is Bytes else value
    if kind == "timestamp" and isinstance(value, str):
        try:
            return values.nanoseconds(value)
        except values.Misfit:
            raise Refused(f"{field}: {value!r} is no time") from None
    if isinstance(value, (bool, str, Bytes)):
        raise Refused(f"{field}: {value!r} is no number")
    return float(value) if kind == "f64" else value


def check(node, store):
    """Refused where the filter does not fit the store's fields."""
    kind, *rest = node
    if kind in ("and", "or", "not"):
        for n in rest:
            check(n, store)
        return
    field, value = rest
    types = types_of(store)
    if field not in types:
        raise Refused(f"there is no field {field}")
    for v in value if isinstance(value, list) else [value]:
        if v is not None:
            fitting(v, types[field], field)


def matches(node, store, i):
    kind, *rest = node
    if kind == "and":
        return all(matches(n, store, i) for n in rest)
    if kind == "or":
        return any(matches(n, store, i) for n in rest)
    if kind == "not":
        return not matches(rest[0], store, i)
    if kind == "!=" or kind.startswith("not "):
        return not matches(("=" if kind == "!=" else kind[4:], *rest), store, i)
    field, value = rest
    if kind == "is not null":
        return not matches(("is null", field, None), store, i)
    stored = i if field == "id" else store.rows[i].fields.get(field)
    if kind == "is null":
        return stored is None
    if stored is None:
        return kind == "in" and None in value
    type_ = types_of(store)[field]
    wanted = [fitting(v, type_, field) for v in (value if isinstance(value, list) else [value]) if v is not None]
    for x in stored if isinstance(stored, list) else [stored]:
        x = x.encode() if isinstance(x, str) else x
        if kind == "in" and x in wanted or kind in COMPARE and COMPARE[kind](x, wanted[0]):
            return True
        if kind == "between" and wanted[0] <= x <= wanted[1] or kind == "starts with" and x.startswith(wanted[0]):
            return True
        if kind == "contains" and (x == wanted[0] if isinstance(stored, list) else wanted[0] in x):
            return True
    return False
