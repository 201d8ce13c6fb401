#!/usr/bin/env python3
"""Words are found however they are written: case, accents, composed or not, with or without blanks."""
import unicodedata

import harness

# A text, and words that must find it.
FOUND = [
    ("đại học", "ĐẠI HỌC"), ("Hà Nội", "Ha Noi"), ("știință", "stiinta"), ("λόγος", "ΛΌΓΟΣ"), ("αθήνα", "ΑΘΗΝΑ"),
    ("Қазақстан", "ҚАЗАҚСТАН"), ("Երեւան", "ԵՐԵՒԱՆ"), ("Straße", "STRASSE"), ("Łódź", "lodz"), ("Ærø", "aero"),
    ("İzmir", "izmir"), ("IĞDIR", "ığdır"), ("Œuvre", "oeuvre"), ("Þingvellir", "thingvellir"), ("ﬁnance", "FINANCE"),
    ("Ёлка", "елка"), ("ｈｏｔｅｌ", "hotel"), ("ﾃﾚﾋﾞ", "テレビ"), ("データベース", "テ\u3099ータヘ\u3099ース"), ("ქართული", "ᲥᲐᲠᲗᲣᲚᲘ"),
    ("한국어", unicodedata.normalize("NFD", "한국어")), ("مُحَمَّد", "محمد"), ("שָׁלוֹם", "שלום"), ("٢٠٢٤", "2024"),
    ("हिन्दी", unicodedata.normalize("NFD", "हिन्दी")), ("ฉันมีแมวดำ", "แมว"), ("ខ្ញុំមានឆ្មាខ្មៅ", "ឆ្មា"), ("我有一只黑猫", "黑猫"),
    ("naïve co\u00ADoperate", "NAIVE cooperate"), ("𐐀𐐁", "𐐨𐐩"), ("m²", "m2"), ("Ångström", "A\u030angstrom"), ("Đorđe", "dorde"),
]
NOT_FOUND = [("мой", "мои"), ("か", "が"), ("ฉันมีแมวดำ", "มด"), ("कमल", "कमाल")]


class Folding(harness.Misuse):
    def setUp(self):
        super().setUp()
        rows = [{"id": i, "vector": [1], "w": text, "plain": text, "list": ["x", text]}
                for i, (text, _) in enumerate(FOUND + NOT_FOUND)]
        self.jsonl("a.jsonl", rows)
        self.ok("ingest", "s.rvf", "a.jsonl", "--create", "--quiet", "--schema", "w:string:words")

    def finds(self, i, field, words):
        (r,) = self.json("count", "s.rvf", "--filter", f"id = {i} and {field} match '{words}'")
        return r["count"] == 1

    def test_match_finds_every_spelling_in_indexed_fields_others_and_lists(self):
        for i, (text, words) in enumerate(FOUND):
            for field in ("w", "plain", "list"):
                with self.subTest(text=text, words=words, field=field):
                    self.assertTrue(self.finds(i, field, words))

    def test_a_form_of_the_text_finds_it(self):
        for i, (text, _) in enumerate(FOUND):
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                with self.subTest(text=text, form=form):
                    self.assertTrue(self.finds(i, "w", unicodedata.normalize(form, text)))

    def test_letters_that_differ_do_not_match(self):
        for i, (text, words) in enumerate(NOT_FOUND, len(FOUND)):
            with self.subTest(text=text, words=words):
                self.assertFalse(self.finds(i, "w", words))

    def test_ranking_by_words_finds_them_too(self):
        for text, words in FOUND:
            with self.subTest(text=text, words=words):
                (r,) = self.json("query", "s.rvf", "--words", words, "-k", 50)
                self.assertIn(FOUND.index((text, words)), r["ids"])

    def test_text_search_finds_and_marks_them(self):
        for i, (text, _) in enumerate(FOUND):
            self.file(f"d/{i}.txt", f"It is about {text} here.\n")
        self.ok("text", "add", "t.rvf", "d")
        for i, (text, words) in enumerate(FOUND):
            with self.subTest(text=text, words=words):
                out = self.ok("text", "search", "t.rvf", words, "-k", 3)
                self.assertIn(f"/{i}.txt", out)
                self.assertIn("**", out)


if __name__ == "__main__":
    harness.main()
