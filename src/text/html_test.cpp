#include "text/html.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "text/text_file.hpp"

namespace rvf::text {
namespace {

std::string text_of(std::string_view html) { return text_of_html(html).text; }

TEST(Html, OnlyWhatAReaderSeesIsText) {
  const std::pair<const char*, const char*> kTable[] = {
      {"<p>one</p><p>two</p>", "one\n\ntwo"},
      {"a<script>var x = '</p>';</script>b", "ab"},
      {"a<SCRIPT type=\"x\">if (a<b) {}</ScRiPt >b", "ab"},
      {"a<style>p { color: red }</style>b<style>never closed", "ab"},
      {"a<!-- <b>no</b> -- -->b<!-- never closed", "ab"},
      {"<a href=\"x>y\" title='>'>link</a>", "link"},
      {"<ul><li>one<li>two</ul>", "one\ntwo"},
      {"<td>a</td><td>b</td>", "a b"},
      {"a<br/>b<br>c", "a\nb\nc"},
      {"x &lt;b&gt; &amp;amp; &eacute;&#233;&#xE9; &copy 2 &unknown; & &#0; &#128;",
       "x <b> &amp; ééé © 2 &unknown; & \uFFFD €"},
      {"1 < 2 and <3 and a<", "1 < 2 and <3 and a<"},
      {"<b>bo</b>ld", "bold"},
      {"  many \n\n  blanks\t here ", "many\nblanks here"},
      {"<pre>  keep\n    this</pre>", "  keep\n    this"},
      {"<h2>A <i>head</i>\ning</h2>text", "## A head ing\n\ntext"},
      {"<h1><div>Deep</div></h1><h3></h3>x", "# Deep\n\nx"},
      {"<!DOCTYPE html><?php echo 1 ?><x:y>z</x:y>", "z"},
      {"<![CDATA[a < b]]>", "a < b"},
      {"a<template><p>no</p></template><iframe>no</iframe>b", "ab"},
      {"<title>T</title>a", "a"},
      {"a <b unclosed", "a <b unclosed"},
      {"", ""},
  };
  for (const auto& [html, text] : kTable) EXPECT_EQ(text_of(html), text) << html;
}

TEST(Html, TheTitleAndTheLinesAreThoseOfTheDocument) {
  const HtmlText t = text_of_html(
      "<html><head>\n<title>\n Red &amp; blue </title>\n<script>\n\n</script></head>\n"
      "<body><p>first</p>\n\n<p>second\nline</p></body></html>");
  EXPECT_EQ(t.title, "Red & blue");
  EXPECT_EQ(t.text, "first\n\nsecond\nline");
  EXPECT_EQ(t.lines, (std::vector<uint32_t>{7, 9, 9, 10}));
  TextFile file;
  file.text = t.text;
  file.title = t.title;
  file.lines = t.lines;
  const auto d = split_file("a/b.html", file);
  ASSERT_TRUE(d.ok());
  EXPECT_EQ(d->title, "Red & blue");
  ASSERT_EQ(d->passages.size(), 1U);
  EXPECT_EQ(d->passages[0].first_line, 7U);
  EXPECT_EQ(d->passages[0].last_line, 10U);
}

TEST(Html, IsKnownByItsNameOrItsBeginning) {
  EXPECT_TRUE(looks_like_html("a/INDEX.HTM", "x"));
  EXPECT_TRUE(looks_like_html("a/b.html.gz", "x"));
  EXPECT_TRUE(looks_like_html("a/b", " \n<!doctype HTML><p>x"));
  EXPECT_TRUE(looks_like_html("a/b", "<?xml version='1.0'?>\n<html>"));
  EXPECT_FALSE(looks_like_html("a/b.txt", "about <html> tags"));
  EXPECT_FALSE(looks_like_html("a.html/b.md", "x"));
}

TEST(Html, DeclaresItsEncodingInAMetaOrAsXml) {
  EXPECT_EQ(declared_encoding("a.html", "<meta charset=\"ISO-8859-1\">"), "ISO-8859-1");
  EXPECT_EQ(declared_encoding("a.html", "<META http-equiv=x content='text/html; Charset = utf-8'>"),
            "utf-8");
  EXPECT_EQ(declared_encoding("a.html", "<meta name=x><meta charset=koi8-r/>"), "koi8-r");
  EXPECT_EQ(declared_encoding("a.svg", "<?xml version=\"1.0\" encoding=\"latin1\"?>"), "latin1");
  EXPECT_EQ(declared_encoding("a.txt", "<meta charset=latin1>"), "");
  EXPECT_EQ(declared_encoding("a.html", "<p>charset=latin1"), "");
}

TEST(Html, AnyBytesGiveALineForEachLineOfTheirText) {
  const std::string_view pieces[] = {
      "<p>",   "</p>",    "<h1>",    "</h1>", "\n",       " ",         "a",
      "<pre>", "</pre>",  "<!--",    "-->",   "<script>", "</script>", "&amp;",
      "&#10;", "&#x;",    "<",       ">",     "\"",       "=",         "<![CDATA[",
      "]]>",   "<title>", "</title", "\xFF",  "<br/>",    "<?",        "é"};
  uint32_t seed = 11;
  for (int round = 0; round < 20000; ++round) {
    std::string html;
    for (int i = 0; i < 14; ++i) {
      html += pieces[((seed = seed * 1664525 + 1013904223) >> 8) % std::size(pieces)];
    }
    const HtmlText t = text_of_html(html);
    const auto ends = std::count(t.text.begin(), t.text.end(), '\n');
    ASSERT_EQ(t.lines.size(), t.text.empty() ? 0 : static_cast<size_t>(ends) + 1) << html;
    ASSERT_TRUE(std::is_sorted(t.lines.begin(), t.lines.end())) << html;
    const auto lines = std::count(html.begin(), html.end(), '\n') + 1;
    ASSERT_LE(t.lines.empty() ? 0 : t.lines.back(), lines) << html;
  }
}

// Thousands of beginnings of tags that never end are looked through once.
TEST(Html, WhatIsNeverClosedTakesNoLongTime) {
  std::string html;
  for (int i = 0; i < 300000; ++i) html += "<a b=\"";
  EXPECT_EQ(text_of(html), html);
}

}  // namespace
}  // namespace rvf::text
