#!/usr/bin/env python3
"""A row costs a row, however few a process writes: neither index nor file is written again for it."""
import os
import random

import harness


class Growth(harness.Misuse):
    def rows(self, name, n, dim=24, seed=1):
        draw = random.Random(seed)
        lines = [",".join(f"{draw.gauss(0, 1):.3f}" for _ in range(dim)) for _ in range(n)]
        return self.file(name, ",".join(f"v{i}" for i in range(dim)) + "\n" + "\n".join(lines) + "\n")

    def size(self, store="s.rvf"):
        return os.path.getsize(self.dir / store)

    def test_a_row_a_process_adds_little_to_a_store_with_an_index_whatever_its_layout(self):
        self.rows("a.csv", 5000)
        self.rows("b.csv", 1, seed=2)
        for layout in ("fused", "standard", "partitions"):
            with self.subTest(layout=layout):
                store = f"{layout}.rvf"
                self.ok("ingest", store, "a.csv", "--create", "--quiet", "--search-layout", layout)
                before = self.size(store)
                for _ in range(10):
                    self.ok("ingest", store, "b.csv", "--quiet")
                self.assertLess(self.size(store), before + 100_000)
                self.assertEqual(self.count(store), 5010)

    def test_new_rows_outside_the_index_are_found(self):
        self.rows("a.csv", 5000)
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet")
        self.rows("b.csv", 1, seed=3)
        self.ok("ingest", "s.rvf", "b.csv", "--quiet")
        (status,) = self.json("status", "s.rvf")
        self.assertEqual((status["vectors"], status["indexed_rows"]), (5001, 5000))
        (found,) = self.json("query", "s.rvf", "--queries", "b.csv", "-k", "1")
        self.assertEqual((found["ids"], found["distances"]), ([5000], [0]))

    def test_replacing_deleting_and_updating_again_and_again_keeps_the_file_in_bounds(self):
        self.rows("a.csv", 3000, dim=64)
        self.file("ids.txt", "".join(f"{i}\n" for i in range(3000)))
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--ids", "ids.txt", "--quiet")
        first = self.size()
        for _ in range(25):
            self.ok("ingest", "s.rvf", "a.csv", "--ids", "ids.txt", "--quiet")
        self.assertLess(self.size(), 3 * first + (5 << 20))
        self.assertEqual(self.count("s.rvf"), 3000)
        self.ok("verify", "s.rvf", "--deep")

    def test_a_compaction_can_be_refused(self):
        self.rows("a.csv", 3000, dim=64)
        self.file("ids.txt", "".join(f"{i}\n" for i in range(3000)))
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--ids", "ids.txt", "--quiet")
        first = self.size()
        for _ in range(12):
            self.ok("ingest", "s.rvf", "a.csv", "--ids", "ids.txt", "--quiet", "--no-compact")
        self.assertGreater(self.size(), 8 * first)


if __name__ == "__main__":
    harness.main()
