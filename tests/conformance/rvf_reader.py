"""An independent reader of RVF stores, written from docs/format.md alone. Standard library only.

    python3 rvf_reader.py STORE [--json]

Every hash and checksum on the way to an answer is verified. Refuses with RvfError what it cannot
prove; falls back to an older epoch only over damage, and says so (`recovered`). Reads the whole
file into memory.
"""
import hashlib
import json
import math
import os
import struct
import sys

from rvf_hashes import content_hash, crc32c, xxh3_128

DTYPES = ["f32", "f16", "bf16", "i8", "u8", "i4", "binary", "pq", "custom"]
METRICS = ["l2", "ip", "cosine", "hamming"]
DTYPE_BITS = [32, 16, 16, 8, 8, 4, 1]
VEC, INDEX, JOURNAL, MANIFEST, QUANT, FUSED = 0x01, 0x02, 0x04, 0x05, 0x06, 0xF4
HOT = 1 << 6  # a flag
DATA_SYNCED = 1
NO_ID = 2**64 - 1


class RvfError(Exception):
    """The file is not a store, or a part of it cannot be proven."""


def need(condition, what):
    if not condition:
        raise RvfError(what)


def align(n, to):
    return -(-n // to) * to


class Reader:
    """Integers out of bytes; a read past the end is an RvfError."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, n):
        need(n <= len(self.data) - self.at, "the data ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def unpack(self, fmt):
        return struct.unpack("<" + fmt, self.take(struct.calcsize("<" + fmt)))

    def u8(self):
        return self.take(1)[0]

    def u16(self):
        return self.unpack("H")[0]

    def u32(self):
        return self.unpack("I")[0]

    def u64(self):
        return self.unpack("Q")[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            need(value < 2**64, "a varint passes 64 bits")
            if byte < 0x80:
                return value
            shift += 7

    def pad(self, to):
        need(not any(self.take(align(self.at, to) - self.at)), "padding is not zero")


# Segments

class Segment:
    """A header, and the place of its payload; verify() checks the content hash."""

    def __init__(self, data, offset):
        need(offset % 64 == 0, "a segment is not aligned")
        need(offset + 64 <= len(data), "a segment lies outside the file")
        (magic, version, self.type, self.flags, self.id, self.length, self.timestamp, self.algo,
         self.compression, zero1, zero2, self.hash, self.unpacked, self.pad) = struct.unpack_from(
             "<IBBHQQQBBHI16sII", data, offset)
        need(magic == 0x52564653, "bad segment magic")
        need(version == 1, "segment version %d is not known" % version)
        need(self.type != 0 and zero1 == 0 and zero2 == 0, "a reserved header field is set")
        need(self.length < 2**32, "a payload is too long")
        need((self.length + self.pad) % 64 == 0, "alignment_pad does not fit")
        need(self.pad < 64 or self.flags & 4, "alignment_pad is too long")
        need(offset + 64 + self.length + self.pad <= len(data), "a segment is cut off")
        self.payload = data[offset + 64:offset + 64 + self.length]

    def verify(self):
        need(content_hash(self.algo, self.payload) == self.hash,
             "segment %d fails its content hash" % self.id)


# Level 0

class Root:
    def __init__(self, raw):
        need(len(raw) == 4096, "a root has 4096 bytes")
        need(raw[:4] == b"0MVR", "no root")
        need(struct.unpack_from("<I", raw, 0xFFC)[0] == crc32c(raw[:0xFFC]),
             "the root fails its CRC32C")
        (version, self.flags, self.level1_offset, self.level1_length, self.total_vectors,
         self.dimension, self.dtype, self.profile, self.epoch, self.created,
         self.modified) = struct.unpack_from("<HHQQQHBBIQQ", raw, 4)
        need(version == 1, "root version %d is not known" % version)
        self.pointers = [struct.unpack_from("<QII", raw, 0x38 + 16 * i) for i in range(6)]
        self.file_id = raw[0xF00:0xF10]
        magic, ext_version, self.metric = struct.unpack_from("<4sHB", raw, 0xF84)
        need(magic == b"RVFX" and ext_version >= 1, "the root has no extension block")
        (self.live_segments, self.rows, self.dead_rows, self.next_id, self.next_segment_id,
         self.manifest_segment_id, self.live_bytes, self.level1_hash) = struct.unpack_from(
             "<I6Q16s", raw, 0xF8C)

    def fits(self, at):
        """A root belongs to the place where it stands."""
        return (self.level1_offset >= 64 and self.level1_offset % 64 == 0 and
                self.level1_length <= 256 << 20 and self.level1_offset + self.level1_length == at)


# Level 1

class DirEntry:
    def __init__(self, raw):
        (self.id, self.type, self.tier, self.flags, _, self.offset, self.length, self.unpacked,
         self.shard, self.compression, self.blocks, self.hash) = struct.unpack(
             "<QBBHIQQQHHI16s", raw)


def fixed(value, size, parse):
    need(len(value) % size == 0, "a Level 1 record has a part of an entry")
    return [parse(value[i:i + size]) for i in range(0, len(value), size)]


def bitmap(data, limit):
    """The set of integers of a DELETION_BITMAP record, ascending."""
    r = Reader(data)
    need(r.u32() == 0x3B3A3332, "bad bitmap cookie")
    groups = r.u32()
    end, last_key, out = 8 + 16 * groups, -1, []
    for _ in range(groups):
        key, kind, _, _, offset = r.unpack("QBBHI")
        need(last_key < key < 2**48 and offset >= end, "bitmap containers are out of order")
        c = Reader(data, offset)
        count = c.u32()
        need(0 < count <= 65536, "a bitmap container has a bad count")
        if kind == 1:
            values = list(c.unpack("%dH" % count))
        elif kind == 2:
            bits = int.from_bytes(c.take(8192), "little")
            values = [i for i in range(65536) if bits >> i & 1]
            need(len(values) == count, "a bitmap container has a bad count")
        elif kind == 3:
            values = []
            for _ in range(count):
                first, more = c.unpack("HH")
                need(first + more <= 65535, "a run passes its container")
                values.extend(range(first, first + more + 1))
        else:
            raise RvfError("bitmap container type %d is not known" % kind)
        out.extend(key << 16 | v for v in values)
        need(len(out) <= limit, "a bitmap names more rows than there are")
        last_key, end = key, c.at
    need(all(a < b for a, b in zip(out, out[1:])), "a bitmap does not ascend")
    return out


class Level1:
    def __init__(self, data, max_rows):
        self.directory, self.row_map, self.chain, self.dead = [], [], [], []
        self.profile, self.required, self.layers, self.compacting = None, 0, [], False
        self.shards, self.tiers, self.sketches, self.unknown = [], [], [], []
        r = Reader(data)
        while len(data) - r.at >= 8:
            tag, length, _ = r.unpack("HIH")
            if tag == 0 and length == 0:
                continue
            value = r.take(length)
            r.at = min(align(r.at, 8), len(data))
            if tag == 0x01:
                self.directory += fixed(value, 64, DirEntry)
            elif tag == 0x03:
                self.layers += fixed(value, 32, lambda b: struct.unpack("<QBB6xQQ", b))
            elif tag == 0x04:
                self.chain += fixed(value, 40, lambda b: struct.unpack("<I4xQQ16s", b))
            elif tag == 0x05:
                self.compacting = True
            elif tag == 0x07:
                self.required |= struct.unpack_from("<Q", value)[0]
            elif tag == 0x08:
                _, metric, dtype, _, dim, _, _, _, _, n = struct.unpack_from("<BBBBIHHIQI", value)
                need(28 + n <= len(value), "PROFILE_CONFIG is cut off")
                if self.profile is None:
                    self.profile = {"metric": metric, "dtype": dtype, "dimension": dim,
                                    "application": value[28:28 + n].decode("utf-8", "replace")}
            elif tag == 0x0E:
                self.dead = bitmap(value, max_rows)
            elif tag == 0xF001:
                self.row_map += fixed(value, 40, lambda b: struct.unpack("<5Q", b))
            elif tag == 0x02:
                self.tiers += fixed(value, 24, lambda b: struct.unpack("<QBB6xQ", b))
            elif tag == 0x09:
                self.sketches += fixed(value, 8, lambda b: struct.unpack("<Q", b)[0])
            elif tag == 0x06:
                self.shards.append(value)
            else:
                self.unknown.append(tag)


class Manifest:
    """One MANIFEST segment with everything about it verified."""

    def __init__(self, data, offset):
        segment = Segment(data, offset)
        need(segment.type == MANIFEST and segment.length >= 4096, "no manifest")
        segment.verify()
        self.offset, self.hash = offset, segment.hash
        level1 = segment.payload[:-4096]
        self.root = Root(segment.payload[-4096:])
        need(self.root.fits(offset + 64 + len(level1)), "a root points elsewhere")
        need(self.root.level1_offset == offset + 64, "a root points elsewhere")
        need(xxh3_128(level1) == self.root.level1_hash, "Level 1 fails its hash")
        need(self.root.manifest_segment_id == segment.id, "a root names another manifest")
        self.level1 = Level1(level1, self.root.rows)


# Vectors

def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def floats_to(dtype, values):
    """f32 values as the bytes of a row; round to nearest even."""
    if dtype == 0:
        return struct.pack("<%df" % len(values), *values)
    if dtype == 1:
        return struct.pack("<%de" % len(values), *values)
    out = bytearray()
    for v in values:
        bits = struct.unpack("<I", struct.pack("<f", v))[0]
        out += struct.pack("<H", bits + 0x7FFF + (bits >> 16 & 1) >> 16)
    return bytes(out)


class ScalarQuantiser:
    def __init__(self, payload):
        r = Reader(payload)
        kind, self.tier, self.dim = r.unpack("BBH")
        self.known = kind == 0
        if not self.known:
            return
        need(not any(payload[4:20]) and not any(payload[21:64]), "a QUANT header field is set")
        self.bits = payload[20]
        need(self.dim > 0 and self.bits in (4, 8), "a scalar quantiser has 8 or 4 bits")
        r.at = 64
        self.low = r.unpack("%df" % self.dim)
        high = r.unpack("%df" % self.dim)
        r.pad(64)
        need(r.at == len(payload), "bytes behind a QUANT payload")
        top = 2**self.bits - 1
        self.step = [f32(f32(b - a) / top) for a, b in zip(self.low, high)]

    def row_bytes(self):
        return (self.dim * self.bits + 7) // 8

    def decode(self, row):
        half = 2**(self.bits - 1)
        codes = codes_of(row, 3 if self.bits == 8 else 5, self.dim)
        return [f32(a + f32((c + half) * s)) for c, a, s in zip(codes, self.low, self.step)]


class RaBitQRows:
    """Rows of RaBitQ levels beside a step and the number of a centroid."""
    SIGNS, HALF_ROOT = 0x9E3779B97F4A7C15, struct.unpack("<f", struct.pack("<f", 0.70710678))[0]

    def __init__(self, payload):
        r = Reader(payload)
        kind, self.tier, self.dim, version, self.rounds, zero, self.seed, self.padded = \
            r.unpack("BBHBBHQI")
        self.bits, rotation, zero2, count = r.unpack("BBHI")
        self.known = rotation == 2 and self.bits in (4, 8) and count <= 65535
        if not self.known:
            return
        need(kind == 4 and version == 1 and zero == zero2 == 0 and not any(payload[28:64]),
             "a RaBitQ header is not known")
        need(self.dim > 0 and count > 0 and self.padded == align(self.dim, 16),
             "a RaBitQ header does not fit")
        r.at = 64
        self.centroids = [r.unpack("%df" % self.dim) for _ in range(count)]
        r.pad(64)
        need(r.at == len(payload), "bytes behind a QUANT payload")
        self.window = 1 << (self.padded.bit_length() - 1)

    def row_bytes(self):
        return self.padded * self.bits // 8 + 6

    def decode(self, row):
        step, number = struct.unpack("<fH", row[-6:])
        need(number < len(self.centroids) and 0 <= step < float("inf"), "a row has bad factors")
        levels = int.from_bytes(row[:-6], "little")
        mask, middle = 2**self.bits - 1, (2**self.bits - 1) / 2
        x = [f32(step * ((levels >> i * self.bits & mask) - middle)) for i in range(self.padded)]
        for k in reversed(range(self.rounds)):
            self._undo(k, x)
        return [f32(c + v) for c, v in zip(self.centroids[number], x)]

    def _undo(self, k, x):
        n, t = self.padded, self.window
        first, half, words = 0 if k % 2 == 0 else n - t, n // 2, (n + 63) // 64
        if t < n:
            for i in range(half):
                a, b = x[i], x[i + half]
                x[i], x[i + half] = (f32(f32(a + b) * self.HALF_ROOT),
                                     f32(f32(a - b) * self.HALF_ROOT))
        h = 1
        while h < t:
            for i in range(first, first + t):
                if not (i - first) & h:
                    a, b = x[i], x[i + h]
                    x[i], x[i + h] = f32(a + b), f32(a - b)
            h *= 2
        inside = f32(1 / f32(math.sqrt(t)))
        for i in range(n):
            z = self.seed + (k * words + i // 64) * self.SIGNS
            size = inside if first <= i < first + t else 1.0
            x[i] = f32(x[i] * (-size if splitmix64(z) >> i % 64 & 1 else size))


def splitmix64(z):
    z = (z + 0x9E3779B97F4A7C15) & 2**64 - 1
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
    z = (z ^ z >> 27) * 0x94D049BB133111EB & 2**64 - 1
    return z ^ z >> 31


def quantiser_of(payload):
    return RaBitQRows(payload) if payload[0] == 4 else ScalarQuantiser(payload)


def ids_of(r):
    encoding, interval, count = r.unpack("BHI")
    if encoding == 0:
        return list(r.unpack("%dQ" % count))
    if encoding == 2:
        first = r.u64()
        need(count == 0 or first + count <= NO_ID, "a run of ids passes the largest id")
        return range(first, first + count)
    need(encoding == 1 and interval > 0, "id encoding %d is not known" % encoding)
    points = r.unpack("%dI" % -(-count // interval))
    data = Reader(r.take(r.u32()))
    need(count <= len(data.data), "more ids than bytes")
    ids = []
    for i in range(count):
        if i % interval == 0:
            need(points[i // interval] == data.at, "a restart point leads elsewhere")
            value = data.varint()
        else:
            value = ids[-1] + data.varint()
        need((not ids or value >= ids[-1]) and value < NO_ID, "ids do not ascend")
        ids.append(value)
    need(data.at == len(data.data), "bytes behind the last id")
    return ids


def vec_blocks(payload):
    """Yields (tier, block dtype, dim, quant segment, code dtype, rows as packed bytes, ids)."""
    r = Reader(payload)
    count = r.u32()
    entries = [r.unpack("IIHBB") for _ in range(count)]
    end = r.at
    for offset, rows, dim, dtype, tier in entries:
        need(offset % 64 == 0 and offset >= end and dim > 0, "a VEC block is out of place")
        row_major, dtype = dtype & 0x80, dtype & 0x7F
        need(dtype <= 8 and not (row_major and dtype == 7), "a VEC block has an unknown dtype")
        b = Reader(payload, offset)
        quant, code = None, dtype
        if row_major and dtype == 8:
            quant, code, _, size = b.unpack("QB3sI")
            need(code <= 6 and size > 0, "a block of row codes has a bad head")
            packed = [b.take(size) for _ in range(rows)]
        elif row_major:
            size = (dim * DTYPE_BITS[dtype] + 7) // 8
            stride = align(size, 64)
            values = b.take(rows * stride)
            packed = [values[i * stride:i * stride + size] for i in range(rows)]
        else:
            if dtype > 6:
                quant, code, zeros = b.unpack("QB7s")
                need(code <= 6 and not any(zeros), "a code block has a bad head")
            bits = DTYPE_BITS[code]
            column = (rows * bits + 7) // 8
            packed = from_columns(b.take(column * dim), rows, dim, bits, column)
        ids = ids_of(b)
        need(len(ids) == rows, "a VEC block has another number of ids than of vectors")
        crc = crc32c(payload[offset:b.at])
        need(b.u32() == crc, "a VEC block fails its CRC32C")
        end = b.at
        yield tier, dtype, dim, quant, code, packed, ids


def from_columns(values, rows, dim, bits, column):
    if bits >= 8:
        size = bits // 8
        return [b"".join(values[d * column + i * size:d * column + (i + 1) * size]
                         for d in range(dim)) for i in range(rows)]
    out, mask = [], (1 << bits) - 1
    for i in range(rows):
        row = 0
        for d in range(dim):
            value = values[d * column + i * bits // 8] >> (i * bits % 8) & mask
            row |= value << (d * bits)
        out.append(row.to_bytes((dim * bits + 7) // 8, "little"))
    return out


def codes_of(packed, code, dim):
    if code == 3:
        return struct.unpack("<%db" % dim, packed)
    need(code == 5, "codes of dtype %d are not known" % code)
    nibbles = [packed[d // 2] >> (4 * (d % 2)) & 15 for d in range(dim)]
    return [n - 16 if n > 7 else n for n in nibbles]


# Index

def check_index(payload, rows):
    """Walks every neighbour list; returns (layer level, nodes)."""
    r = Reader(payload)
    kind, level, _, _, nodes = r.unpack("BBHIQ")
    need(kind == 0 and not any(payload[16:64]), "the index type is not known")
    r.at = 64
    interval, count = r.unpack("II")
    need(interval == 1 and count == nodes, "the index has other restart points")
    offsets = r.unpack("%dI" % count)
    r.pad(64)
    body, magic = struct.unpack("<I4s", payload[-8:])
    need(magic == b"RVGX", "the index has no trailer")
    t = Reader(payload[:-8], len(payload) - 8 - body)
    (version, flags, _, total, first, first_row, _, _, at, length, _, _, entries, points, _, _,
     _) = t.unpack("HHI7QBBHHHII")
    need(version == 1 and flags <= 1 and first + nodes <= total, "the trailer is not known")
    need(first_row + total <= rows, "the index has more nodes than there are rows")
    need(all(e < total for e in t.unpack("%dQ" % entries)), "an entry point is no node")
    t.take(8 * points)
    if flags & 1:
        node = -1
        for i in range(nodes):
            gap = t.varint()
            need(i == 0 or gap > 0, "the node map does not ascend")
            node = gap if i == 0 else node + gap
    need(t.at == len(t.data), "bytes behind the trailer")
    need(at == r.at and at + length <= len(payload), "the adjacency lies elsewhere")
    lists = Reader(payload[at:at + length])
    for offset in offsets:
        need(offset == lists.at, "an offset leads elsewhere")
        for _ in range(lists.varint()):
            node = 0
            for _ in range(lists.varint()):
                node += lists.varint()
                need(node < total, "a neighbour is no node")
    need(lists.at == length, "bytes behind the last list")
    return level, nodes


# The store

class Store:
    """The newest epoch that can be proven. `live` maps each id to the bytes of its vector."""

    def __init__(self, data, folder="."):
        self.data, self.folder = data, folder
        self.recovered, self.rejected = False, []
        self._find()

    @classmethod
    def open(cls, path):
        with open(path, "rb") as f:
            return cls(f.read(), os.path.dirname(path) or ".")

    def _find(self):
        data = self.data
        need(len(data) >= 4096 + 64, "too short for a store")
        if self._try(len(data) - 4096):
            return
        self.recovered = True
        at = (len(data) - 4096) // 64 * 64
        while at >= 64:
            if data[at:at + 4] == b"0MVR" and self._try(at):
                return
            at -= 64
        raise RvfError("no intact manifest; " + "; ".join(self.rejected[:3]))

    def _try(self, at):
        try:
            root = Root(self.data[at:at + 4096])
            if not root.fits(at):
                return False
            self._load(root)
            return True
        except RvfError as error:
            self.rejected.append(str(error))
            return False

    def _load(self, root):
        chain = [Manifest(self.data, root.level1_offset - 64)]
        while len(chain[-1].level1.chain) > 1:
            epoch, offset, _, link_hash = chain[-1].level1.chain[1]
            need(offset < chain[-1].offset and len(chain) < 61, "the manifest chain does not end")
            base = Manifest(self.data, offset)
            need(base.hash == link_hash and base.root.epoch == epoch,
                 "a manifest builds on another one")
            need(base.root.file_id == root.file_id, "a manifest belongs to another store")
            chain.append(base)
        newest = chain[0].level1
        need(newest.profile is not None, "no PROFILE_CONFIG")
        need(newest.required == 0, "the store needs a capability that is not known")
        need(not newest.shards, "shards are not read here")
        directory, row_map, dead = {}, [], set()
        for manifest in reversed(chain):
            for e in manifest.level1.directory:
                if e.type == 0:
                    directory.pop(e.id, None)
                    row_map = [r for r in row_map if r[0] != e.id]
            for e in manifest.level1.directory:
                if e.type != 0:
                    directory[e.id] = e
            row_map += manifest.level1.row_map
            dead.update(manifest.level1.dead)
        self.root, self.profile, self.directory = root, newest.profile, directory
        self.chain_length, self.layers = len(chain), newest.layers
        need(self.profile["dimension"] == root.dimension, "the root has another dimension")
        need(self.profile["dtype"] <= 6 and self.profile["metric"] <= 3, "unknown dtype or metric")
        self._check_counts(row_map, dead)
        self._read_segments()
        self._read_rows(row_map, dead)

    def _check_counts(self, row_map, dead):
        root, row = self.root, 0
        for _, first, rows, _, _ in row_map:
            need(first == row, "the row map has gaps")
            row += rows
        need(row == root.rows, "the root counts other rows than the row map")
        need(all(d < row for d in dead), "a dead row does not exist")
        need(len(dead) == root.dead_rows and root.total_vectors == row - len(dead),
             "the root's counts are wrong")
        need(len(self.directory) == root.live_segments, "the root counts other segments")
        size = sum(64 + align(e.length, 64) for e in self.directory.values())
        need(size == root.live_bytes, "the root counts other bytes")

    def _read_segments(self):
        self.segments, self.quantisers = {}, {}
        for e in self.directory.values():
            s = Segment(self.data, e.offset)
            need((s.id, s.type, s.length, s.hash, s.flags, s.compression) ==
                 (e.id, e.type, e.length, e.hash, e.flags, e.compression),
                 "segment %d is not the one that the manifest names" % e.id)
            s.verify()
            self.segments[e.id] = s
            if e.type == QUANT and e.tier:
                self.quantisers[e.id] = quantiser_of(s.payload)
        self.index_nodes = 0
        for segment_id, level, _, first_row, rows in self.layers:
            found, nodes = check_index(self.segments[segment_id].payload, self.root.rows)
            need(found == level and first_row + rows <= self.root.rows, "INDEX_LAYERS is wrong")
            self.index_nodes += nodes if level == 2 else 0
        for s in self.segments.values() if not self.layers else ():
            if s.type == FUSED and s.flags & HOT and s.payload[:2] == b"\x02\x00":
                self.index_nodes, = struct.unpack_from("<Q", s.payload, 16)

    def _read_rows(self, row_map, dead):
        dtype, dimension = self.profile["dtype"], self.profile["dimension"]
        self.live, self.tier_rows, row = {}, [0, 0, 0], 0
        for segment_id, first, rows, low, high in row_map:
            entry = self.directory.get(segment_id)
            need(entry is not None and entry.type == VEC, "no such VEC segment")
            payload = self.segments[segment_id].payload
            for tier, kind, dim, quant, code, packed, ids in vec_blocks(payload):
                need(dim == dimension and (kind == dtype or kind == 8), "a block of another kind")
                self.tier_rows[min(tier, 2)] += len(ids)
                for i, vector_id in enumerate(ids):
                    need(low <= vector_id <= high, "an id lies outside its segment's range")
                    if row not in dead:
                        need(vector_id not in self.live, "an id is live twice")
                        vector = packed[i]
                        if kind == 8:
                            q = self.quantisers.get(quant)
                            need(q is not None and q.known and q.bits == DTYPE_BITS[code]
                                 and len(vector) == q.row_bytes(),
                                 "a block names a quantiser that is not there")
                            vector = floats_to(dtype, q.decode(vector))
                        self.live[vector_id] = bytes(vector)
                    row += 1
            need(row == first + rows, "a VEC segment has another number of rows")

    def digest(self):
        h = hashlib.sha256()
        for vector_id in sorted(self.live):
            h.update(struct.pack("<Q", vector_id) + self.live[vector_id])
        return h.hexdigest()

    def status(self):
        return {"epoch": self.root.epoch, "metric": METRICS[self.profile["metric"]],
                "dtype": DTYPES[self.profile["dtype"]], "dimension": self.profile["dimension"],
                "vectors": len(self.live), "deleted": self.root.dead_rows,
                "next_id": self.root.next_id,
                "segments": len(self.directory), "indexed_rows": self.index_nodes,
                "tier_rows": self.tier_rows, "manifests_read": self.chain_length,
                "application": self.profile["application"], "recovered": self.recovered}


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write(__doc__.split("\n\n")[1] + "\n")
        return 2
    try:
        store = Store.open(arguments[0])
    except (OSError, RvfError) as error:
        sys.stderr.write("%s: %s\n" % (arguments[0], error))
        return 1
    out = dict(store.status(), digest=store.digest())
    if "--json" in arguments:
        print(json.dumps(dict(out, ids=sorted(store.live))))
        return 0
    for key, value in out.items():
        print("%-15s %s" % (key, value))
    print("%-15s %s" % ("ids", " ".join(map(str, sorted(store.live)))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
