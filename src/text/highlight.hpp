// Shows where a passage matches: the window with the most of the query's words, each of them
// marked. Pure; thread-safe.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meta/bm25.hpp"

namespace rvf::text {

struct Mark {
  uint32_t begin = 0;  // bytes of the text
  uint32_t end = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
};

// The words of `text` whose terms are in the query, in order, without overlaps.
std::vector<Mark> find_marks(const meta::Tokenizer& tokenizer, std::string_view text,
                             std::span<const meta::WeightedTerm> query);

struct HighlightOptions {
  size_t width = 240;         // characters of the snippet, about; 0: the whole text
  std::string before = "**";  // "\x1b[1m" and "\x1b[0m" for a terminal
  std::string after = "**";
};

// One line: blanks and line ends run together, controls shown as in unicode/visible.hpp (a text
// from a stranger must not steer the terminal), "..." where it was cut.
std::string highlight(const meta::Tokenizer& tokenizer, std::string_view text,
                      std::span<const meta::WeightedTerm> query,
                      const HighlightOptions& options = {});

}  // namespace rvf::text
