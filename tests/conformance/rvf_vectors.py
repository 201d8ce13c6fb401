"""VEC blocks and the codes of their rows, written from docs/format.md alone. Standard library only."""
import math
import struct

from rvf_bytes import Reader, align, need
from rvf_hashes import crc32c

DTYPE_BITS = [32, 16, 16, 8, 8, 4, 1]
NO_ID = 2**64 - 1


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
