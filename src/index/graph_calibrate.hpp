// Which width of a search finds which share of the true neighbours. Internal to src/index.
#pragma once
#include <vector>

#include "index/fused_index.hpp"

namespace rvf::index {

// Kinds of query, from such as the rows to ever farther ones: a held-out row, mixed with another.
inline constexpr uint16_t kQueryKinds = 3;

// `held` are rows that the index does not return; they make the queries.
std::vector<wire::FusedCalibrationPoint> calibrate(const FusedIndex& index, const GraphInput& input,
                                                   const std::vector<uint32_t>& held,
                                                   Executor& executor);
// Points that calibrate() can give.
size_t most_calibration_points() noexcept;

}  // namespace rvf::index
