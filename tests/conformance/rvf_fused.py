"""FUSED payloads as docs/format.md describes them: what their blocks say of vectors and neighbours.

Nothing is rotated here: the rotation keeps distances, so the vectors of the blocks must lie as far
from one another as the rows do.
"""
import struct


class Fused:
    VERSIONS, MOST_GROUPS = (1, 3), 1024

    def __init__(self, payload):
        self.payload = payload
        (version, degree, self.block_bytes, self.first_row, self.total_nodes, self.first_node,
         self.node_count, self.seed, self.index_segment) = struct.unpack_from("<HHI6Q", payload)
        self.index_hash = payload[56:72]
        (self.metric, self.dtype, points, self.dim, self.scale, self.largest_norm2, groups,
         coordinates) = struct.unpack_from("<BBHIffII", payload, 72)
        assert version in self.VERSIONS and degree == 32 and not any(payload[112:128])
        self.partitions, self.groups = struct.unpack_from("<QQ", payload, 96)
        assert coordinates == self.dim + (self.metric == 1) and 1 <= groups <= self.MOST_GROUPS
        self.padded = align(coordinates, 16)
        self.vector_bytes = align(self.padded, 64)
        self.group_bytes = group = 256 + 4 * self.padded
        self.centre = struct.unpack_from("<%df" % coordinates, payload, 128)
        self.calibration = list(struct.iter_unpack(
            "<HHIff", payload[128 + 4 * coordinates:128 + 4 * coordinates + 16 * points]))
        root = align(128 + 4 * coordinates + 16 * points, 64)
        self.blocks = align(root + groups * group, 64)
        self._check_sizes()
        self.root = [n for g in range(groups) for n in self._group(root + g * group, self._leaders())]

    def _check_sizes(self):
        assert self.partitions == self.groups == 0
        assert self.block_bytes == 64 + self.vector_bytes + self.group_bytes
        self.codes = self.blocks + self.node_count * self.block_bytes
        self.words = align(self.padded, 64) // 64
        self.code_bytes = align(8 * self.words + 8, 32) if self.payload[0] == 3 else 0
        assert len(self.payload) == self.codes + self.node_count * self.code_bytes

    def _leaders(self):
        return self.total_nodes

    def _group(self, at, limit):
        ids = struct.unpack_from("<32I", self.payload, at)
        add = struct.unpack_from("<32e", self.payload, at + 128)
        mul = struct.unpack_from("<32e", self.payload, at + 192)
        for node, a, m in zip(ids, add, mul):
            assert node < limit or (node == 0xFFFFFFFF and a == 65504 and m == 0)
        return [node for node in ids if node < limit]

    def _at(self, node):
        return self.blocks + (node - self.first_node) * self.block_bytes

    def neighbours(self, node):
        return self._group(self._at(node) + 64 + self.vector_bytes, self.total_nodes)

    def vector(self, node):
        """The node's place in the rotated space, as exactly as its bytes give it."""
        at = self._at(node)
        _, scale = struct.unpack_from("<ff", self.payload, at)
        body = self.payload[at + 64:at + 64 + self.vector_bytes]
        assert all(b == 128 for b in body[self.padded:])
        return [scale * (b - 128) for b in body[:self.padded]]

    def check_sign_code(self, node):
        """Its bits and factors are those of the bytes in the node's block."""
        at = self.codes + (node - self.first_node) * self.code_bytes
        bits = int.from_bytes(self.payload[at:at + 8 * self.words], "little")
        add, mul = struct.unpack_from("<ff", self.payload, at + 8 * self.words)
        assert not any(self.payload[at + 8 * self.words + 8:at + self.code_bytes])
        _, scale = struct.unpack_from("<ff", self.payload, self._at(node))
        body = self.payload[self._at(node) + 64:][:self.padded]
        assert bits == sum(1 << i for i, b in enumerate(body) if b >= 128)
        absolute = sum(abs(b - 128) for b in body)
        kappa = scale * sum((b - 128) ** 2 for b in body) / absolute if absolute else 0
        assert add == self.norm2(node) and abs(mul + 2 * kappa) <= 1e-5 * abs(mul)

    def norm2(self, node):
        return struct.unpack_from("<f", self.payload, self._at(node))[0]


class Partitions(Fused):
    """Version 2: rows in lists around centroids."""
    VERSIONS, MOST_GROUPS = (2,), 16384

    def _check_sizes(self):
        assert self.index_segment == 0 and not any(self.index_hash)
        assert self.first_node == 0 and self.node_count == self.total_nodes
        assert self.block_bytes == 64 + self.vector_bytes
        self.lists = self.blocks + self.partitions * self.block_bytes
        assert len(self.payload) == self.lists + self.groups * self.group_bytes

    def _leaders(self):
        return self.partitions

    def rows(self, partition):
        first, count = struct.unpack_from("<QI", self.payload, self._at(partition) + 8)
        assert first + count <= self.groups
        return [row for g in range(first, first + count)
                for row in self._group(self.lists + g * self.group_bytes, self.total_nodes)]


def align(n, to):
    return (n + to - 1) // to * to


def base_lists(payload):
    """The neighbours in layer 0 of an INDEX payload, by node."""
    nodes, = struct.unpack_from("<Q", payload, 8)
    offsets = struct.unpack_from("<%dI" % nodes, payload, 72)
    start = align(72 + 4 * nodes, 64)
    return [_base_list(payload, start + offset) for offset in offsets]


def _base_list(payload, at):
    _, at = _varint(payload, at)
    count, at = _varint(payload, at)
    out, node = [], 0
    for _ in range(count):
        gap, at = _varint(payload, at)
        node += gap
        out.append(node)
    return out


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
