// The vectors and fields that a repair saves, in the order of their rows.
// Borrows the payloads. Not thread-safe.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "meta/table.hpp"
#include "runtime/vec_segment.hpp"
#include "rvf/repair.hpp"
#include "rvf/store.hpp"
#include "wire/journal_codec.hpp"

namespace rvf::runtime {

class RepairRows {
 public:
  // Of the store. Where no directory says them, the first vectors found do.
  void set_shape(DType dtype, uint32_t dimension, Metric metric);
  void set_metric(Metric metric) { metric_ = metric; }
  void set_schema(const std::vector<wire::SchemaEntry>& schema) { schema_ = schema; }
  CreateOptions shape() const;

  void add_quantizer(uint64_t segment_id, uint8_t tier, wire::ByteSpan payload);
  // A VEC of the directory. Where its hash fails, blocks whose own checksum holds are taken.
  void add_vectors(const wire::DirEntry& entry, const wire::RowMapEntry& rows,
                   wire::ByteSpan payload, bool whole, std::span<const uint64_t> dead,
                   RepairReport& report);
  // A VEC behind it: its rows follow the last, and replace those of the same id.
  bool add_later_vectors(const wire::DirEntry& entry, wire::ByteSpan payload, RepairReport& report);
  Status add_metadata(uint64_t segment_id, wire::ByteSpan payload);
  void apply(const wire::Journal& journal);

  bool empty() const { return live_.empty(); }
  // Puts the fields together; what does not fit is reported.
  Status finish(RepairReport& report);
  // `go_on` is asked between batches: kCancelled if it says no.
  Status write(Store& store, std::span<const Attachment> attachments,
               const std::function<bool()>& go_on) const;

 private:
  struct Row {
    uint64_t id = 0;
    const std::byte* vector = nullptr;
  };
  void take(uint64_t row, uint64_t id, const std::byte* vector);
  uint64_t take_blocks(const wire::DirEntry& entry, const wire::RowMapEntry& rows,
                       wire::ByteSpan payload, std::span<const uint64_t> dead);
  Status write_batch(Store& store, std::span<const std::pair<const uint64_t, Row>* const> rows,
                     bool keyed, std::span<const Attachment> attachments) const;

  DType dtype_ = DType::kF32;
  uint32_t dimension_ = 0;
  Metric metric_ = Metric::kL2;
  std::vector<wire::SchemaEntry> schema_;
  Quantizers quantizers_;
  std::vector<std::shared_ptr<const VecSegment>> segments_;  // own what was decoded
  std::vector<std::shared_ptr<const LazyRows>> decoded_;  // of blocks of damaged segments
  uint64_t next_row_ = 0;
  std::map<uint64_t, Row> live_;  // by row
  std::map<uint64_t, uint64_t> row_of_;  // by id
  std::vector<std::shared_ptr<const meta::Part>> parts_;
  std::optional<meta::Table> table_;
};

}  // namespace rvf::runtime
