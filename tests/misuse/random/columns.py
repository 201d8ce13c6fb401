"""How the fields of rows find their types: given by --schema, known from the store, else seen in a batch."""
import values
from values import Misfit

NUMBERS = ("i64", "u64", "f64")


class Refused(Exception):
    """The command must end with 1 and change nothing more."""


def common_type(a, b):
    if a == b:
        return a
    if a in NUMBERS and b in NUMBERS:
        return "f64"
    if {a, b} == {"string", "enum"}:
        return "string"
    raise Refused(f"{a} and {b} have no type in common")


def type_of(looks):
    return {"bool": "bool", "int": "i64", "large": "u64", "real": "f64", "empty": "list", "list": "list"}.get(looks, "string")


class Inferred:
    """What is known of a field without a type, over the batches of one file."""

    def __init__(self):
        self.looks = None
        self.given_out = None
        self.negative = False

    def join(self, cell):
        is_open = cell[0] == "open"
        a, b = self.looks, values.looks_of(cell[1]) if is_open else cell[0]
        if b == "huge":
            raise Refused("a number beyond 64 bits has no type")
        self.negative = self.negative or (b == "int" and int(cell[1]) < 0)
        both = b
        if a is None or a == b:
            pass
        elif {a, b} == {"int", "large"}:
            both = "real" if self.negative else "large"
        elif a in ("int", "large", "real") and b in ("int", "large", "real"):
            both = "real"
        elif a in ("empty", "list", "json") and b in ("empty", "list", "json"):
            both = max(a, b, key=("empty", "list", "json").index)
        elif {a, b} == {"text", "json"} or is_open:
            both = "text"
        else:
            raise Refused(f"{a} and {b} in one field")
        if self.given_out and type_of(both) != self.given_out:
            if a not in ("int", "large", "real") or both not in ("int", "large", "real"):
                raise Refused(f"{b} behind rows of {self.given_out}")
            both = "real"
        self.looks = both


class Columns:
    """Of one file: rows of cells become columns, batch by batch."""

    def __init__(self, declared, known):
        self.declared, self.known = dict(declared), dict(known)
        self.known["_expires"] = "timestamp"
        self.inferred = {}

    def fixed(self, name):
        return self.declared.get(name) or self.known.get(name)

    def batch(self, rows):
        """rows: of each row {name: cell}. Yields {name: (type, {row: value})}."""
        out = {}
        for at, row in enumerate(rows):
            for name, cell in row.items():
                if cell is None:
                    continue
                out.setdefault(name, {})[at] = self.accept(name, cell)
        typed = {}
        for name, cells in out.items():
            kind = self.fixed(name)
            try:
                if kind is None:
                    kind = type_of(self.inferred[name].looks)
                    cells = {at: self.as_found(cell, kind) for at, cell in cells.items()}
                    self.inferred[name].given_out = kind
                elif kind == "f64":
                    cells = {at: values.exactly(v) if isinstance(v, int) else v for at, v in cells.items()}
            except Misfit:
                raise Refused(f"{name}: a value does not fit {kind}") from None
            typed[name] = (kind, cells)
        return typed

    @staticmethod
    def as_found(cell, kind):
        return cell[1] if kind == "string" and cell[0] in ("open", "json") else values.convert(cell, kind)

    def accept(self, name, cell):
        kind = self.fixed(name)
        if kind is None:
            self.inferred.setdefault(name, Inferred()).join(cell)
            return cell
        try:
            return values.convert(cell, kind)
        except Misfit:
            pass
        try:
            if name == "_expires" and isinstance(cell[1], str):
                return values.nanoseconds(cell[1], saturate=True)
            looks = values.looks_of(cell[1]) if cell[0] == "open" else cell[0]
            if name not in self.declared and kind == "i64" and looks in ("int", "large", "real"):
                value = values.convert(cell, "f64")
                self.known[name] = "f64"
                return value
        except Misfit:
            pass
        raise Refused(f"{name}: {cell} does not fit {kind}")
