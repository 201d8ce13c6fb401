#!/usr/bin/env python3
"""Counts are of vectors, not of the values in their lists."""
import harness


class Counting(harness.Misuse):
    def test_a_vector_counts_once_however_often_its_list_has_a_value(self):
        self.jsonl("a.jsonl", [{"id": 1, "vector": [1], "tags": ["a", "a", "b"]}, {"id": 2, "vector": [1], "tags": ["a"]},
                               {"id": 3, "vector": [1], "tags": []}, {"id": 4, "vector": [1], "tags": ["c"] * 9},
                               {"id": 5, "vector": [1]}])
        self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
        by = {x["value"]: x["count"] for x in self.json("count", "s.rvf", "--by", "tags")}
        for value in "abc":
            (same,) = self.json("count", "s.rvf", "--filter", f"tags = '{value}'")
            self.assertEqual(by[value], same["count"], value)


if __name__ == "__main__":
    harness.main()
