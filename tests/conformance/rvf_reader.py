"""An independent reader of RVF stores, written from docs/format.md alone. Standard library only.

    python3 rvf_reader.py STORE [--json]

Every hash and checksum on the way to an answer is verified. Refuses with RvfError what it cannot
prove; falls back to an older epoch only over damage, and says so (`recovered`). Reads the whole
file into memory.
"""
import hashlib
import json
import os
import struct
import sys

from rvf_bytes import Reader, RvfError, align, need
from rvf_hashes import content_hash, crc32c, xxh3_128
from rvf_vectors import DTYPE_BITS, floats_to, quantiser_of, vec_blocks

DTYPES = ["f32", "f16", "bf16", "i8", "u8", "i4", "binary", "pq", "custom"]
METRICS = ["l2", "ip", "cosine", "hamming"]
VEC, INDEX, JOURNAL, MANIFEST, QUANT, FUSED = 0x01, 0x02, 0x04, 0x05, 0x06, 0xF4
HOT = 1 << 6  # a flag
DATA_SYNCED = 1


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
