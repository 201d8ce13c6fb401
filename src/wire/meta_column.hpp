// One column of metadata in memory, as META_SEG stores it. A plain value; thread-safe to read.
#pragma once
#include <optional>
#include <span>

#include "wire/meta_value.hpp"

namespace rvf::wire {

struct CodedText {
  StringTable dictionary;
  std::vector<uint32_t> codes;  // one a row, each below dictionary.size()
  friend bool operator==(const CodedText&, const CodedText&) = default;
};

struct TextLists {
  StringTable dictionary;
  std::vector<uint32_t> offsets{0};  // rows + 1: row i has codes[offsets[i], offsets[i + 1])
  std::vector<uint32_t> codes;
  friend bool operator==(const TextLists&, const TextLists&) = default;
};

// By type: i64 and timestamp · u64 · f64 · bool (0 or 1) · string and bytes · string and enum ·
// string list.
using MetaData = std::variant<std::vector<int64_t>, std::vector<uint64_t>, std::vector<double>,
                              std::vector<uint8_t>, StringTable, CodedText, TextLists>;

struct MetaRange {
  MetaValue min;
  MetaValue max;
  friend bool operator==(const MetaRange&, const MetaRange&) = default;
};

struct MetaColumn {
  uint16_t id = 0;
  MetaType type = MetaType::kString;
  std::string name;
  Bytes nulls;    // bit i % 8 of byte i / 8 is 1: row i is null. Empty: no row is
  MetaData data;  // null rows hold zero, the empty text or code 0
  bool quick_texts = false;  // encode texts so that one can be read without unpacking a block

  bool is_null(size_t row) const noexcept {
    return !nulls.empty() && (std::to_integer<unsigned>(nulls[row / 8]) >> (row % 8) & 1) != 0;
  }
  // A copy; monostate where the row is null. `row` must be in range.
  MetaValue value(size_t row) const;
  size_t rows() const noexcept;
  // Of what it says, not of how it is to be encoded.
  friend bool operator==(const MetaColumn& a, const MetaColumn& b) {
    return a.id == b.id && a.type == b.type && a.name == b.name && a.nulls == b.nulls &&
           a.data == b.data;
  }
};

// Builds a column from values, monostate for null. Texts get a dictionary where that is smaller.
// kBadMetadata names the first row whose value does not fit `type`.
Result<MetaColumn> make_column(uint16_t id, MetaType type, std::string name,
                               std::span<const MetaValue> values);

// Smallest and largest value that is neither null nor NaN, for numbers and timestamps; else
// nothing.
std::optional<MetaRange> value_range(const MetaColumn& column);

}  // namespace rvf::wire
