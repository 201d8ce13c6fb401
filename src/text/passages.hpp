// Cuts documents into passages of about 100 to 200 words along their own structure: headings,
// paragraphs, list items, and sentences or lines only where a paragraph is longer than a passage
// may be.
//
// Knows plain text, Markdown, reStructuredText, manual pages as text, changelogs, copyright files.
// Bytes that are not UTF-8 become U+FFFD in the text, offsets stay those of the content.
//
// Thread-safety: functions without state. Errors name the document: kBadArgument, kOutOfMemory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rvf/result.hpp"

namespace rvf::text {

struct Passage {
  std::string heading;  // the headings above it, outermost first, joined by " > "; may be empty
  std::string text;  // valid UTF-8, lines as in the file
  uint32_t first_line = 0;  // from 1
  uint32_t last_line = 0;
  uint64_t offset = 0;  // bytes from the start of the content
  uint64_t length = 0;  // bytes there
};

struct Document {
  std::string path;
  std::string title;  // first heading, or the first line, or the file's name
  std::vector<Passage> passages;
};

struct SplitOptions {
  size_t target_words = 150;
  size_t max_words = 220;
  size_t min_words = 40;  // a shorter passage joins the one before under the same heading
};

// `path` is only copied and used for the title; content may be anything.
Result<Document> split_text(const std::string& path, std::string_view content,
                            const SplitOptions& options = {});

}  // namespace rvf::text
