#!/usr/bin/env python3
"""Text is read in the encoding that it is in, and HTML as a reader sees it."""
import gzip

import harness

TEXT = "Der Fuchs läuft über die Straße – “naïve” ©.\n"
READ = {
    "utf-8.txt": TEXT.encode(), "utf-8-mark.txt": TEXT.encode("utf-8-sig"),
    "utf-16.txt": TEXT.encode("utf-16"), "utf-16le.txt": TEXT.encode("utf-16-le"), "utf-16be.txt": TEXT.encode("utf-16-be"),
    "utf-16be-mark.txt": b"\xfe\xff" + TEXT.encode("utf-16-be"), "1252.txt": TEXT.encode("cp1252"), "1252.md.gz": gzip.compress(TEXT.encode("cp1252")),
    "utf-16.gz": gzip.compress(TEXT.encode("utf-16")), "meta.html": b"<meta charset=windows-1252><p>" + TEXT.encode("cp1252"),
    "http-equiv.htm": b"<head><META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=ISO-8859-1'></head>" + TEXT.encode("cp1252"),
    "utf-16.html": ("<html><body>" + TEXT).encode("utf-16"), "entities.html": TEXT.encode("ascii", "xmlcharrefreplace"),
    "declared.xml": b"<?xml version='1.0' encoding='windows-1252'?><a>" + TEXT.encode("cp1252"), "mac.txt": TEXT.replace("\n", "\r").encode(),
    "mixed.txt": b"caf\xc3\xa9 and caf\xe9\n" + TEXT.encode(),
}
HTML = b"""<!DOCTYPE html><html><head><title>Sea &amp; shore</title><style>p{secretstyle:1}</style>
<script>var secretscript = "<p>";</script></head><body><!-- secretcomment --><h1>Of <em>whales</em></h1>
<p class="secretattribute">They br<b>eath</b>e &eacute;ther.</p><SCRIPT>secretscript</SCRIPT><template>secrettemplate</template></body></html>"""


class Encodings(harness.Misuse):
    def search(self, words, *more):
        return self.json("text", "search", "t.rvf", words, "-k", "50", *more)[0]["hits"]

    def test_every_encoding_gives_the_same_text(self):
        for name, content in READ.items():
            with self.subTest(name=name):
                self.fresh()
                self.file(f"d/{name}", content)
                (r,) = self.json("text", "add", "t.rvf", "d")
                self.assertEqual(r["files_added"], 1, r["skipped"])
                (hit,) = self.search("läuft Straße naïve")
                self.assertIn(TEXT.strip(), hit["text"])

    def test_what_is_in_another_encoding_is_named(self):
        text = "Широкая электрификация южных губерний даст мощный толчок подъёму сельского хозяйства.\n" * 3
        for name, content in {"koi8.txt": text.encode("koi8-r"), "declared.html": b"<meta charset=koi8-r>" + text.encode("koi8-r"),
                              "sjis.txt": ("日本語の文章です。これはテストのための文です。" * 20).encode("shift_jis"), "utf-32.txt": text.encode("utf-32"),
                              "random": bytes((i * 197 + i // 7) % 256 for i in range(5000)), "image": b"\xff\xd8\xff\xe0\0\x10JFIF\0"}.items():
            self.file(f"d/{name}", content)
        self.file("d/fine.txt", "fine\n")
        (r,) = self.json("text", "add", "t.rvf", "d")
        self.assertEqual((r["files_added"], r["files_skipped"]), (1, 6), r["skipped"])
        self.assertIn("koi8-r", str(r["skipped"]))

    def test_an_encoding_can_be_said_and_said_again(self):
        self.file("d/a.txt", "Gr\xc3\xbc\xc3\x9fe\n".encode("latin-1"))
        for encoding, word in (("auto", "grüße"), ("latin-1", "GrÃ¼ÃŸe"), ("utf-8", "grüße"), ("ISO-8859-1", "GrÃ¼ÃŸe")):
            self.ok("text", "add", "t.rvf", "d", "--encoding", encoding)
            self.assertEqual(len(self.search(word)), 1, encoding)

    def test_html_is_searched_as_it_is_read(self):
        for name in ("page.html", "page.HTM", "page.html.gz", "page", "page.xhtml"):
            with self.subTest(name=name):
                self.fresh()
                self.file(f"d/{name}", gzip.compress(HTML) if name.endswith("gz") else HTML)
                self.ok("text", "add", "t.rvf", "d")
                (hit,) = self.search("whales breathe ether")
                self.assertEqual((hit["title"], hit["heading"]), ("Sea & shore", "Of whales"))
                self.assertIn("They breathe éther.", hit["text"])
                self.assertEqual((hit["first_line"], hit["last_line"]), (2, 3))
                self.assertNotIn("secret", hit["text"])
                (n,) = self.json("count", "t.rvf", "--filter", "text contains 'secret' or text contains '<'")
                self.assertEqual(n["count"], 0)


if __name__ == "__main__":
    harness.main()
