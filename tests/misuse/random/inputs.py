"""Files of random rows, with what they mean: jsonl, JSON arrays, csv of every separator, npy of every shape, lists of ids."""
import gzip
import json
import struct

import values
from ingest import Input
from values import Digits

TEXTS = ["", "a", "b", "Ann", "007", "7", "1.0", "true", "null", "é", "e\u0301", "İ", "ı", "ﬁ", "it's", 'say "x"', "x,y", "p;q",
         "t\tu", "l\nm", "r\rs", "c\r\nd", " edge ", "\x01\x1f", "\x7f\x9b", "\u202eabc", "a\u2028b", "𐐀", "[1]", "{", "@3", "-5",
         "2024-01-31", "日本", "#", "\\", "\\n", "x" * 300]
LISTS = [[], ["a"], ["a", "a", "b"], ["é", "e\u0301"], ["", "x"], ["7"], ["it's", "İ"]]
NUMBERS = [0, 1, -1, 2, 3, 7, 100, 2**53, 2**53 + 1, -2**63, 2**63 - 1, 2**63, 2**64 - 1]
HUGE = [Digits("18446744073709551616"), Digits("-9223372036854775809"), Digits("1e400"), Digits("123456789012345678901234567890")]
REALS = [0.5, -0.0, 0.1, 1e22, 1e-7, 5e-324, 1.7e308, 2.0, -2.5, Digits("1E2"), Digits("1.0"), Digits("-0.0")]
TIMES = ["2024-01-31", "2024-01-31T10:00:00Z", "1969-12-31T23:59:59.5Z", "2024-02-29 10:00:00.25+02:00", "2262-04-11", "1678-01-01T00:00",
         "2024-06-30T12:00:00.123456789-0330", 0, -1, 10**18]
BASE64 = ["", "AA==", "AAH/", "/+8=", "Zm9v"]
LINE_ENDS = ["\n", "\n", "\r\n", "\r"]


def pick(rng, few, many, chance=0.8):
    return rng.choice(few) if rng.random() < chance else rng.choice(many)


# Of each field what its values are; a store may know it under another type by then.
FIELDS = {
    "n": lambda rng: pick(rng, NUMBERS[:7], NUMBERS, 0.85),
    "x": lambda rng: pick(rng, [0.5, 1.5, -2.5, 3.25], REALS),
    "s": lambda rng: pick(rng, TEXTS[1:9], TEXTS),
    "b": lambda rng: rng.random() < 0.5,
    "l": lambda rng: list(rng.choice(LISTS)),
    "t": lambda rng: rng.choice(TIMES),
    "e": lambda rng: rng.choice(["de", "en", "tr", "İ"]),
    "raw": lambda rng: rng.choice(BASE64),
    "u": lambda rng: pick(rng, [0, 5, 2**64 - 1], NUMBERS),
    "my field": lambda rng: rng.choice(TEXTS[1:6]),
    "größe": lambda rng: rng.choice([1, 2, 3]),
    "o": lambda rng: {"a": rng.choice([1, 2]), "b": {"c": rng.choice(["x", "y"])}},
    "j": lambda rng: rng.choice([[1, 2], [1, "a"], [None, True], [[1], [2]]]),
}
TYPED = {"t": "timestamp", "e": "enum", "raw": "bytes", "u": "u64", "n": "i64", "x": "f64", "s": "string", "b": "bool", "l": "list",
         "my field": "string", "größe": "i64", "o": "string", "j": "string"}


def field_value(rng, name, misfits):
    if rng.random() < 0.15:
        return None
    if rng.random() < misfits:
        return rng.choice([rng.choice(HUGE), *(make(rng) for make in FIELDS.values())])
    return FIELDS[name](rng)


def csv_text(value):
    """A value as a csv would have it; None is an empty cell."""
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return values.render(value)


def jsonl(rng, name, rows, id_name="id", vector_name="vector", pipe=False, broken=None):
    """rows: (id, vector, fields), or (id, fields) without vectors."""
    lines = []
    for row in rows:
        members = list(row[-1].items())
        if len(row) == 3:
            members.insert(rng.randint(0, len(members)), (vector_name, list(row[1])))
        if row[0] is not None:
            members.insert(rng.choice([0, len(members)]), (id_name, row[0]))
        lines.append(values.render(dict(members), ascii_only=rng.random() < 0.3))
    form = rng.random()
    end = rng.choice(LINE_ENDS)
    if form < 0.12 and rows:
        text = "[" + ("," + end).join(lines) + "]" + rng.choice(["", end])
    else:
        text = (end + (end if form > 0.9 else "")).join(lines) + rng.choice([end, end, ""])
    if rng.random() < 0.1 and rows:
        text = "\ufeff" + text
    if broken and lines:
        cut = text[:-max(2, len(end) + 1)].rstrip("}\r\n]")
        text = rng.choice([cut, text + "{", text + "NaN", text.replace("{", "{,", 1), text.replace(":", " ", 1)])
    return Input(name, packed(rng, text.encode()), rows, dim=None, broken=bool(broken) or not rows, ids_known=not pipe)


def packed(rng, content):
    return gzip.compress(content, mtime=0) if rng.random() < 0.06 else content


def quoted(rng, text, separator):
    if text is None:
        return ""
    must = text == "" or text != text.strip(" \t") or text[0] == '"' or any(c in text for c in "\r\n" + separator)
    if must or rng.random() < 0.1:
        return '"' + text.replace('"', '""') + '"'
    return text


def csv(rng, name, rows, id_name="id", columns=(), vectors=True, pipe=False, broken=None):
    """rows as in jsonl(), with texts in the fields. Meaning is as written; vectors are components or one column."""
    has_id = any(r[0] is not None for r in rows)
    dim = len(rows[0][1]) if vectors and rows else 0
    one_column = vectors and rng.random() < 0.15
    header = has_id or columns or one_column or not vectors or rng.random() < 0.5
    stem = rng.choice(["v", "x_", "dim"])
    parts = [("vector", [])] if one_column else [(f"{stem}{i}", i) for i in range(dim)] if vectors else []
    layout = [("id", None)] * has_id + [("vec", p) for p in parts] + [("field", c) for c in columns]
    if not one_column and rng.random() < 0.5:
        layout.reverse() if not vectors else layout.sort(key=lambda p: p[0])
    full = all(r[-1].get(c) is not None for r in rows for c in columns)
    # A line of blanks is no row: where all may be null it has commas.
    separator = rng.choice(",,;" + ("\t" if has_id or vectors else "") + (" " if full and not one_column and len(layout) > 1 else ""))
    lines = []
    if header:
        names = [id_name if kind == "id" else p[0] if kind == "vec" else p for kind, p in layout]
        lines.append(separator.join(quoted(rng, n, separator + " ") for n in names))
    for row in rows:
        cells = []
        for kind, part in layout:
            if kind == "id":
                cells.append(quoted(rng, row[0], separator))
            elif kind == "field":  # one column alone is taken for one with commas
                cells.append(quoted(rng, row[-1].get(part), separator + "," * (len(layout) == 1)))
            elif one_column:
                cells.append(quoted(rng, "[" + rng.choice([", ", ","]).join(map(str, row[1])) + "]", separator + ", "))
            else:
                cells.append(quoted(rng, str(row[1][part[1]]), separator) if part[1] < len(row[1]) else "")
        if len(row) == 3 and not one_column and len(row[1]) > dim:
            cells.append("1")
        if len(row) == 3 and not one_column and len(row[1]) < dim:
            cells = cells[:-1]
        lines.append((separator + " " if separator in ",;" and rng.random() < 0.1 else separator).join(cells))
    end = rng.choice(LINE_ENDS)
    text = ("\ufeff" if rng.random() < 0.1 else "") + (end + (end if rng.random() < 0.1 else "")).join(lines) + rng.choice([end, end, ""])
    if broken and lines:
        text += "" if text.endswith(end) else end
        text = rng.choice([text + '"open', text + separator.join(["9"] * (len(layout) + 3)), ""])
    # With control codes it is no text, as files of vectors are recognised.
    broken = bool(broken) or not rows or (vectors and "\x01" in text)
    return Input(name, packed(rng, text.encode()), rows, written=True, ids_known=not pipe, broken=broken)


NPY = {"<f4": ("f", "f32"), ">f4": ("f", "f32"), "<f8": ("d", "f32"), ">f8": ("d", "f32"), "<f2": ("e", "f16"), "|i1": ("b", "i8"),
       "|u1": ("B", "u8"),
       "<i4": ("i", "f32"), ">i2": ("h", "f32"), "<i8": ("q", "f32"), "<u8": ("Q", "f32"), "<u2": ("H", "f32")}


def npy_bytes(rng, code, rows, shape, fortran=False):
    letter = NPY[code][0]
    flat = [x for row in rows for x in row] if not fortran else [row[i] for i in range(shape[1]) for row in rows]
    raw = b"".join(struct.pack((">" if code[0] == ">" else "<") + letter, x if letter in "fde" else int(x)) for x in flat)
    version = rng.choice([1, 1, 2, 3])
    header = f"{{'descr': '{code}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header.encode() + raw


def npy(rng, name, vectors, dim, broken=None):
    """Vectors of whole numbers go into every type that holds them."""
    whole = all(x == int(x) for v in vectors for x in v)
    least, most = min((x for v in vectors for x in v), default=0), max((x for v in vectors for x in v), default=0)
    fits = {"b": (-128, 127), "B": (0, 255), "h": (-2**15, 2**15 - 1), "H": (0, 2**16 - 1), "i": (-2**24, 2**24), "q": (-2**24, 2**24),
            "Q": (0, 2**24)}
    codes = [c for c, (letter, _) in NPY.items() if (letter in "fd" or letter == "e" and whole and abs(least) < 2048 and most < 2048) or
             (letter in fits and whole and fits[letter][0] <= least and most <= fits[letter][1])]
    code = rng.choice(codes)
    content = npy_bytes(rng, code, vectors, (len(vectors), dim), fortran=rng.random() < 0.2)
    if broken:
        content = rng.choice([content[:-1], content[:20], content.replace(b"shape", b"shap_"),
                              npy_bytes(rng, "<f4", [[float("nan")] * dim], (1, dim)), npy_bytes(rng, "<f4", [[1.0] * 6], (1, 3, 2))])
    return Input(name, packed(rng, content), [(None, list(v), {}) for v in vectors], dtype=NPY[code][1], dim=dim, broken=bool(broken))


def fvecs(rng, name, vectors, dim, broken=None):
    content = b"".join(struct.pack(f"<I{dim}f", dim, *v) for v in vectors)
    if broken:
        content = content[:-1] if rng.random() < 0.5 else content + struct.pack("<I", dim + 1) + bytes(4 * dim)
    return Input(name, packed(rng, content), [(None, list(v), {}) for v in vectors], dim=dim, broken=bool(broken))


def id_list(rng, name, ids):
    """A file of ids, as text or npy."""
    if ids and all(isinstance(i, int) for i in ids) and rng.random() < 0.4:
        code = "<i8" if max(ids) < 2**63 and rng.random() < 0.5 else "<u8"
        return Input(name, npy_bytes(rng, code, [[i] for i in ids], (len(ids),)), [(i,) for i in ids])
    end = rng.choice(LINE_ENDS)
    text = ("\ufeff" if rng.random() < 0.1 else "") + end.join(map(str, ids)) + rng.choice([end, ""]) + rng.choice(["", "", end])
    return Input(name, text.encode(), [(str(i),) for i in ids], written=True, ids_known=False, broken=not text.strip("\ufeff\r\n "))
