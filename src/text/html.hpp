// HTML as the text that a reader sees: without tags, comments, scripts and styles, entities
// decoded, headings marked as in Markdown, paragraphs apart. It takes what browsers take: nothing is
// an error. Pure functions; thread-safe.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rvf::text {

struct HtmlText {
  std::string text;
  std::string title;  // the first <title>, in one line; may be empty
  std::vector<uint32_t> lines;  // of the source, from 1, for each line of the text
};

// By the ending of the name (also before .gz), or because it begins as HTML does.
bool looks_like_html(std::string_view path, std::string_view content);

// The charset that HTML names in a <meta>, XML in its declaration, within the first 1024 bytes;
// empty where there is none. The view points into `content`.
std::string_view declared_encoding(std::string_view path, std::string_view content);

HtmlText text_of_html(std::string_view html);

}  // namespace rvf::text
