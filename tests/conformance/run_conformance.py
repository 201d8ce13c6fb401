"""Compares what the library and rvf_reader.py say about the same stores.

    python3 run_conformance.py MAKE_CONFORMANCE_STORE
"""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from rvf_fused import Fused, Partitions, base_lists  # noqa: E402
from rvf_hashes import content_hash, crc32c, xxh3_128  # noqa: E402
from rvf_reader import INDEX, Root, RvfError, Store  # noqa: E402

MAKER = None
GOLDEN = HERE / "two_vectors.rvf"


def squared(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b))


class Hashes(unittest.TestCase):
    def test_published_values(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        for text, want in ((b"", "7f498d4624c30160d8984701d306aa99"),
                           (b"abc", "50392f89945faf7885613a73b65ab006"),
                           (b"123456789", "60581d68276471e9d5dce5ed77941133")):
            self.assertEqual(xxh3_128(text).hex(), want)
        self.assertEqual(content_hash(2, b"abc").hex(), "483366601360a8771c6863080cc4114d")
        self.assertEqual(content_hash(0, b"123456789").hex(), "839206e3" + 24 * "0")
        self.assertIsNone(content_hash(3, b""))


class Stores(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        made = subprocess.run([MAKER, cls.folder.name, str(GOLDEN)], check=True,
                              stdout=subprocess.PIPE)
        cls.expected = [json.loads(line) for line in made.stdout.splitlines()]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return str(pathlib.Path(self.folder.name) / (name + ".rvf"))

    def test_both_readers_agree_on_every_store(self):
        self.assertGreater(len(self.expected), 30)
        for want in self.expected:
            with self.subTest(store=want["path"]):
                store = Store.open(want["path"])
                got = dict(store.status(), digest=store.digest(), ids=sorted(store.live),
                           path=want["path"])
                del got["manifests_read"]
                self.assertEqual(got, want)

    def test_the_stores_hold_what_they_are_named_after(self):
        by_name = {pathlib.Path(e["path"]).stem: e for e in self.expected}
        self.assertEqual(by_name["index"]["indexed_rows"], 5000)
        for dtype in ("f32", "f16", "bf16", "i8", "u8", "binary"):
            self.assertTrue(all(by_name["tiers_" + dtype]["tier_rows"]), dtype)
        self.assertTrue(all(e["recovered"] == e_name.startswith(("torn", "junk"))
                            for e_name, e in by_name.items()))
        self.assertGreater(Store.open(self.path("many_commits")).chain_length, 3)

    def test_node_blocks_say_what_the_index_and_the_rows_say(self):
        store = Store.open(self.path("index"))
        own = [s for s in store.segments.values() if s.type == 0xF4 and s.flags & 1 << 6]
        self.assertEqual(len(own), 1)
        fused = Fused(own[0].payload)
        layer_c = store.segments[store.layers[0][0]]
        self.assertEqual((layer_c.type, layer_c.id), (INDEX, fused.index_segment))
        self.assertEqual(fused.index_hash, layer_c.hash)
        self.assertEqual((fused.first_row, fused.first_node, fused.dim), (0, 0, 4))
        self.assertGreater(fused.code_bytes, 0)
        self.assertEqual((fused.metric, fused.dtype),
                         (store.profile["metric"], store.profile["dtype"]))
        lists = base_lists(layer_c.payload)
        self.assertEqual(fused.total_nodes, len(lists))
        self.assertEqual(len(fused.root), len(set(fused.root)))
        rows = {i: struct.unpack("4b", store.live[i]) for i in store.live if i < len(lists)}
        vectors = [fused.vector(node) for node in range(len(lists))]
        off = total = 0
        for node, wanted in enumerate(lists):
            self.assertEqual(sorted(fused.neighbours(node)), sorted(wanted))
            fused.check_sign_code(node)
            length = sum(x * x for x in vectors[node])
            self.assertAlmostEqual(fused.norm2(node), length, delta=0.03 * length + 0.01)
            for other in wanted:
                if node in rows and other in rows:
                    true = fused.scale ** 2 * squared(rows[node], rows[other])
                    off += abs(squared(vectors[node], vectors[other]) - true)
                    total += true
        self.assertLess(off, 0.05 * total)

    def test_every_row_lies_in_one_partition_and_every_partition_in_the_root(self):
        store = Store.open(self.path("partitions"))
        own, = [s for s in store.segments.values() if s.type == 0xF4 and s.flags & 1 << 6]
        lists = Partitions(own.payload)
        self.assertEqual((lists.first_row, lists.dim, lists.metric, lists.dtype),
                         (0, 4, store.profile["metric"], store.profile["dtype"]))
        self.assertEqual(lists.root, list(range(lists.partitions)))
        by_partition = [lists.rows(p) for p in range(lists.partitions)]
        self.assertTrue(all(rows == sorted(rows) for rows in by_partition))
        self.assertEqual(sorted(row for rows in by_partition for row in rows), list(range(5000)))

    def test_a_flipped_bit_is_found_or_touches_nothing_that_counts(self):
        rng = random.Random(20261121)
        for name in ("churn", "tiers_f32"):
            data = pathlib.Path(self.path(name)).read_bytes()
            whole = Store(data)
            covered = [(e.offset + 64, e.offset + 64 + e.length) for e in whole.directory.values()]
            covered.append((whole.root.level1_offset, len(data)))
            places = [rng.randrange(a, b) for a, b in covered for _ in range(3)]
            places += [rng.randrange(len(data)) for _ in range(60)]
            for at in places:
                damaged = bytearray(data)
                damaged[at] ^= 1 << rng.randrange(8)
                inside = any(a <= at < b for a, b in covered)
                with self.subTest(store=name, byte=at):
                    try:
                        store = Store(bytes(damaged))
                    except RvfError:
                        continue
                    if store.recovered:
                        self.assertNotEqual(store.root.epoch, whole.root.epoch)
                        continue
                    self.assertFalse(inside, "a flipped bit went unnoticed")
                    self.assertEqual(store.digest(), whole.digest())

    def test_every_truncation_is_an_error_or_an_older_epoch(self):
        data = pathlib.Path(self.path("churn")).read_bytes()
        whole = Store(data)
        for length in random.Random(7).sample(range(len(data)), 100):
            try:
                store = Store(data[:length])
            except RvfError:
                continue
            self.assertTrue(store.recovered)
            self.assertLess(store.root.epoch, whole.root.epoch)

    def test_the_golden_store_is_the_one_of_the_page(self):
        store = Store.open(GOLDEN)
        self.assertEqual(sorted(store.live), [7, 300])
        page = (HERE.parent.parent / "docs" / "format.md").read_text(encoding="utf-8")
        self.assertIn(store.digest(), page)
        raw = store.data[-4096:]
        self.assertIn("%08X" % crc32c(raw[:0xFFC]), page)
        for segment in store.segments.values():
            self.assertIn(segment.hash.hex(), page)
        self.assertIn(Root(raw).level1_hash.hex(), page)


if __name__ == "__main__":
    MAKER = sys.argv.pop(1)
    unittest.main()
