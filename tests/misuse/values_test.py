#!/usr/bin/env python3
"""No value is rounded, cut or replaced by another without a word."""
import json

import harness

INEXACT = [9007199254740993, -9007199254740993, 9223372036854775807, 18446744073709551615]


class Values(harness.Misuse):
    def text_of(self, store, row=1):
        return self.ok("get", store, row, "--json")

    def test_no_way_of_widening_a_field_rounds_a_number_that_is_stored(self):
        for n in INEXACT:
            for way in ("fraction", "schema", "update", "meta", "batch"):
                with self.subTest(n=n, way=way):
                    self.fresh()
                    self.jsonl("a.jsonl", [{"id": 1, "vector": [1], "n": n}])
                    self.jsonl("b.jsonl", [{"id": 2, "vector": [1], "n": 0.5}])
                    self.file("v.csv", "id,v0\n2,1\n")
                    self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
                    self.refused(*{"fraction": ("ingest", "s.rvf", "b.jsonl", "--quiet"),
                                   "schema": ("schema", "s.rvf", "--set", "n:f64"),
                                   "update": ("update", "s.rvf", "--meta", self.jsonl("u.jsonl", [{"id": 1, "n": 0.5}])),
                                   "meta": ("ingest", "s.rvf", "v.csv", "--meta",
                                            self.jsonl("m.jsonl", [{"id": 2, "n": 0.5}]), "--quiet"),
                                   "batch": ("ingest", "s.rvf", self.jsonl("c.jsonl", [
                                       {"id": 3, "vector": [1], "n": 0.5}, {"id": 4, "vector": [1], "n": n}]))}[way],
                                 says=["n"])
                    self.assertIn(str(n), self.text_of("s.rvf"))
                    self.assertEqual(self.count("s.rvf"), 1)

    def test_a_number_that_f64_cannot_hold_is_refused_where_the_field_is_f64_already(self):
        for n in INEXACT:
            with self.subTest(n=n):
                self.fresh()
                self.jsonl("a.jsonl", [{"id": 1, "vector": [1], "n": 0.5}])
                self.jsonl("b.jsonl", [{"id": 2, "vector": [1], "n": n}])
                self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
                self.refused("ingest", "s.rvf", "b.jsonl", "--quiet", says=[str(n), "f64"])

    def test_rows_read_in_blocks_and_joined_by_id_are_not_rounded(self):
        n = 70000  # more than are read at once
        self.jsonl("m.jsonl", [{"id": n - i, "n": 9007199254740993 if i == 0 else i if i < n - 1 else 0.5} for i in range(n)])
        self.jsonl("v.jsonl", [{"id": i + 1, "vector": [1]} for i in range(n)])
        self.refused("ingest", "s.rvf", "v.jsonl", "--meta", "m.jsonl", "--create", "--quiet", "--no-index", "--batch", n,
                     says=["m.jsonl", "n"])
        self.assertEqual(list(self.dir.glob("s.rvf*")), [])

    def test_exact_numbers_still_widen(self):
        self.jsonl("a.jsonl", [{"id": 1, "vector": [1], "n": 9007199254740992}])
        self.jsonl("b.jsonl", [{"id": 2, "vector": [1], "n": 0.5}])
        self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
        self.ok("ingest", "s.rvf", "b.jsonl", "--quiet")
        self.assertEqual(json.loads(self.text_of("s.rvf"))["n"], 9007199254740992)

    def test_numbers_beyond_64_bits_keep_every_digit_as_text_or_are_refused(self):
        for digits in ("18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1e400"):
            with self.subTest(digits=digits):
                self.fresh()
                self.file("a.jsonl", f'{{"id":1,"vector":[1],"n":{digits}}}\n')
                self.refused("ingest", "s.rvf", "a.jsonl", "--create", says=[digits[:20], "n:string"])
                self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet", "--schema", "n:string")
                self.assertEqual(json.loads(self.text_of("s.rvf"))["n"], digits)

    def test_times_to_live_of_any_length_end_late_and_not_at_once(self):
        self.jsonl("a.jsonl", [{"id": 1, "vector": [1]}])
        for ttl in ("36500d", "86000d", "106751d", "99999d", "9223372036854775807s", "200000000h", "99999999999d"):
            with self.subTest(ttl=ttl):
                (self.dir / "s.rvf").unlink(missing_ok=True)
                self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet", "--ttl", ttl)
                self.assertEqual(self.count("s.rvf"), 1)

    def test_an_expiry_beyond_the_years_that_can_be_stored_is_the_nearest_one(self):
        for expires, left in (("9999-12-31", 1), ("2262-12-31T00:00:00Z", 1), ("2500-01-01", 1), ("1066-01-01", 0),
                              ("1970-01-01", 0)):
            with self.subTest(expires=expires):
                self.fresh()
                self.jsonl("a.jsonl", [{"id": 1, "vector": [1], "_expires": expires}])
                self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
                self.assertEqual(self.count("s.rvf"), left)
                self.jsonl("t.jsonl", [{"id": 1, "vector": [1], "t": expires}])
                if expires[:4] in ("9999", "2262", "2500", "1066"):
                    self.refused("ingest", "t.rvf", "t.jsonl", "--create", "--schema", "t:timestamp", says=["1677 to 2262"])

    def test_fractions_are_no_whole_numbers_of_i8_and_u8(self):
        for dtype, vector in (("i8", [0.1, -0.2]), ("u8", [1, 254.5]), ("i8", [1e-30, 1]), ("u8", [0.5, 0.5])):
            for form in ("jsonl", "csv"):
                with self.subTest(dtype=dtype, vector=vector, form=form):
                    self.fresh()
                    name = (self.jsonl("a.jsonl", [{"id": 1, "vector": vector}]) if form == "jsonl" else
                            self.file("a.csv", ",".join(map(str, vector)) + "\n"))
                    self.refused("ingest", "s.rvf", name, "--create", "--dtype", dtype, says=["whole numbers", "int8"])
                    self.assertEqual(list(self.dir.glob("s.rvf*")), [])
        self.ok("ingest", "s.rvf", self.jsonl("b.jsonl", [{"id": 1, "vector": [1.0, 127]}]), "--create", "--dtype", "i8",
                "--quiet")

    def test_distances_are_json_also_where_they_are_zero_or_beyond_f32(self):
        self.jsonl("a.jsonl", [{"id": 1, "vector": [3e38, 3e38]}])
        for metric, query, printed in (("l2", "-3e38,-3e38", "[null]"), ("ip", "0,0", "[0]"), ("ip", "-0.0,0", "[0]")):
            with self.subTest(metric=metric, query=query):
                (self.dir / "s.rvf").unlink(missing_ok=True)
                self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet", "--metric", metric)
                self.assertIn(f'"distances":{printed}', self.ok("query", "s.rvf", f"--vector={query}", "--json"))


if __name__ == "__main__":
    harness.main()
