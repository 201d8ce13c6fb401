// The quantiser for rows that are to be coded: the one there is, if it suits them, else a new one.
// Depends on the rows only, so an interrupted compaction chooses the same again.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "quant/row_code.hpp"
#include "runtime/live_state.hpp"
#include "rvf/executor.hpp"

namespace rvf::runtime {

// Whether rows of this dtype become codes in warm and cold tiers.
inline bool has_row_codes(DType dtype) noexcept {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

class TierTraining {
 public:
  using Code = std::shared_ptr<const quant::RowCode>;

  // `rows` are those to be coded, at least one. The executor may be null.
  TierTraining(const LiveState& from, std::span<const uint64_t> rows, Executor* executor)
      : from_(from), rows_(rows), executor_(executor) {}

  // 8 bits a dimension. `there` (may be null) if all rows lie in its ranges.
  Result<Code> scalar(const Code& there) const;
  // 4 bits a dimension. `there` (may be null) if the rows lie about as near to its centroids as
  // those of `coded` that have its codes.
  Result<Code> rabitq(const Code& there, std::span<const uint64_t> coded) const;

 private:
  Result<std::vector<float>> sample(size_t count) const;
  Result<bool> suits(const Code& there, std::span<const uint64_t> coded) const;

  const LiveState& from_;
  std::span<const uint64_t> rows_;
  Executor* executor_;
};

}  // namespace rvf::runtime
