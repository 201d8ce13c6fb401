// Lookups of 8-bit product codes with VBMI. Internal to src/kernels.
#pragma once
#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {

void avx512vbmi_pq8_byte_sums(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                              uint32_t* out);
void avx512vbmi_pq8_float_sums(const float* tables, const uint8_t* codes, size_t m, size_t blocks,
                               float* out);

}  // namespace rvf::kernels::detail
