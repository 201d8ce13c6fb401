#!/usr/bin/env python3
"""A store has ids of one kind: no number leads to a row of a store of texts, no text into one of numbers."""
import harness

TEXTS = ["ant", "bee", "0", "1", "007", "a,b", "9223372036854775808"]
NUMBERS = [0, 1, 7, 5000000000]
# What somebody may take for the number of a row.
GUESSES = ["2", "3", "4", "5", "6", "100", "18446744073709551614"]


class IdKind(harness.Misuse):
    def texts(self):
        self.jsonl("t.jsonl", [{"id": k, "vector": [i, 1], "n": i} for i, k in enumerate(TEXTS)])
        self.ok("ingest", "t.rvf", "t.jsonl", "--create", "--quiet")

    def numbers(self):
        self.jsonl("n.jsonl", [{"id": k, "vector": [i, 1], "n": i} for i, k in enumerate(NUMBERS)])
        self.ok("ingest", "n.rvf", "n.jsonl", "--create", "--quiet")

    def content(self, store):
        return sorted(self.ok("export", store, "-").splitlines())

    def test_a_number_names_nothing_in_a_store_of_texts(self):
        self.texts()
        before = self.content("t.rvf")
        for guess in GUESSES:
            with self.subTest(guess=guess):
                self.refused("get", "t.rvf", guess, says=[guess])
                self.refused("query", "t.rvf", "--like", guess, says=[guess])
                (gone,) = self.json("delete", "t.rvf", "--ids", guess)
                self.assertEqual((gone["deleted"], gone["not_found"]), (0, 1))
                self.file("ids.txt", guess + "\n")
                (gone,) = self.json("delete", "t.rvf", "--ids-file", "ids.txt")
                self.assertEqual((gone["deleted"], gone["not_found"]), (0, 1))
                self.jsonl("u.jsonl", [{"id": int(guess), "n": 99}])
                self.refused("update", "t.rvf", "--meta", "u.jsonl", says=[guess])
                self.assertEqual(self.json("count", "t.rvf", "--filter", f"id = '{guess}'"), [{"count": 0}])
                self.refused("count", "t.rvf", "--filter", f"id = {guess}")
        self.assertEqual(self.content("t.rvf"), before)

    def test_texts_that_look_like_numbers_are_found_by_their_text(self):
        self.texts()
        for i, text in enumerate(TEXTS):
            with self.subTest(text=text):
                (got,) = self.json("get", "t.rvf", text)
                self.assertEqual((got["id"], got["n"]), (text, i))
                self.jsonl("u.jsonl", [{"id": text, "n": i + 100}])
                self.ok("update", "t.rvf", "--meta", "u.jsonl")
                self.assertEqual(self.json("count", "t.rvf", "--filter", f"id = '{text}' and n = {i + 100}"), [{"count": 1}])
        # A range is one text here.
        self.assertEqual(self.json("delete", "t.rvf", "--ids", "0-5")[0]["deleted"], 0)
        self.assertEqual(self.json("delete", "t.rvf", "--ids", "0,1,007")[0]["deleted"], 3)

    def test_no_answer_shows_the_number_of_a_row_of_texts(self):
        self.texts()
        (found,) = self.json("query", "t.rvf", "--vector", "0,1", "-k", "9")
        self.assertEqual(sorted(found["ids"]), sorted(TEXTS))
        lines = self.json("scan", "t.rvf", "--limit", "2")
        self.assertEqual([x["id"] for x in lines[:2]], TEXTS[:2])
        self.assertIsInstance(lines[2]["next"], str)
        rest = self.json("scan", "t.rvf", "--after", lines[2]["next"])
        self.assertEqual([x["id"] for x in rest], TEXTS[2:])
        for cursor in ("0", "1", "3", "@", "@x", "-1"):
            self.refused("scan", "t.rvf", f"--after={cursor}")

    def test_a_text_is_refused_by_a_store_of_numbers_and_one_that_is_a_number_is_that_number(self):
        self.numbers()
        before = self.content("n.rvf")
        for text in ("ant", "007", "1.0", "-1", "+1", " 1", "18446744073709551615", "1e3", "０"):
            with self.subTest(text=text):
                self.refused("get", "n.rvf", "--", text)
                self.refused("delete", "n.rvf", f"--ids={text}")
                self.jsonl("u.jsonl", [{"id": text, "n": 1}])
                self.refused("update", "n.rvf", "--meta", "u.jsonl")
                self.jsonl("i.jsonl", [{"id": text, "vector": [1, 1]}])
                self.refused("ingest", "n.rvf", "i.jsonl")
        self.assertEqual(self.content("n.rvf"), before)
        self.jsonl("i.jsonl", [{"id": "7", "vector": [5, 5]}])
        self.ok("ingest", "n.rvf", "i.jsonl", "--quiet")
        self.assertEqual(self.count("n.rvf"), len(NUMBERS))
        self.assertEqual(self.json("get", "n.rvf", "7")[0]["vector"], [5, 5])

    def test_vectors_without_ids_are_refused_by_a_store_of_texts(self):
        self.texts()
        self.file("v.csv", "1,2\n3,4\n")
        self.refused("ingest", "t.rvf", "v.csv", says=["texts"])
        self.assertEqual(self.count("t.rvf"), len(TEXTS))

    def test_the_kind_outlives_the_vectors(self):
        self.texts()
        self.ok("delete", "t.rvf", "--filter", "n >= 0")
        for _ in range(2):
            self.assertEqual(self.json("status", "t.rvf")[0]["ids"], "texts")
            self.file("v.csv", "1,2\n")
            self.refused("ingest", "t.rvf", "v.csv")
            self.ok("compact", "t.rvf")
        self.numbers()
        self.ok("delete", "n.rvf", "--ids", "0-6000000000")
        for _ in range(2):
            self.assertEqual(self.json("status", "n.rvf")[0]["ids"], "numbers")
            self.jsonl("i.jsonl", [{"id": "ant", "vector": [1, 1]}])
            self.refused("ingest", "n.rvf", "i.jsonl")
            self.ok("compact", "n.rvf")


if __name__ == "__main__":
    harness.main()
