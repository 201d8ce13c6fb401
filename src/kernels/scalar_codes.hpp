// The specification of the kernels over codes. Internal to src/kernels.
#pragma once
#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {

void scalar_code_dots(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                      int32_t* out);
void scalar_int8_dots(const int8_t* query, const int8_t* const* rows, size_t n, size_t dim,
                      int32_t* out);
void scalar_half_dots(const uint16_t* query, const std::byte* rows, size_t stride, size_t n,
                      size_t dim, float* out);
void scalar_hamming_rows(const std::byte* query, const std::byte* rows, size_t stride, size_t n,
                         size_t bits, uint32_t* out);
void scalar_bit_plane_dots(const BitPlaneQuery& query, const std::byte* rows, size_t stride,
                           size_t n, uint32_t* out);
void scalar_sign_differences(const SignQuery& query, const std::byte* rows, size_t stride,
                             const uint32_t* numbers, size_t n, uint32_t* out);
void scalar_pq8_float_sums(const float* tables, const uint8_t* codes, size_t m, size_t blocks,
                           float* out);
void scalar_pq8_byte_sums(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                          uint32_t* out);
void scalar_pq4_byte_sums(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
                          uint32_t* out);

}  // namespace rvf::kernels::detail
