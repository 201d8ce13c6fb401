// Types and single values of metadata, as META, METAIDX and JOURNAL share them. Pure functions,
// thread-safe.
#pragma once
#include <string>
#include <variant>

#include "rvf/metadata.hpp"
#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

using MetaType = FieldType;
constexpr bool is_known(MetaType type) noexcept {
  return type >= MetaType::kString && type <= MetaType::kStringList;
}

using MetaValue = Value;

void write_meta_value(ByteWriter& out, const MetaValue& value);
Result<MetaValue> read_meta_value(ByteReader& in);
// The bytes that write_meta_value() makes: equal exactly for equal values, NaN included.
std::string meta_value_key(const MetaValue& value);

// Texts or byte strings in one piece of memory: item i is bytes[offsets[i], offsets[i + 1]).
class StringTable {
 public:
  void add(std::string_view item);
  size_t size() const noexcept { return offsets_.size() - 1; }
  std::string_view operator[](size_t i) const noexcept {
    return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  friend bool operator==(const StringTable&, const StringTable&) = default;

  // u32 offsets[size + 1] from 0, then the bytes, padded to 8. The size is the caller's to store.
  void write(ByteWriter& out) const;
  static Result<StringTable> read(ByteReader& in, uint64_t count);

 private:
  std::vector<uint32_t> offsets_{0};
  std::string bytes_;
};

}  // namespace rvf::wire
