// What the processor and the operating system offer. Internal to src/kernels.
#pragma once
#include "kernels/kernels.hpp"

namespace rvf::kernels::detail {

// The highest level of this machine; kScalar if none of the levels built can run.
Isa detect_isa() noexcept;

}  // namespace rvf::kernels::detail
