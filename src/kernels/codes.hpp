// Dot products between int8 code rows, the arithmetic of graph building and of scalar-quantised
// search. Exact on every instruction set. Pure functions, thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace rvf::kernels {

// out[i] = sum over `padded` bytes of query[j] * rows[i][j]; query unsigned, rows signed. `padded`
// is a multiple of 64 and at most 65536, so the sum fits an int32. Rows and query are 64-byte
// aligned.
using CodeDots = void (*)(const uint8_t* query, const int8_t* const* rows, size_t n, size_t padded,
                          int32_t* out);
CodeDots code_dots(Isa isa = Isa::kBest) noexcept;

// out[i] = sum over `dim` bytes of query[j] * rows[i][j], both signed, dim at most 65536, at any
// address; nothing past `dim` bytes is read. Rows are taken several at a time with each part of
// the query loaded once for all of them.
using Int8Dots = void (*)(const int8_t* query, const int8_t* const* rows, size_t n, size_t dim,
                          int32_t* out);
Int8Dots int8_dots(Isa isa = Isa::kBest) noexcept;

}  // namespace rvf::kernels
