#!/usr/bin/env python3
"""Metadata through the rvf command, as a user would. Usage: metadata_cli_test.py PATH_TO_RVF. Standard library only."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

RVF = None

BOOKS = [
    {"id": 1, "vector": [1, 0, 0], "lang": "de", "year": 2019, "title": "Rote Füchse", "tags": ["wald", "tier"]},
    {"id": 2, "vector": [0, 1, 0], "lang": "en", "year": 2021, "title": "Red foxes run", "price": 1.5},
    {"id": 7, "vector": [0, 0, 1], "lang": "en", "title": "Blue birds", "price": 2, "open": False},
    {"id": 9, "vector": [1, 1, 0], "lang": "fr", "year": 2023, "title": "A fox, a crow", "author": {"name": "Jean"}},
]
SCHEMA = "lang:enum:index,title:string:words"
EVERY_TYPE = "s:string,e:enum:index,u:u64,t:timestamp,by:bytes,l:list"
# A value of every type as the store writes it, so that a first export already has these bytes.
TYPED = [
    '{"id":1,"vector":[0.1,0.2],"s":"ü\\"\\\\\\u0000x","e":"de","u":18446744073709551615,'
    '"t":"2024-05-01T10:00:00.25Z","by":"AP8=","l":["a",""],"i":-9007199254740993,"f":0.1,"b":true,"my field":"x"}',
    '{"id":2,"vector":[1e-40,3.4028235e+38],"s":"","t":"2024-05-01T10:00:00.000000001Z","by":"","l":[],"f":2.0}',
    '{"id":18446744073709551614,"vector":[-0.0,1],"s":"2024-05-01","e":"","f":-0.0}',
]


class MetadataCli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dir = pathlib.Path(self.folder.name)

    def run_rvf(self, *arguments, code=0):
        p = subprocess.run([RVF, *map(str, arguments)], capture_output=True, text=True, cwd=self.dir)
        self.assertEqual(p.returncode, code, f"rvf {arguments}\n{p.stdout}\n{p.stderr}")
        return p

    def json(self, *arguments, code=0):
        return [json.loads(line) for line in self.run_rvf(*arguments, "--json", code=code).stdout.splitlines()]

    def refused(self, *arguments):
        return self.run_rvf(*arguments, code=1).stderr

    def write(self, name, rows):
        text = rows if isinstance(rows, str) else "".join(json.dumps(r) + "\n" for r in rows)
        (self.dir / name).write_text(text)
        return name

    def read(self, name):
        return (self.dir / name).read_bytes()

    def books(self):
        self.run_rvf("ingest", "s.rvf", self.write("books.jsonl", BOOKS), "--create", "--schema", SCHEMA)

    def fields(self, store):
        return {f["name"]: f["type"] for f in self.json("schema", store)[0]["fields"]}

    # id -> fields
    def rows(self, store, *arguments):
        lines = self.json("scan", store, "--columns", "*", *arguments)
        return {line["id"]: line["row"] for line in lines if "id" in line}

    def ids(self, store, *arguments):
        return [line["id"] for line in self.json("scan", store, *arguments) if "id" in line]

    # ---- bringing it in

    def test_keys_beside_the_vector_become_fields_with_the_types_of_their_values(self):
        self.books()
        (schema,) = self.json("schema", "s.rvf")
        self.assertEqual(self.fields("s.rvf"), {
            "lang": "enum", "title": "string", "year": "i64", "tags": "list", "price": "f64", "open": "bool",
            "author.name": "string"})
        self.assertEqual((schema["vectors"], schema["string_ids"]), (4, False))
        indexed = {f["name"]: f["index"] for f in schema["fields"]}
        self.assertEqual((indexed["lang"], indexed["title"], indexed["year"]), (["values"], ["words"], []))
        self.assertEqual(self.rows("s.rvf")[9],
                         {"lang": "fr", "year": 2023, "title": "A fox, a crow", "author.name": "Jean"})
        (got,) = self.json("get", "s.rvf", 7)
        self.assertEqual(got, {"id": 7, "vector": [0, 0, 1], "lang": "en", "title": "Blue birds", "price": 2.0,
                               "open": False})

    def test_rows_of_meta_go_to_vectors_in_order_where_no_side_has_ids(self):
        self.write("v.csv", "1,0\n0,1\n1,1\n")
        self.write("m.jsonl", [{"year": 1, "n": "a"}, {"year": 2}, {"year": 3, "n": "c"}])
        self.run_rvf("ingest", "s.rvf", "v.csv", "--create", "--meta", "m.jsonl", "--batch", 2)
        self.assertEqual(self.rows("s.rvf"), {0: {"year": 1, "n": "a"}, 1: {"year": 2}, 2: {"year": 3, "n": "c"}})

    def test_rows_of_meta_in_another_order_are_joined_by_id(self):
        self.write("v.csv", "1,0\n0,1\n1,1\n")
        self.write("v.jsonl", [{"id": 10, "vector": [1, 0]}, {"id": 20, "vector": [0, 1]}, {"id": 30, "vector": [1, 1]}])
        self.write("ids.txt", "10\n20\n30\n")
        self.write("m.jsonl", [{"id": 30, "y": 3}, {"id": 10, "y": 1}, {"id": 20, "y": 2}])
        self.write("m.csv", "y,id\n3,30\n1,10\n2,20\n")
        wanted = {10: {"y": 1}, 20: {"y": 2}, 30: {"y": 3}}
        for number, source in enumerate((("v.jsonl",), ("v.csv", "--ids", "ids.txt"))):
            for meta in ("m.jsonl", "m.csv"):
                for batch in (1, 2, 100):
                    with self.subTest(source=source, meta=meta, batch=batch):
                        store = f"{number}{meta}{batch}.rvf"
                        self.run_rvf("ingest", store, *source, "--create", "--meta", meta, "--batch", batch)
                        self.assertEqual(self.rows(store), wanted)

    def test_a_join_by_id_says_what_found_no_vector_and_refuses_ids_of_another_kind(self):
        self.write("v.jsonl", [{"id": 10, "vector": [1, 0]}, {"id": 20, "vector": [0, 1]}])
        self.write("m.jsonl", [{"id": 30, "y": 3}, {"id": 10, "y": 1}, {"id": 40, "y": 2}])
        p = self.run_rvf("ingest", "s.rvf", "v.jsonl", "--create", "--meta", "m.jsonl")
        self.assertIn("m.jsonl: 2 of 3 rows have an id that no vector has", p.stderr)
        self.assertEqual(self.rows("s.rvf"), {10: {"y": 1}, 20: {}})
        self.write("text.jsonl", [{"id": "x20", "y": 3}, {"id": "10", "y": 1}])
        self.assertIn("numbers", self.refused("ingest", "s.rvf", "v.jsonl", "--meta", "text.jsonl"))

    def test_string_ids_come_from_the_column_that_is_named(self):
        self.write("v.csv", "1,0\n0,1\n1,1\n")
        self.write("m.jsonl", [{"key": "c", "y": 3}, {"key": "a", "y": 1}, {"key": "b/ü", "y": 2}])
        self.run_rvf("ingest", "s.rvf", "v.csv", "--create", "--meta", "m.jsonl", "--id-column", "key")
        self.assertTrue(self.json("schema", "s.rvf")[0]["string_ids"])
        self.assertEqual(self.fields("s.rvf"), {"y": "i64"})
        self.assertEqual(self.rows("s.rvf"), {"c": {"y": 3}, "a": {"y": 1}, "b/ü": {"y": 2}})
        got = self.json("get", "s.rvf", "b/ü", "a")
        self.assertEqual(got, [{"id": "b/ü", "vector": [1, 1], "y": 2}, {"id": "a", "vector": [0, 1], "y": 1}])
        p = self.run_rvf("get", "s.rvf", "a", "nobody", code=1)
        self.assertIn("nobody", p.stderr)
        self.assertIn("[0,1]", p.stdout)
        (found,) = self.json("query", "s.rvf", "--like", "a")
        self.assertEqual(found["ids"], ["a", "b/ü", "c"])
        self.assertEqual(self.json("scan", "s.rvf", "--filter", "id = 'b/ü'"), [{"id": "b/ü"}])
        # The same rows for vectors that have the ids themselves, in another order.
        self.write("v.jsonl", [{"id": "a", "vector": [1, 0]}, {"id": "b/ü", "vector": [0, 1]}])
        p = self.run_rvf("ingest", "t.rvf", "v.jsonl", "--create", "--meta", "m.jsonl", "--id-column", "key")
        self.assertEqual(self.rows("t.rvf"), {"a": {"y": 1}, "b/ü": {"y": 2}})
        self.assertIn("1 of 3 rows", p.stderr)

    def test_columns_of_a_csv_that_are_no_components_are_metadata(self):
        self.write("c.csv", 'name,v0,v1,year,ok,note\nAnn,1,0,2020,true,007\nBob,0,1,,false,""\n"C, D",1,1,2022,,x\n')
        self.run_rvf("ingest", "s.rvf", "c.csv", "--create")
        self.assertEqual(self.json("status", "s.rvf")[0]["dim"], 2)
        self.assertEqual(self.fields("s.rvf"), {"name": "string", "year": "i64", "ok": "bool", "note": "string"})
        self.assertEqual(self.rows("s.rvf"), {0: {"name": "Ann", "year": 2020, "ok": True, "note": "007"},
                                              1: {"name": "Bob", "ok": False, "note": ""},
                                              2: {"name": "C, D", "year": 2022, "note": "x"}})
        self.run_rvf("ingest", "k.rvf", "c.csv", "--create", "--id-column", "name")
        self.assertEqual(self.ids("k.rvf"), ["Ann", "Bob", "C, D"])
        self.assertEqual(len(self.json("query", "s.rvf", "--queries", "c.csv", "-k", 1)), 3)
        # Without a run of numbered columns the first row tells.
        self.write("d.csv", "x,y,lang\n1,2,de\n3,4,en\n")
        self.run_rvf("ingest", "d.rvf", "d.csv", "--create")
        self.assertEqual(self.json("get", "d.rvf", 1), [{"id": 1, "vector": [3, 4], "lang": "en"}])

    def test_a_schema_converts_and_may_be_a_file(self):
        self.write("v.csv", "1,0\n0,1\n")
        self.write("m.jsonl", [{"at": "2024-05-01", "zip": 1234, "n": 1}, {"at": 1714557600000000000, "zip": "0099", "n": 2}])
        self.write("schema.json", json.dumps({"at": {"type": "timestamp", "index": ["values"]}, "zip": "string",
                                              "n": "f64"}))
        for number, spec in enumerate(("at:timestamp:index,zip:string,n:f64", "schema.json")):
            store = f"{number}.rvf"
            self.run_rvf("ingest", store, "v.csv", "--create", "--meta", "m.jsonl", "--schema", spec)
            self.assertEqual(self.fields(store), {"at": "timestamp", "zip": "string", "n": "f64"})
            self.assertEqual(self.rows(store)[1], {"at": "2024-05-01T10:00:00Z", "zip": "0099", "n": 2.0})
        self.assertEqual(self.ids("0.rvf", "--filter", "at < '2024-05-01T09:00:00Z'"), [0])

    def test_vectors_with_a_ttl_are_gone_when_it_has_passed(self):
        self.write("v.csv", "1,0\n0,1\n")
        self.run_rvf("ingest", "s.rvf", "v.csv", "--create", "--ttl", "3s")
        self.run_rvf("ingest", "s.rvf", "v.csv", "--ttl", "1d")
        written = time.monotonic()
        self.assertEqual(self.fields("s.rvf"), {})
        if time.monotonic() - written < 1:  # a slow machine proves nothing
            self.assertEqual(self.json("count", "s.rvf"), [{"count": 4}])
        time.sleep(3.2)
        self.assertEqual(self.json("count", "s.rvf"), [{"count": 2}])
        self.assertEqual(self.ids("s.rvf"), [2, 3])
        self.assertEqual(sorted(self.json("query", "s.rvf", "--vector", "1,0")[0]["ids"]), [2, 3])
        self.run_rvf("get", "s.rvf", 0, code=1)
        for bad in ("1x", "0s", "-1d", "d"):
            self.assertIn("not a duration", self.refused("ingest", "s.rvf", "v.csv", f"--ttl={bad}"))

    # ---- looking at it

    def test_schema_set_declares_widens_and_indexes(self):
        self.books()
        self.run_rvf("schema", "s.rvf", "--set", "year:f64:index,shelf:enum")
        fields = {f["name"]: f for f in self.json("schema", "s.rvf")[0]["fields"]}
        self.assertEqual(fields["year"], {"name": "year", "type": "f64", "index": ["values"]})
        self.assertEqual(fields["shelf"]["type"], "enum")
        self.assertEqual(self.rows("s.rvf")[1]["year"], 2019.0)
        self.assertIn("year", self.run_rvf("schema", "s.rvf").stdout)
        self.refused("schema", "s.rvf", "--set", "title:i64")
        error = self.refused("schema", "s.rvf", "--set", "x:quux")
        self.assertIn("--set", error)
        self.assertIn("quux", error)

    def test_counts_are_of_what_matches_and_of_each_value(self):
        self.books()
        self.assertEqual(self.json("count", "s.rvf"), [{"count": 4}])
        self.assertEqual(self.json("count", "s.rvf", "--filter", "lang = 'en' and price < 2"), [{"count": 1}])
        self.assertEqual(self.json("count", "s.rvf", "--filter", '{"year": {"$gte": 2021}}'), [{"count": 2}])
        self.assertEqual(self.json("count", "s.rvf", "--filter", "title match 'fox'"), [{"count": 2}])
        self.assertEqual(self.json("count", "s.rvf", "--by", "lang")[0], {"value": "en", "count": 2})
        self.assertEqual(len(self.json("count", "s.rvf", "--by", "lang", "--limit", 2)), 2)
        tags = {x["value"]: x["count"] for x in self.json("count", "s.rvf", "--by", "tags")}
        self.assertEqual(tags, {None: 3, "wald": 1, "tier": 1})
        self.assertEqual(self.json("count", "s.rvf", "--by", "lang", "--filter", "year is null"),
                         [{"value": "en", "count": 1}])
        self.assertEqual(self.run_rvf("count", "s.rvf").stdout, "4\n")

    def test_pages_of_a_scan_hold_every_id_once(self):
        self.write("v.jsonl", [{"id": 3 * i, "vector": [i, 1], "even": i % 2 == 0, "key": f"k{i:03}"} for i in range(100)])
        self.run_rvf("ingest", "s.rvf", "v.jsonl", "--create")
        self.run_rvf("ingest", "k.rvf", "v.jsonl", "--create", "--id-column", "key")
        for store, name in (("s.rvf", lambda i: 3 * i), ("k.rvf", lambda i: f"k{i:03}")):
            for limit in (1, 7, 50, 100, 1000):
                for condition, step in (([], 1), (["--filter", "even"], 2)):
                    if limit == 1 and step == 1:
                        continue
                    seen, after = [], []
                    while True:
                        lines = self.json("scan", store, "--limit", limit, *condition, *after)
                        page = [line["id"] for line in lines if "id" in line]
                        self.assertLessEqual(len(page), limit)
                        seen += page
                        if "next" not in (lines[-1] if lines else {}):
                            break
                        after = ["--after", lines[-1]["next"]]
                    self.assertEqual(seen, [name(i) for i in range(0, 100, step)])
        self.assertRegex(self.run_rvf("scan", "s.rvf", "--limit", 2).stdout, "more: --after 3\n$")
        for bad in ("x", "1x", "-1", "1.5"):
            self.assertIn("not a cursor", self.refused("scan", "s.rvf", f"--after={bad}"))

    # ---- queries

    def test_a_query_shows_fields_and_says_how_its_filter_was_answered(self):
        self.books()
        (found,) = self.json("query", "s.rvf", "--vector", "1,1,0", "--filter", "lang = 'en'", "--columns",
                             "title,price", "--explain")
        self.assertEqual((found["ids"], found["distances"]), ([2, 7], [1, 3]))
        self.assertEqual(found["rows"], [{"title": "Red foxes run", "price": 1.5}, {"title": "Blue birds", "price": 2.0}])
        plan = found["plan"]
        self.assertEqual((plan["matching"], plan["rows"], plan["filter"]), (2, 4, "lang = 'en'"))
        self.assertIn(plan["strategy"], ("pre", "in", "post"))
        self.assertTrue(plan["reason"])
        text = self.run_rvf("query", "s.rvf", "--vector", "1,1,0", "--filter", "lang = 'en'", "--columns", "*",
                            "--explain").stdout
        self.assertIn("2 of 4 vectors match", text)
        self.assertIn("Red foxes run", text)
        self.assertIn("author.name", text)
        self.assertIn("no vector matches", self.run_rvf("query", "s.rvf", "--vector", "1,1,0", "--filter", "false").stdout)
        self.write("q.jsonl", [{"vector": [1, 0, 0], "lang": "xx"}, {"vector": [0, 0, 1], "lang": "yy"}])
        many = self.json("query", "s.rvf", "--queries", "q.jsonl", "-k", 1, "--filter", "lang = 'en'")
        self.assertEqual([x["ids"] for x in many], [[2], [7]])

    def test_every_strategy_gives_what_comparing_all_gives(self):
        rows = [{"id": i, "vector": [i * 7 % 101, i * 13 % 97, i % 89], "m": i % 5} for i in range(2000)]
        self.run_rvf("ingest", "s.rvf", self.write("v.jsonl", rows), "--create")
        self.run_rvf("index", "s.rvf")
        query = ["query", "s.rvf", "--vector", "50,50,50", "--filter", "m = 3 and id < 1500", "-k", 5]
        exact = self.json(*query, "--exact")[0]["ids"]
        self.assertTrue(all(i % 5 == 3 and i < 1500 for i in exact))
        for strategy in ("auto", "pre", "in", "post"):
            with self.subTest(strategy):
                self.assertEqual(self.json(*query, "--strategy", strategy, "--ef", 500)[0]["ids"], exact)

    def test_groups_hold_at_most_so_many(self):
        self.books()
        self.assertEqual(self.json("query", "s.rvf", "--vector", "0,1,1", "--group-by", "lang")[0]["ids"], [2, 9, 1])
        two = self.json("query", "s.rvf", "--vector", "0,1,1", "--group-by", "lang", "--group-size", 2)
        self.assertEqual(sorted(two[0]["ids"]), [1, 2, 7, 9])

    def test_like_and_words_rank_alone_and_together(self):
        self.books()
        self.assertEqual(self.json("query", "s.rvf", "--like", 7, "-k", 1)[0], {"query": 0, "ids": [7], "distances": [0]})
        self.assertIn("no vector has the id '5'", self.refused("query", "s.rvf", "--like", 5))
        (words,) = self.json("query", "s.rvf", "--words", "foxes")
        self.assertEqual(sorted(words["ids"]), [2, 9])
        self.assertEqual(len(words["scores"]), 2)
        (both,) = self.json("query", "s.rvf", "--words", "foxes", "--like", 2, "--columns", "title")
        self.assertEqual(both["ids"][0], 2)
        self.assertEqual(both["rows"][0], {"title": "Red foxes run"})
        self.assertEqual(sorted(both["ids"]), [1, 2, 7, 9])
        (some,) = self.json("query", "s.rvf", "--words", "foxes", "--like", 2, "--filter", "lang = 'fr'")
        self.assertEqual(some["ids"], [9])
        for fusion in ("rrf", "weighted"):
            alone = self.json("query", "s.rvf", "--words", "birds", "--vector", "0,1,0", "--fusion", fusion,
                              "--vector-weight", 0, "-k", 1)
            self.assertEqual(alone[0]["ids"], [7])
        self.assertIn("'lang'", self.refused("query", "s.rvf", "--words", "x", "--text-field", "lang"))

    # ---- changing it

    def test_an_update_changes_what_its_rows_mention(self):
        self.books()
        before = self.rows("s.rvf")
        vectors = self.json("get", "s.rvf", 1, 2)
        self.write("u.jsonl", [{"id": 2, "title": "Grey foxes", "shelf": 4}, {"id": 1, "year": None, "lang": "gsw"}])
        self.assertEqual(self.json("update", "s.rvf", "--meta", "u.jsonl"), [{"updated": 2}])
        after = self.rows("s.rvf")
        self.assertEqual(after[2], {**before[2], "title": "Grey foxes", "shelf": 4})
        self.assertEqual(after[1], {**before[1], "lang": "gsw"})
        self.assertEqual((after[7], after[9]), (before[7], before[9]))
        for a, b in zip(vectors, self.json("get", "s.rvf", 1, 2)):
            self.assertEqual(a["vector"], b["vector"])
        self.assertEqual(self.json("query", "s.rvf", "--words", "grey")[0]["ids"], [2])
        self.write("c.csv", "id,price\n1,\n2,\n")
        self.run_rvf("update", "s.rvf", "--meta", "c.csv", "--clear", "year,title")
        after = self.rows("s.rvf")
        self.assertEqual(after[2], {"lang": "en", "price": 1.5, "shelf": 4})
        self.assertEqual(after[1], {"lang": "gsw", "tags": ["wald", "tier"]})
        self.assertEqual(after[9], before[9])
        self.assertIn("has values for the field 'title'",
                      self.refused("update", "s.rvf", "--meta", "u.jsonl", "--clear", "title"))
        self.assertIn("no field 'nope'", self.refused("update", "s.rvf", "--meta", "u.jsonl", "--clear", "nope"))
        self.assertIn("99", self.refused("update", "s.rvf", "--meta", self.write("x.jsonl", [{"id": 99, "year": 1}])))
        self.assertIn('no "id"', self.refused("update", "s.rvf", "--meta", self.write("x.jsonl", [{"year": 1}])))
        self.assertIn("the id 1 occurs twice",
                      self.refused("update", "s.rvf", "--meta", self.write("x.jsonl", [{"id": 1, "year": 1}] * 2)))
        self.assertEqual(self.rows("s.rvf"), after)

    def test_string_ids_are_updated_and_deleted_by_their_text(self):
        self.write("v.jsonl", [{"id": k, "vector": [i, 1], "n": i} for i, k in enumerate("abcde")])
        self.run_rvf("ingest", "s.rvf", "v.jsonl", "--create")
        self.write("u.jsonl", [{"who": "d", "n": 40}, {"who": "a", "n": 10}])
        self.run_rvf("update", "s.rvf", "--meta", "u.jsonl", "--id-column", "who")
        self.assertEqual({k: r["n"] for k, r in self.rows("s.rvf").items()}, {"a": 10, "b": 1, "c": 2, "d": 40, "e": 4})
        (gone,) = self.json("delete", "s.rvf", "--ids", "b,nobody,d")
        self.assertEqual((gone["deleted"], gone["not_found"], gone["vectors"]), (2, 1, 3))
        (gone,) = self.json("delete", "s.rvf", "--filter", "n < 5")
        self.assertEqual((gone["deleted"], gone["not_found"], gone["vectors"]), (2, 0, 1))
        self.assertEqual(self.ids("s.rvf"), ["a"])
        self.run_rvf("ingest", "s.rvf", "v.jsonl")
        self.assertEqual(self.ids("s.rvf"), list("abcde"))
        self.assertEqual(self.rows("s.rvf")["a"], {"n": 0})

    def test_a_delete_by_filter_takes_what_matches_and_never_everything_by_accident(self):
        self.books()
        self.assertEqual(self.json("delete", "s.rvf", "--filter", "lang = 'xx'")[0]["deleted"], 0)
        self.assertEqual(self.json("delete", "s.rvf", "--filter", "year >= 2021")[0]["deleted"], 2)
        self.assertEqual(self.ids("s.rvf"), [1, 7])
        for blank in ("", " ", "{}"):
            self.refused("delete", "s.rvf", "--filter", blank)
        self.assertEqual(self.json("count", "s.rvf"), [{"count": 2}])

    # ---- taking it out

    def test_export_and_import_are_the_identity(self):
        self.write("typed.jsonl", "".join(line + "\n" for line in TYPED))
        self.run_rvf("ingest", "a.rvf", "typed.jsonl", "--create", "--schema", EVERY_TYPE)
        self.run_rvf("export", "a.rvf", "1.jsonl")
        self.assertEqual(self.read("1.jsonl").decode(), self.read("typed.jsonl").decode())
        for number, schema in enumerate((["--schema", EVERY_TYPE], [])):
            self.run_rvf("ingest", f"{number}.rvf", "1.jsonl", "--create", *schema)
            self.run_rvf("export", f"{number}.rvf", "2.jsonl")
            self.assertEqual(self.read("1.jsonl"), self.read("2.jsonl"))
        self.assertEqual(self.fields("a.rvf"), self.fields("0.rvf"))
        self.run_rvf("export", "a.rvf", "v.npy", "--meta", "rows.jsonl")
        self.run_rvf("ingest", "b.rvf", "v.npy", "--create", "--meta", "rows.jsonl", "--schema", EVERY_TYPE)
        self.run_rvf("export", "b.rvf", "3.jsonl")
        self.assertEqual(self.read("1.jsonl"), self.read("3.jsonl"))
        self.run_rvf("compact", "b.rvf")
        self.run_rvf("export", "b.rvf", "4.jsonl")
        self.assertEqual(self.read("1.jsonl"), self.read("4.jsonl"))

    def test_string_ids_survive_every_way_out(self):
        self.write("v.jsonl", [{"id": k, "vector": [i, 1], "n": i} for i, k in enumerate(["c", "a", "ü b", "12"])])
        self.run_rvf("ingest", "s.rvf", "v.jsonl", "--create")
        self.refused("ingest", "s.rvf", self.write("more.csv", "5,5\n6,6\n"))  # would be counted on
        self.run_rvf("export", "s.rvf", "1.jsonl")
        self.run_rvf("ingest", "t.rvf", "1.jsonl", "--create")
        self.run_rvf("export", "t.rvf", "2.jsonl")
        self.assertEqual(self.read("1.jsonl"), self.read("2.jsonl"))
        self.run_rvf("export", "s.rvf", "v.npy", "--meta", "rows.jsonl")
        self.run_rvf("ingest", "u.rvf", "v.npy", "--create", "--meta", "rows.jsonl")
        self.run_rvf("export", "u.rvf", "3.jsonl")
        self.assertEqual(self.read("1.jsonl"), self.read("3.jsonl"))

    def test_an_export_can_be_of_some_vectors_and_some_fields(self):
        self.books()
        (done,) = self.json("export", "s.rvf", "o.jsonl", "--filter", "lang = 'en'", "--columns", "price,title")
        self.assertEqual(done["exported"], 2)
        self.assertEqual([json.loads(x) for x in self.read("o.jsonl").splitlines()],
                         [{"id": 2, "vector": [0, 1, 0], "price": 1.5, "title": "Red foxes run"},
                          {"id": 7, "vector": [0, 0, 1], "price": 2.0, "title": "Blue birds"}])
        self.run_rvf("export", "s.rvf", "o.npy", "--meta", "rows.jsonl", "--filter", "year > 2020")
        self.assertEqual([json.loads(x) for x in self.read("rows.jsonl").splitlines()],
                         [{"id": 2, "lang": "en", "year": 2021, "title": "Red foxes run", "price": 1.5},
                          {"id": 9, "lang": "fr", "year": 2023, "title": "A fox, a crow", "author.name": "Jean"}])
        npy = self.read("o.npy")
        self.assertEqual(struct.unpack("<6f", npy[-24:]), (0, 1, 0, 1, 1, 0))
        self.assertIn("no field 'nope'", self.refused("export", "s.rvf", "p.jsonl", "--columns", "nope"))
        self.assertFalse((self.dir / "p.jsonl").exists())

    def test_a_store_of_the_packages_and_back_keeps_vectors_ids_and_metadata(self):
        self.write("typed.jsonl", "".join(line + "\n" for line in TYPED))
        self.run_rvf("ingest", "a.rvf", "typed.jsonl", "--create", "--schema", EVERY_TYPE)
        (there,) = self.json("convert", "a.rvf", "r.rvf", "--to", "runtime")
        self.assertEqual((there["from"], there["to"], there["vectors"]), ("native", "runtime", 3))
        self.assertEqual(self.rows("r.rvf"), self.rows("a.rvf"))
        self.run_rvf("convert", "r.rvf", "b.rvf", "--to", "native")
        self.assertEqual(self.fields("b.rvf"), self.fields("a.rvf"))
        self.run_rvf("export", "b.rvf", "b.jsonl")
        self.assertEqual(self.read("b.jsonl"), self.read("typed.jsonl"))
        self.refused("convert", "r.rvf", "b.rvf", "--to", "native")
        self.run_rvf("convert", "r.rvf", "b.rvf", "--to", "native", "--force")
        self.write("v.jsonl", [{"id": k, "vector": [i, 1], "n": i} for i, k in enumerate("cab")])
        self.run_rvf("ingest", "k.rvf", "v.jsonl", "--create")
        self.run_rvf("export", "k.rvf", "k.jsonl")
        self.run_rvf("convert", "k.rvf", "kr.rvf", "--to", "runtime")
        self.run_rvf("convert", "kr.rvf", "kn.rvf", "--to", "native")
        self.run_rvf("export", "kn.rvf", "kn.jsonl")
        self.assertEqual(self.read("k.jsonl"), self.read("kn.jsonl"))

    # ---- errors

    def test_a_misspelt_field_is_shown_with_a_caret_and_the_fields_there_are(self):
        self.books()
        for command in (["query", "s.rvf", "--vector", "1,0,0"], ["count", "s.rvf"], ["scan", "s.rvf"],
                        ["delete", "s.rvf"], ["export", "s.rvf", "o.jsonl"]):
            with self.subTest(command[0]):
                error = self.refused(*command, "--filter", "year > 1 and lnag = 'de'")
                self.assertIn("the fields are author.name, id, lang", error)
                self.assertIn("did you mean 'lang'?", error)
                self.assertIn("  year > 1 and lnag = 'de'\n" + " " * 15 + "^\n", error)
        self.assertIn("$.lnag", self.refused("count", "s.rvf", "--filter", '{"lnag": 1}'))
        self.assertIn("is i64 and cannot be compared with the text 'x'", self.refused("count", "s.rvf", "--filter", "year = 'x'"))
        for arguments in (["count", "s.rvf", "--by", "lnag"], ["scan", "s.rvf", "--columns", "lnag"],
                          ["query", "s.rvf", "--vector", "1,0,0", "--group-by", "lnag"]):
            error = self.refused(*arguments)
            self.assertIn("'lnag'", error)
            self.assertIn("author.name", error)
        self.assertEqual(self.json("count", "s.rvf"), [{"count": 4}])

    def test_a_value_of_another_type_names_file_line_field_and_a_way_out(self):
        self.write("v.csv", "1,0\n0,1\n1,1\n")
        self.write("bad.jsonl", [{"year": 1}, {"year": "zwei"}, {"year": 3}])
        error = self.refused("ingest", "s.rvf", "v.csv", "--create", "--meta", "bad.jsonl")
        for part in ("bad.jsonl", "line 2", '"year"', '"zwei"', "--schema year:string"):
            self.assertIn(part, error)
        self.run_rvf("ingest", "t.rvf", "v.csv", "--create", "--meta", "bad.jsonl", "--schema", "year:string")
        self.assertEqual(self.rows("t.rvf")[1], {"year": "zwei"})
        self.write("good.jsonl", [{"year": 1}, {"year": 2}, {"year": 3}])
        self.run_rvf("ingest", "u.rvf", "v.csv", "--create", "--meta", "good.jsonl")
        error = self.refused("ingest", "u.rvf", "v.csv", "--meta", "bad.jsonl")
        for part in ("bad.jsonl", "line 2", '"year"', "in the store"):
            self.assertIn(part, error)
        self.assertEqual(self.json("count", "u.rvf"), [{"count": 3}])

    def test_an_id_that_occurs_twice_is_refused_and_nothing_of_the_batch_is_kept(self):
        for ids, shown in (([1, 1], "the id 1 "), (["a", "a"], "the id 'a' ")):
            self.write("v.jsonl", [{"id": i, "vector": [1, 0]} for i in ids])
            store = f"{ids[0]}.rvf"
            self.assertIn(shown + "occurs twice", self.refused("ingest", store, "v.jsonl", "--create"))
            self.assertFalse((self.dir / store).exists())
        self.write("v.jsonl", [{"id": 1, "vector": [1, 0]}, {"id": 2, "vector": [1, 0]}])
        self.write("m.jsonl", [{"id": 2, "n": 1}, {"id": 1, "n": 2}, {"id": 2, "n": 3}])
        self.assertIn("m.jsonl: the id 2 occurs twice", self.refused("ingest", "m.rvf", "v.jsonl", "--create", "--meta", "m.jsonl"))

    def test_rows_and_vectors_that_are_not_as_many_are_an_error(self):
        self.write("v.csv", "1,0\n0,1\n1,1\n")
        self.write("few.jsonl", [{"x": 1}, {"x": 2}])
        self.write("many.jsonl", [{"x": 1}] * 4)
        self.assertIn("fewer rows", self.refused("ingest", "s.rvf", "v.csv", "--create", "--meta", "few.jsonl"))
        self.assertIn("more rows", self.refused("ingest", "s.rvf", "v.csv", "--create", "--meta", "many.jsonl"))


if __name__ == "__main__":
    RVF = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
