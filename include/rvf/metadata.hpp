// What is known about a vector besides its values: typed fields, by column.
//
// A field has a name and a type; a vector has one value of the type in it, or null. A store learns
// its fields as they come: a batch may bring new ones, and then the vectors that were there before
// have null in them. A type may widen later: i64 and u64 to f64, enum to string and back.
//
// Names: 1 to 255 bytes of UTF-8 without control characters. Names that begin with '_' belong to
// the library (see kKeyField, kExpiryField); "id" is taken by the vectors' own ids.
// Plain values; thread-safe to read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rvf {

// Values are those written into files.
enum class FieldType : uint8_t {
  kString = 1,
  kBytes = 2,
  kI64 = 3,
  kU64 = 4,
  kF64 = 5,
  kBool = 6,
  kEnum = 7,       // one of at most 65,536 texts
  kTimestamp = 8,  // i64, nanoseconds since 1970-01-01 UTC
  kStringList = 9,
};

const char* field_type_name(FieldType type) noexcept;  // "string", "i64", "list", ...
// Also takes "string list", "int", "float", "text", "time". False if the text names none.
bool parse_field_type(const char* text, FieldType& out) noexcept;

// monostate: null. Enums travel as their text, timestamps as int64_t; the field's type tells them
// apart.
using Value = std::variant<std::monostate, std::string, std::vector<std::byte>, int64_t, uint64_t,
                           double, bool, std::vector<std::string>>;

// What a field is prepared for besides being read; bits of Field::indexed.
enum FieldIndex : uint8_t {
  kIndexNone = 0,
  // Numbers and timestamps: a range index. Bool, enum, string list: a bitmap a value. String and
  // bytes: found by hash. Written with every large batch and by compaction.
  kIndexValues = 1,
  // String: words, for `match` and for BM25.
  kIndexWords = 2,
};

struct Field {
  std::string name;
  FieldType type = FieldType::kString;
  uint8_t indexed = kIndexNone;
  friend bool operator==(const Field&, const Field&) = default;
};

// One field of a batch: values[i] belongs to vector i of the batch.
struct Column {
  std::string name;
  FieldType type = FieldType::kString;
  std::vector<Value> values;
};

// Fields of one vector by name, those that are null left out.
using Record = std::vector<std::pair<std::string, Value>>;

inline constexpr const char* kKeyField = "_key";         // string ids
inline constexpr const char* kExpiryField = "_expires";  // timestamp: gone from then on

}  // namespace rvf
