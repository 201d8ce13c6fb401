"""Answers of commands beside what the model says."""
import json
import math
import struct

import values


class Wrong(AssertionError):
    pass


def one_key_each(pairs):
    out = dict(pairs)
    if len(out) < len(pairs):
        raise Wrong(f"a key is there twice in {pairs}")
    return out


def not_json(word):
    raise Wrong(f"{word} is no JSON")


def parsed(raw):
    """Lines of JSON: valid UTF-8, no key twice, no NaN."""
    text = raw.decode("utf-8")
    if text and not text.endswith("\n"):
        raise Wrong(f"the last line is open: {text[-200:]!r}")
    try:
        return [json.loads(line, object_pairs_hook=one_key_each, parse_constant=not_json,
                           parse_int=lambda s: -0.0 if s == "-0" else int(s)) for line in text.split("\n")[:-1]]
    except ValueError as e:
        raise Wrong(f"no JSON: {e} in {text[:500]!r}") from None


def same(a, b):
    """Equal also in type and in the sign of zero."""
    if isinstance(b, values.About):
        return isinstance(a, str) and abs(values.nanoseconds(a) - b) < 600 * 10**9
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


def same_vector(a, b):
    return len(a) == len(b) and all(struct.pack("<f", x) == struct.pack("<f", y) for x, y in zip(a, b))


def lines_are(got, wanted, vectors=False):
    if len(got) != len(wanted):
        raise Wrong(f"{len(got)} lines, not {len(wanted)}: {got[:5]} instead of {wanted[:5]}")
    for g, w in zip(got, wanted):
        g, w = dict(g), dict(w)
        if vectors and not same_vector(g.pop("vector"), w.pop("vector")):
            raise Wrong(f"another vector: {g} {w}")
        if not same(g, w):
            raise Wrong(f"got {g}, expected {w}")


def no_more(lines):
    if len(lines) > 1:
        raise Wrong(f"one line was expected: {lines}")


def content(lines, store):
    """The export of a whole store."""
    ids = store.ids()
    if not store.ordered:
        lines, ids = sorted(lines, key=lambda r: str(r["id"])), sorted(ids, key=str)
    lines_are(lines, [{"id": i, "vector": list(store.rows[i].vector), **store.shown(i)} for i in ids], vectors=True)
    for line in lines:  # from now on it is known when they expire
        row = store.rows[line["id"]]
        if isinstance(row.fields.get("_expires"), values.About):
            store.rows[line["id"]] = row.with_fields({"_expires": values.nanoseconds(line["_expires"])})


def good_scan(pages, store, ids, op):
    """pages: lines of each, without the cursor."""
    columns = None if "*" in op["columns"] else op["columns"]
    wanted = [{"id": i, "row": store.shown(i, columns)} if op["columns"] else {"id": i} for i in ids]
    got = [line for page in pages for line in page]
    if not store.ordered:
        got, wanted = sorted(got, key=lambda r: str(r["id"])), sorted(wanted, key=lambda r: str(r["id"]))
    lines_are(got, wanted)
    if any(len(page) > op["limit"] for page in pages):
        raise Wrong("a page is longer than --limit")


def key(value):
    return json.dumps([type(value).__name__, value])


def counts_by(lines, store, field, ids):
    wanted = {}
    for i in ids:
        value = store.shown(i).get(field)
        for v in dict.fromkeys(value) if isinstance(value, list) else [value]:
            wanted[key(v)] = wanted.get(key(v), 0) + 1
    got = {key(line["value"]): line["count"] for line in lines}
    if got != dict(sorted(wanted.items(), key=lambda e: -e[1])[:100]) or len(got) != len(lines):
        raise Wrong(f"counts {got}, expected {wanted}")
    counts = [line["count"] for line in lines]
    if counts != sorted(counts, reverse=True):
        raise Wrong(f"the most frequent is not first: {counts}")


def good_status(lines, store, killed):
    status = lines[0]
    wanted = {"dim": store.dim, "metric": store.metric, "dtype": store.dtype, "lost_epochs": 0}
    if not killed:
        wanted["recovered_from"] = None
    wanted["vectors"] = len(store.live())
    wanted["ids"] = {"number": "numbers", "text": "texts", None: "undecided"}[store.kind]
    lines_are([{k: status.get(k) for k in wanted}], [wanted])


def good_epochs(lines):
    epochs = [line["epoch"] for line in lines]
    if epochs != sorted(set(epochs), reverse=True):
        raise Wrong(f"epochs {epochs}")


def distance(metric, a, b):
    if metric == "l2":
        return sum((x - y) ** 2 for x, y in zip(a, b))
    dot = sum(x * y for x, y in zip(a, b))
    if metric == "ip":
        return -dot
    return 1 - dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def good_query(lines, store, vectors, ids, op):
    if [line["query"] for line in lines] != list(range(len(vectors))):
        raise Wrong(f"{len(vectors)} queries, answers {lines}")
    for line, vector in zip(lines, vectors):
        nearest(line, store, {i: distance(store.metric, vector, store.rows[i].vector) for i in ids}, op)
        if op["columns"]:
            columns = None if "*" in op["columns"] else op["columns"]
            lines_are(line["rows"], [store.shown(i, columns) for i in line["ids"]])


def nearest(line, store, all_, op):
    got, printed = line["ids"], line["distances"]
    if len(set(got)) < len(got) or not set(got) <= all_.keys() or len(got) != len(printed):
        raise Wrong(f"ids {got} of {sorted(all_, key=str)}")
    scale = max([1.0, *(abs(x) for i in store.rows for x in store.rows[i].vector)]) ** 2

    def close(a, b):
        if a is None or b > 3e38:
            return a is None or a > 3e38
        return abs(a - b) <= 1e-5 * max(scale, abs(b))
    for i, d in zip(got, printed):
        if not close(d, all_[i]):
            raise Wrong(f"the distance of {i} is {all_[i]}, not {d}")
    # The same distances as a sorted list has; which of equally far vectors stand there is free, but for their ids.
    order = sorted(all_, key=lambda i: (all_[i], i if isinstance(i, int) else 0))
    most = op["within"] if op["within"] is not None else op["most"]
    if most is not None:
        # A cosine is rounded: what stands on the border may be in or out.
        border = 1e-5 if store.metric == "cosine" else 0
        order = [i for i in order if all_[i] <= most - border or (all_[i] <= most + border and i in got)]
    if op["group_by"]:
        seen, kept = {}, []
        for i in order:
            value = json.dumps(store.shown(i).get(op["group_by"]))
            seen[value] = seen.get(value, 0) + 1
            kept += [i] * (seen[value] <= op["group_size"])
        order = kept
    if op["within"] is None:
        order = order[:op["k"]]
    if len(order) != len(got) or not all(close(d, all_[i]) for d, i in zip(printed, order)):
        raise Wrong(f"got {got} at {printed}, expected {order} at {[all_[i] for i in order]}")
    for a, b, c, d in zip(got, got[1:], printed, printed[1:]):
        if c is not None and d is not None and (c > d or (c == d and isinstance(a, int) and a > b)):
            raise Wrong(f"the order is wrong: {got} at {printed}")
