// RVFMETA: the metadata of a runtime container, as snapshots and deltas that are replayed.
// docs/format.md, 17.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "layouts/budget.hpp"
#include "rvf/metadata.hpp"
#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::layouts {

struct DeleteField {
  friend bool operator==(const DeleteField&, const DeleteField&) = default;
};
using RvfValue = std::variant<Value, DeleteField>;

struct RvfField {
  uint16_t id = 0;
  FieldType type = FieldType::kString;  // string, bytes, i64, u64, f64 or bool
  bool nullable = true;
  std::string name;
  friend bool operator==(const RvfField&, const RvfField&) = default;
};

struct RvfRecord {
  uint64_t id = 0;
  bool removes = false;  // the record, not the vector
  std::vector<std::pair<uint16_t, RvfValue>> fields;  // ascending
  friend bool operator==(const RvfRecord&, const RvfRecord&) = default;
};

// One META segment.
struct RvfMeta {
  bool snapshot = true;
  uint64_t generation = 1;
  uint64_t base = ~0ULL;  // the generation that a delta builds on
  std::vector<RvfField> schema;  // ascending by id
  std::vector<std::pair<std::string, RvfValue>> file;  // ascending by key
  std::vector<RvfRecord> records;  // ascending by id
  friend bool operator==(const RvfMeta&, const RvfMeta&) = default;
};

bool is_rvfmeta(wire::ByteSpan payload) noexcept;
// kBadMetadata, kBadChecksum (the SHA-256 at the end), kUnsupported (version), kBudgetExceeded.
Result<RvfMeta> decode_rvfmeta(wire::ByteSpan payload, Budget& budget);
wire::Bytes encode_rvfmeta(const RvfMeta& meta);

// What the newest snapshot and the deltas after it say.
struct MetaState {
  std::map<uint16_t, RvfField> schema;
  std::map<std::string, Value> file;
  std::map<uint64_t, std::vector<std::pair<uint16_t, Value>>> records;  // nulls left out
};
// `segments` in the order of the directory. Deltas that do not follow on, and what comes after
// them, are left out; `notes` tells.
MetaState replay(const std::vector<RvfMeta>& segments, std::vector<std::string>& notes);

// One column a field that any of `ids` has, named as the schema names it.
Result<std::vector<Column>> columns_of(const MetaState& state, const std::vector<uint64_t>& ids,
                                       Budget& budget, std::vector<std::string>& notes);

}  // namespace rvf::layouts
