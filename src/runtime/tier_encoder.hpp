// Writes rows into the block form of their tier: hot rows as they are, row after row; warm and cold
// rows of floating-point stores as columns of 8-bit and 4-bit codes with their QUANT_SEG, of other
// stores as plain columns.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "quant/scalar.hpp"
#include "runtime/live_state.hpp"
#include "runtime/writer.hpp"

namespace rvf::runtime {

class TierEncoder {
 public:
  struct Encoded {
    wire::Bytes payload;
    uint32_t blocks = 0;
    DType dtype = DType::kF32;  // of the stored values or codes
  };

  // Uses codes that an earlier run wrote.
  void adopt(uint8_t tier, uint64_t segment_id,
             std::shared_ptr<const quant::ScalarQuantizer> quantizer);
  // `rows` are all that will go into `tier`: their ranges train the codes. Appends a QUANT_SEG to
  // the writer's batch, once a tier.
  Status prepare(const LiveState& from, std::span<const uint64_t> rows, uint8_t tier,
                 Writer& writer);
  Result<Encoded> encode(const LiveState& from, std::span<const uint64_t> rows,
                         std::span<const uint64_t> ids, uint8_t tier) const;

 private:
  struct Code {
    std::shared_ptr<const quant::ScalarQuantizer> quantizer;
    uint64_t segment_id = 0;
  };
  Code codes_[3];
};

}  // namespace rvf::runtime
