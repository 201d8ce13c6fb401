#!/usr/bin/env python3
"""Ids of files are one kind, by one rule: a canonical number from 0 to 2^64-2 is a number, all else a text."""
import harness

# As they stand in a csv, and whether that is a number.
WRITTEN = [("0", True), ("1", True), ("18446744073709551614", True), ("18446744073709551615", False),
           ("18446744073709551616", False), ("007", False), ("00", False), ("-1", False), ("+1", False), ("1.0", False),
           ("1e3", False), ("0x10", False), ('" 5"', False), ("1_000", False), ("é", False)]


class Ids(harness.Misuse):
    def ids(self, store):
        return [line["id"] for line in self.json("scan", store) if "id" in line]

    def test_one_id_of_a_csv_that_is_no_number_makes_a_store_of_texts_wherever_it_stands(self):
        for written, number in WRITTEN:
            for batch in (1, 100):
                with self.subTest(id=written, batch=batch):
                    self.fresh()
                    self.file("a.csv", f"id,v0\n2,1\n{written},2\n")
                    self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet", "--batch", batch)
                    text = written.strip('"')
                    self.assertEqual(set(self.ids("s.rvf")), {2, int(text)} if number else {"2", text})

    def test_a_store_of_numbers_refuses_texts_and_keeps_what_it_has(self):
        for written, number in WRITTEN:
            with self.subTest(id=written):
                self.fresh()
                self.file("a.csv", "id,v0\n2,1\n")
                self.file("b.csv", f"id,v0\n{written},7\n")
                self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet")
                if number:
                    self.ok("ingest", "s.rvf", "b.csv", "--quiet")
                else:
                    self.refused("ingest", "s.rvf", "b.csv", "--quiet", says=["b.csv", "line 2", "numbers"])
                    self.assertEqual(self.ids("s.rvf"), [2])

    def test_json_says_itself_what_is_a_number_and_a_store_of_texts_takes_numbers_as_texts(self):
        for first, second, ids in (("5", '"6"', [5, 6]), ('"5"', "6", ["5", "6"]), ('"a"', "6", ["a", "6"]),
                                   ("5", '"06"', None), ("5", "6.0", None), ("5", "-6", None), ("5", "1e3", None),
                                   ("5", "18446744073709551615", None), ("5", '""', None), ('"a"', '""', None),
                                   ("5", "null", None), ("5", "true", None), ("5", "[6]", None)):
            with self.subTest(first=first, second=second):
                self.fresh()
                self.file("a.jsonl", f'{{"id":{first},"vector":[1]}}\n{{"id":{second},"vector":[2]}}\n')
                if ids is None:
                    self.refused("ingest", "s.rvf", "a.jsonl", "--create", "--quiet", says=["a.jsonl", "line 2"])
                    self.assertEqual(list(self.dir.glob("s.rvf*")), [])
                else:
                    self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet")
                    self.assertEqual(self.ids("s.rvf"), ids)

    def test_the_kind_can_be_told(self):
        self.file("a.csv", "id,v0\n1,1\n2,2\n")
        self.file("ids.txt", "1\n2\n")
        self.file("b.csv", "1\n2\n")
        self.ok("ingest", "s.rvf", "a.csv", "--create", "--quiet", "--id-type", "text")
        self.assertEqual(self.ids("s.rvf"), ["1", "2"])
        self.ok("ingest", "i.rvf", "b.csv", "--ids", "ids.txt", "--create", "--quiet", "--id-type", "text")
        self.assertEqual(self.ids("i.rvf"), ["1", "2"])
        self.file("x.csv", "id,v0\n01,1\n")
        self.refused("ingest", "n.rvf", "x.csv", "--create", "--id-type", "number", says=["01"])
        self.refused("ingest", "s.rvf", "a.csv", "--id-type", "number", says=["texts"])

    def test_ids_in_a_file_of_text_follow_the_same_rule(self):
        self.file("v.csv", "1\n2\n")
        for content, ids in (("1\n2\n", [1, 2]), ("1\n02\n", ["1", "02"]), (" 1 \r\n2\r\n", [1, 2]), ("a\nb", ["a", "b"]),
                             ("1\r2\r", [1, 2])):
            with self.subTest(content=content):
                self.file("ids.txt", content)
                (self.dir / "s.rvf").unlink(missing_ok=True)
                self.ok("ingest", "s.rvf", "v.csv", "--ids", "ids.txt", "--create", "--quiet")
                self.assertEqual(self.ids("s.rvf"), ids)

    def test_an_id_that_occurs_again_is_answered_alike_within_a_batch_and_across(self):
        rows = [{"id": i, "vector": [n]} for n, i in enumerate(["a", "b", "a", "c", "b", "a"])]
        for mode, left in (("replace", {"a": 5, "b": 4, "c": 3}), ("keep", {"a": 0, "b": 1, "c": 3}), ("error", None)):
            for batch in (1, 2, 3, 100):
                with self.subTest(mode=mode, batch=batch):
                    self.fresh()
                    self.jsonl("a.jsonl", rows)
                    command = ["ingest", "s.rvf", "a.jsonl", "--create", "--quiet", "--batch", batch, "--on-duplicate", mode]
                    if left is None:
                        self.refused(*command, says=["the id a is there already"])
                        continue
                    self.ok(*command)
                    got = self.json("get", "s.rvf", "a", "b", "c")
                    self.assertEqual({x["id"]: x["vector"][0] for x in got}, left)
        self.refused("ingest", "t.rvf", "a.jsonl", "--create", "--quiet", says=["occurs twice"])
        self.assertFalse((self.dir / "t.rvf").exists())


if __name__ == "__main__":
    harness.main()
