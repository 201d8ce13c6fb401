#include <wasm_simd128.h>

#include "kernels/choose_kernel.hpp"

namespace rvf::kernels::detail {
namespace {

struct V {
  using F = v128_t;
  using I = v128_t;
  static constexpr size_t kLanes = 4;
  static constexpr size_t kShorts = 8;
  static constexpr size_t kUnroll = 4;
  static constexpr size_t kUnrollCosine = 2;
  static constexpr int kRows = 4;
  static constexpr int kRowsCosine = 2;

  static F zero() { return wasm_f32x4_const_splat(0); }
  static F add(F a, F b) { return wasm_f32x4_add(a, b); }
  static F sub(F a, F b) { return wasm_f32x4_sub(a, b); }
  // Two roundings: fixed-width SIMD has no fused form.
  static F fma(F a, F b, F c) { return add(wasm_f32x4_mul(a, b), c); }
  static float total(F a) {  // (0 + 2) + (1 + 3)
    a = add(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(add(a, wasm_i32x4_shuffle(a, a, 1, 0, 3, 2)), 0);
  }
  static void totals4(F a, F b, F c, F d, float* out) {
    const F ab = add(wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
    const F cd = add(wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), wasm_i32x4_shuffle(c, d, 2, 6, 3, 7));
    wasm_v128_store(
        out, add(wasm_i32x4_shuffle(ab, cd, 0, 1, 4, 5), wasm_i32x4_shuffle(ab, cd, 2, 3, 6, 7)));
  }
  static F query(const float* p) { return wasm_v128_load(p); }

  // Halves to floats by integer arithmetic: exponent and fraction move into place and the exponent
  // is corrected by a product, which is exact for subnormals too; infinity and NaN keep theirs.
  static F from_f16(v128_t halves) {
    const v128_t bits = wasm_u32x4_extend_low_u16x8(halves);
    const v128_t magnitude =
        wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_const_splat(0x7FFF)), 13);
    const v128_t sign = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_const_splat(0x8000)), 16);
    const v128_t special = wasm_i32x4_ge(magnitude, wasm_i32x4_const_splat(0x7C00 << 13));
    const v128_t scaled = wasm_f32x4_mul(magnitude, wasm_f32x4_const_splat(0x1p112F));
    const v128_t lasting = wasm_v128_or(magnitude, wasm_i32x4_const_splat(0x7F800000));
    return wasm_v128_or(sign, wasm_v128_bitselect(lasting, scaled, special));
  }
  static F from_nibbles(unsigned two_bytes) {
    const auto nibble = [&](int at) __attribute__((always_inline)) {
      return static_cast<int32_t>(two_bytes << (28 - at)) >> 28;
    };
    return wasm_f32x4_convert_i32x4(wasm_i32x4_make(nibble(0), nibble(4), nibble(8), nibble(12)));
  }
  static v128_t load_word(const std::byte* p) { return wasm_v128_load32_zero(p); }

  template <DType D>
  static F load(const std::byte* p) {
    if constexpr (D == DType::kF32) return wasm_v128_load(p);
    if constexpr (D == DType::kF16) return from_f16(wasm_v128_load64_zero(p));
    if constexpr (D == DType::kBF16) return wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16);
    if constexpr (D == DType::kI8) {
      const v128_t shorts = wasm_i16x8_extend_low_i8x16(load_word(p));
      return wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(shorts));
    }
    if constexpr (D == DType::kU8) {
      const v128_t shorts = wasm_u16x8_extend_low_u8x16(load_word(p));
      return wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(shorts));
    }
    if constexpr (D == DType::kI4) {
      return from_nibbles(static_cast<unsigned>(p[0]) | static_cast<unsigned>(p[1]) << 8);
    }
  }
  // n < 4 elements, copied out so that nothing past them is read.
  template <DType D>
  static F tail(const std::byte* p, size_t n) {
    std::byte copy[16] = {};
    if constexpr (D == DType::kI4) {
      __builtin_memcpy(copy, p, (n + 1) / 2);
      if (n % 2 != 0) copy[n / 2] &= std::byte{0xF};  // the spare nibble is not part of the vector
    } else {
      __builtin_memcpy(copy, p, vector_bytes(D, n));
    }
    return load<D>(copy);
  }

  static I izero() { return wasm_i32x4_const_splat(0); }
  static I query16(const int16_t* p) { return wasm_v128_load(p); }
  static I sub16(I a, I b) { return wasm_i16x8_sub(a, b); }
  static I add32(I a, I b) { return wasm_i32x4_add(a, b); }
  static I dot16(I acc, I a, I b) { return add32(acc, wasm_i32x4_dot_i16x8(a, b)); }
  template <DType D>
  static I load16(const std::byte* p) {
    return D == DType::kI8 ? wasm_i16x8_load8x8(p) : wasm_u16x8_load8x8(p);
  }
  template <DType D>
  static I tail16(const std::byte* p, size_t n) {
    std::byte copy[8] = {};
    __builtin_memcpy(copy, p, n);
    return load16<D>(copy);
  }
  static int64_t total64(I a) {
    const I s = wasm_i64x2_add(wasm_i64x2_extend_low_i32x4(a), wasm_i64x2_extend_high_i32x4(a));
    return wasm_i64x2_extract_lane(s, 0) + wasm_i64x2_extract_lane(s, 1);
  }
  static int32_t total32(I a) { return static_cast<int32_t>(total64(a)); }
  static void totals4(I a, I b, I c, I d, int32_t* out) {
    const I ab = add32(wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
    const I cd = add32(wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), wasm_i32x4_shuffle(c, d, 2, 6, 3, 7));
    wasm_v128_store(
        out, add32(wasm_i32x4_shuffle(ab, cd, 0, 1, 4, 5), wasm_i32x4_shuffle(ab, cd, 2, 3, 6, 7)));
  }
  static I dot_codes(I acc, const uint8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 8) {
      acc = dot16(acc, wasm_u16x8_load8x8(q + i), wasm_i16x8_load8x8(r + i));
    }
    return acc;
  }
  static int32_t int8_excess(const int8_t*, size_t) { return 0; }
  static I dot_int8(I acc, const int8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 8) {
      acc = dot16(acc, wasm_i16x8_load8x8(q + i), wasm_i16x8_load8x8(r + i));
    }
    return acc;
  }
  static I dot_int8_tail(I acc, const int8_t* q, const int8_t* r, size_t n) {
    int8_t both[2][64] = {};
    __builtin_memcpy(both[0], q, n);
    __builtin_memcpy(both[1], r, n);
    return dot_int8(acc, both[0], both[1]);
  }

  using B = v128_t;
  using Count = v128_t;  // four lanes; the largest sum of all, 65535 * 255 * 255, fits one
  static constexpr size_t kBitBytes = 16;
  static B load_bits(const std::byte* p) { return wasm_v128_load(p); }
  // `bits` < 128; the others are zero and bytes beyond them are not touched.
  static B tail_bits(const std::byte* p, size_t bits) {
    std::byte copy[16] = {};
    __builtin_memcpy(copy, p, (bits + 7) / 8);
    if (bits % 8 != 0) copy[bits / 8] &= static_cast<std::byte>((1U << bits % 8) - 1);
    return load_bits(copy);
  }
  static B differ(B a, B b) { return wasm_v128_xor(a, b); }
  static B common(B a, B b) { return wasm_v128_and(a, b); }
  static Count no_bits() { return izero(); }
  static Count count_bits(Count n, B b) {
    const v128_t shorts = wasm_u16x8_extadd_pairwise_u8x16(wasm_i8x16_popcnt(b));
    return add32(n, wasm_u32x4_extadd_pairwise_u16x8(shorts));
  }
  static Count doubled(Count n) { return add32(n, n); }
  static Count add_shifted(Count n, Count term, unsigned by) {
    return add32(n, wasm_i32x4_shl(term, by));
  }
  static uint64_t total_bits(Count n) {
    const v128_t s =
        wasm_i64x2_add(wasm_u64x2_extend_low_u32x4(n), wasm_u64x2_extend_high_u32x4(n));
    return static_cast<uint64_t>(wasm_i64x2_extract_lane(s, 0) + wasm_i64x2_extract_lane(s, 1));
  }

  using C = v128_t;
  static constexpr size_t kTables = 1;
  static C no_bytes() { return izero(); }
  static C load_bytes(const uint8_t* p) { return wasm_v128_load(p); }
  static C part_of_bytes(const uint8_t* p, size_t) { return wasm_v128_load(p); }
  static C low_nibbles(C a) { return wasm_v128_and(a, wasm_i8x16_const_splat(0xF)); }
  static C high_nibbles(C a) { return wasm_u8x16_shr(a, 4); }
  static C lookup(C table, C index) { return wasm_i8x16_swizzle(table, index); }
  static C add16(C a, C b) { return wasm_i16x8_add(a, b); }
  static C upper_bytes(C a) { return wasm_u16x8_shr(a, 8); }
  static void store_sums(C all, C odd, bool add, uint32_t* out) {
    const v128_t even = wasm_i16x8_sub(all, wasm_i16x8_shl(odd, 8));
    const v128_t eights[2] = {wasm_i16x8_shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11),
                              wasm_i16x8_shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15)};
    const auto put = [&](v128_t wide, uint32_t* to) {
      wasm_v128_store(to, add ? add32(wide, wasm_v128_load(to)) : wide);
    };
    for (int i = 0; i < 2; ++i, out += 8) {
      put(wasm_u32x4_extend_low_u16x8(eights[i]), out);
      put(wasm_u32x4_extend_high_u16x8(eights[i]), out + 4);
    }
  }
};

}  // namespace
}  // namespace rvf::kernels::detail

#include "kernels/generic.hpp"
#include "kernels/generic_codes.hpp"

namespace rvf::kernels::detail {

const Level kWasm128Level = {
    .distance = choose_kernel<Set>,
    .code_dots = code_dots_kernel,
    .int8_dots = int8_dots_kernel,
    .half_dots = half_dots_kernel,
    .hamming_rows = hamming_kernel,
    .bit_plane_dots = bit_plane_kernel,
    .sign_differences = sign_differences_kernel,
    .pq4_byte_sums = pq4_kernel,
};

}  // namespace rvf::kernels::detail
