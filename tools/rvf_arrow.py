"""Arrow tables as vectors, ids and rows of metadata, and back."""
import json

import numpy as np

from rvf_pipe import Failure, need

NUMBERS = {"halffloat": (np.float16, "f16"), "float": (np.float32, None), "double": (np.float64, None),
           "int8": (np.int8, "i8"), "uint8": (np.uint8, "u8")}


def is_list(pa, t):
    return pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t)


class ArrowColumns:
    """Knows which column of a table is what."""

    def __init__(self, schema, vector=None, key=None, cleaner=None):
        self.pa = pa = need("pyarrow")
        self.pc = need("pyarrow.compute", "pyarrow")
        self.cleaner = cleaner
        candidates = [f.name for f in schema if is_list(pa, f.type) and str(f.type.value_type) in NUMBERS]
        fixed = [n for n in candidates if pa.types.is_fixed_size_list(schema.field(n).type)]
        if vector is None:
            for some in (fixed, [n for n in candidates if n in ("vector", "embedding")], candidates):
                if len(some) == 1:
                    vector = some[0]
                    break
            else:
                raise Failure(f"which column holds the vectors? --vector-column NAME; lists of numbers are: "
                              f"{', '.join(candidates) or 'none'}")
        if vector not in candidates:
            raise Failure(f"the column {vector!r} does not hold lists of numbers; those that do: "
                          f"{', '.join(candidates) or 'none'}")
        if key is not None and key not in schema.names:
            raise Failure(f"no column {key!r} among {', '.join(schema.names)}")
        self.vector = vector
        self.key = key if key is not None else "id" if "id" in schema.names else None
        self.element, self.dtype = NUMBERS[str(schema.field(vector).type.value_type)]
        self.others = [f.name for f in schema if f.name not in (self.vector, self.key)]
        self.kinds = {n: self.field_type(schema.field(n).type) for n in self.others}
        # Structures have no type: the store takes them apart (author.name).
        self.schema = {n: {"type": kind} for n, kind in self.kinds.items() if kind}

    def field_type(self, t):
        pa, types = self.pa, self.pa.types
        if types.is_boolean(t):
            return "bool"
        if types.is_uint64(t):
            return "u64"
        if types.is_integer(t):
            return "i64"
        if types.is_floating(t):
            return "f64"
        if types.is_timestamp(t) or types.is_date(t):
            return "timestamp"
        if types.is_dictionary(t) and self.field_type(t.value_type) == "string":
            return "enum"
        if types.is_binary(t) or types.is_large_binary(t) or types.is_fixed_size_binary(t):
            return "bytes"
        if is_list(pa, t) and (types.is_string(t.value_type) or types.is_large_string(t.value_type)):
            return "list"
        return None if types.is_struct(t) else "string"

    def split(self, batch):
        """(vectors, ids or None, rows) of a record batch; rows without a vector are left out."""
        table = self.pa.table(batch) if not isinstance(batch, self.pa.Table) else batch
        present = self.pc.is_valid(table.column(self.vector))
        if not self.pc.all(present).as_py():
            self.cleaner.count("rows without a vector left out", table.num_rows - self.pc.sum(present).as_py())
            table = table.filter(present)
        vectors = self.vectors(table.column(self.vector))
        ids = table.column(self.key).to_pylist() if self.key else None
        columns = {n: self.values(table.column(n), self.kinds[n]) for n in self.others}
        rows = [{n: v[i] for n, v in columns.items()} for i in range(table.num_rows)]
        return vectors, ids, rows if self.others else None

    def vectors(self, column):
        parts = []
        for chunk in column.chunks:
            if len(chunk) == 0:
                continue
            if self.pa.types.is_fixed_size_list(chunk.type):
                dim = chunk.type.list_size
            else:
                lengths = self.pc.unique(self.pc.list_value_length(chunk)).to_pylist()
                if len(lengths) != 1:
                    raise Failure(f"the vectors in {self.vector!r} are not all of one dimension: {lengths[:5]}")
                dim = lengths[0]
            flat = chunk.flatten()
            if flat.null_count:
                raise Failure(f"a vector in {self.vector!r} has a null in it")
            parts.append(flat.to_numpy(zero_copy_only=False).astype(self.element, copy=False).reshape(-1, dim))
        return np.concatenate(parts) if parts else np.empty((0, 0), self.element)

    def values(self, column, kind):
        pa = self.pa
        if kind == "timestamp":  # whole nanoseconds; Python's datetime has none
            try:
                column = column.cast(pa.timestamp("ns", getattr(column.type, "tz", None))).cast(pa.int64())
            except pa.ArrowInvalid as e:
                raise Failure(f"a time outside of 1677 to 2262: {e}") from None
        values = column.to_pylist()
        if kind == "list" and any(v and None in v for v in values):
            self.cleaner.count("rows with a null in a list of texts, which was left out",
                               sum(bool(v) and None in v for v in values))
            values = [v and [x for x in v if x is not None] for v in values]
        if kind == "string" and not pa.types.is_string(column.type):
            values = [v if v is None or isinstance(v, str) else self.as_text(v) for v in values]
        return values

    def as_text(self, v):
        v = self.cleaner.value(v)
        return v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)


def arrow_type(pa, field_type):
    """The Arrow type that holds a field, and that field_type() turns back into the same."""
    return {"string": pa.string(), "bytes": pa.binary(), "i64": pa.int64(), "u64": pa.uint64(), "f64": pa.float64(),
            "bool": pa.bool_(), "enum": pa.dictionary(pa.int32(), pa.string()), "timestamp": pa.timestamp("ns", "UTC"),
            "list": pa.list_(pa.string())}[field_type]
