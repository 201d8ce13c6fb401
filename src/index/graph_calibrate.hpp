// Which width of a search finds which share of the true neighbours. Internal to src/index.
#pragma once
#include <vector>

#include "index/calibrated_index.hpp"

namespace rvf::index {

// Kinds of query, from such as the rows to ever farther ones: a held-out row, mixed with another.
inline constexpr uint16_t kQueryKinds = 3;

// `held` are rows that make the queries and are no answers. Where the index holds them it is asked
// not to return them.
std::vector<wire::FusedCalibrationPoint> calibrate(const CalibratedIndex& index,
                                                   const GraphInput& input,
                                                   const std::vector<uint32_t>& held,
                                                   bool index_holds_them, Executor& executor);
// Points that calibrate() can give.
size_t most_calibration_points() noexcept;

}  // namespace rvf::index
