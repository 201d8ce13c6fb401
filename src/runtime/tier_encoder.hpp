// Writes rows into the block form of their tier: hot rows as they are, row after row; warm and cold
// rows of floating-point stores as row codes with their QUANT_SEG (8-bit scalar, 4-bit RaBitQ), of
// other stores as plain columns.
// A row that already lies in such a code keeps it, with its quantiser: coding a decoded row again
// would lose a little each time. Rows that are not get the newest of those quantisers if it suits
// them, else a new one. Where too many have gathered, all rows of the tier are coded anew.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "quant/grouped_centroids.hpp"
#include "quant/row_code.hpp"
#include "runtime/live_state.hpp"
#include "runtime/writer.hpp"
#include "rvf/executor.hpp"

namespace rvf::runtime {

// The quantiser whose code this row keeps in that tier; 0: none, the row has to be coded.
uint64_t kept_quantizer(const LiveState& from, uint64_t row, uint8_t tier) noexcept;

class TierEncoder {
 public:
  struct Encoded {
    wire::Bytes payload;
    uint32_t blocks = 0;
    DType dtype = DType::kF32;  // of the stored values or codes
  };

  explicit TierEncoder(Executor* executor) : executor_(executor) {}  // may be null

  // Quantisers that an earlier run wrote into the output. What prepare() chooses depends on the
  // rows alone, so it finds them again.
  void adopt(uint64_t segment_id, const quant::RowCode& code);
  // `rows` are all that will go into `tier`. Appends QUANT_SEGs to the writer's batch.
  Status prepare(const LiveState& from, std::span<const uint64_t> rows, uint8_t tier,
                 Writer& writer);
  Result<Encoded> encode(const LiveState& from, std::span<const uint64_t> rows,
                         std::span<const uint64_t> ids, uint8_t tier) const;

 private:
  using Code = std::shared_ptr<const quant::RowCode>;
  struct Tier {
    std::map<uint64_t, uint64_t> kept;  // quantiser of the source: that of the output
    Code code;  // of the other rows
    uint64_t segment_id = 0;
    std::shared_ptr<const quant::GroupedCentroids> centroids;  // of a RaBitQ code
  };
  Result<uint64_t> put(const quant::RowCode& code, uint8_t tier, Writer& writer);
  static Encoded encode_hot(const LiveState& from, std::span<const uint64_t> rows,
                            std::span<const uint64_t> ids);
  static Encoded encode_columns(const LiveState& from, std::span<const uint64_t> rows,
                                std::span<const uint64_t> ids, uint8_t tier);
  Result<Encoded> encode_codes(const LiveState& from, std::span<const uint64_t> rows,
                               std::span<const uint64_t> ids, uint8_t tier) const;
  void encode_rows(const LiveState& from, std::span<const uint64_t> rows,
                   std::span<const uint64_t> kept, const Tier& tier, size_t row_bytes,
                   std::span<std::byte> packed) const;

  Executor* executor_ = nullptr;
  std::vector<std::pair<wire::Bytes, uint64_t>> written_;  // payload and segment id in the output
  Tier tiers_[3];
};

}  // namespace rvf::runtime
