#include <arm_neon.h>

#include "kernels/choose_kernel.hpp"

namespace rvf::kernels::detail {
namespace {

const uint8_t* bytes_at(const std::byte* p) { return reinterpret_cast<const uint8_t*>(p); }

struct V {
  using F = float32x4_t;
  using I = int32x4_t;  // 16-bit numbers travel in it too
  static constexpr size_t kLanes = 4;
  static constexpr size_t kShorts = 8;
  static constexpr size_t kUnroll = 4;
  static constexpr size_t kUnrollCosine = 2;
  static constexpr int kRows = 4;
  static constexpr int kRowsCosine = 4;

  static F zero() { return vdupq_n_f32(0); }
  static F add(F a, F b) { return vaddq_f32(a, b); }
  static F sub(F a, F b) { return vsubq_f32(a, b); }
  static F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  static float total(F a) {  // (0 + 1) + (2 + 3)
    const F pairs = vpaddq_f32(a, a);
    return vgetq_lane_f32(vpaddq_f32(pairs, pairs), 0);
  }
  static void totals4(F a, F b, F c, F d, float* out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
  }
  static F query(const float* p) { return vld1q_f32(p); }

  // Rows lie at any address, so all loads are of bytes.
  static uint16x4_t load_halves(const std::byte* p) {
    return vreinterpret_u16_u8(vld1_u8(bytes_at(p)));
  }
  static uint8x8_t load_word(const std::byte* p) {
    uint32_t four;
    __builtin_memcpy(&four, p, 4);
    return vreinterpret_u8_u32(vdup_n_u32(four));
  }
  static F from_signed(int8x8_t v) { return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(v)))); }
  static F from_nibbles(unsigned two_bytes) {
    const int32_t right[4] = {0, -4, -8, -12};
    const int32x4_t shifted =
        vreinterpretq_s32_u32(vshlq_u32(vdupq_n_u32(two_bytes), vld1q_s32(right)));
    return vcvtq_f32_s32(vshrq_n_s32(vshlq_n_s32(shifted, 28), 28));
  }

  template <DType D>
  static F load(const std::byte* p) {
    if constexpr (D == DType::kF32) return vreinterpretq_f32_u8(vld1q_u8(bytes_at(p)));
    if constexpr (D == DType::kF16) return vcvt_f32_f16(vreinterpret_f16_u16(load_halves(p)));
    if constexpr (D == DType::kBF16) return vreinterpretq_f32_u32(vshll_n_u16(load_halves(p), 16));
    if constexpr (D == DType::kI8) return from_signed(vreinterpret_s8_u8(load_word(p)));
    if constexpr (D == DType::kU8) {
      return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load_word(p)))));
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

  static I izero() { return vdupq_n_s32(0); }
  static I query16(const int16_t* p) { return vreinterpretq_s32_s16(vld1q_s16(p)); }
  static int16x8_t shorts(I a) { return vreinterpretq_s16_s32(a); }
  static I sub16(I a, I b) { return vreinterpretq_s32_s16(vsubq_s16(shorts(a), shorts(b))); }
  static I dot16(I acc, I a, I b) {
    acc = vmlal_s16(acc, vget_low_s16(shorts(a)), vget_low_s16(shorts(b)));
    return vmlal_high_s16(acc, shorts(a), shorts(b));
  }
  template <DType D>
  static I load16(const std::byte* p) {
    const uint8x8_t v = vld1_u8(bytes_at(p));
    return D == DType::kI8 ? vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_u8(v)))
                           : vreinterpretq_s32_u16(vmovl_u8(v));
  }
  template <DType D>
  static I tail16(const std::byte* p, size_t n) {
    std::byte copy[8] = {};
    __builtin_memcpy(copy, p, n);
    return load16<D>(copy);
  }
  static int64_t total64(I a) { return vaddvq_s64(vpaddlq_s32(a)); }
  static I add32(I a, I b) { return vaddq_s32(a, b); }
  static int32_t total32(I a) { return vaddvq_s32(a); }
  static void totals4(I a, I b, I c, I d, int32_t* out) {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
  }
  static I dot_codes(I acc, const uint8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 8) {
      acc = dot16(acc, vreinterpretq_s32_u16(vmovl_u8(vld1_u8(q + i))),
                  vreinterpretq_s32_s16(vmovl_s8(vld1_s8(r + i))));
    }
    return acc;
  }
  static int32_t int8_excess(const int8_t*, size_t) { return 0; }
  static I dot_int8(I acc, const int8_t* q, const int8_t* r) {
    for (int i = 0; i < 64; i += 16) {
      const int8x16_t a = vld1q_s8(q + i);
      const int8x16_t b = vld1q_s8(r + i);
      // One product of -128 * -128 fits 16 bits, two of them do not: each goes to 32 bits alone.
      acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
      acc = vpadalq_s16(acc, vmull_high_s8(a, b));
    }
    return acc;
  }
  static I dot_int8_tail(I acc, const int8_t* q, const int8_t* r, size_t n) {
    int8_t both[2][64] = {};
    __builtin_memcpy(both[0], q, n);
    __builtin_memcpy(both[1], r, n);
    return dot_int8(acc, both[0], both[1]);
  }

  using B = uint8x16_t;
  using Count = uint64x2_t;
  static constexpr size_t kBitBytes = 16;
  static B load_bits(const std::byte* p) { return vld1q_u8(bytes_at(p)); }
  // `bits` < 128; the others are zero and bytes beyond them are not touched.
  static B tail_bits(const std::byte* p, size_t bits) {
    std::byte copy[16] = {};
    __builtin_memcpy(copy, p, (bits + 7) / 8);
    if (bits % 8 != 0) copy[bits / 8] &= static_cast<std::byte>((1U << bits % 8) - 1);
    return load_bits(copy);
  }
  static B differ(B a, B b) { return veorq_u8(a, b); }
  static B common(B a, B b) { return vandq_u8(a, b); }
  static Count no_bits() { return vdupq_n_u64(0); }
  static Count count_bits(Count n, B b) {
    return vpadalq_u32(n, vpaddlq_u16(vpaddlq_u8(vcntq_u8(b))));
  }
  static Count doubled(Count n) { return vaddq_u64(n, n); }
  static Count add_shifted(Count n, Count term, unsigned by) {
    return vaddq_u64(n, vshlq_u64(term, vdupq_n_s64(by)));
  }
  static uint64_t total_bits(Count n) { return vaddvq_u64(n); }

  using C = uint8x16_t;
  static constexpr size_t kTables = 1;
  static C no_bytes() { return vdupq_n_u8(0); }
  static C load_bytes(const uint8_t* p) { return vld1q_u8(p); }
  static C part_of_bytes(const uint8_t* p, size_t) { return vld1q_u8(p); }
  static C low_nibbles(C a) { return vandq_u8(a, vdupq_n_u8(0xF)); }
  static C high_nibbles(C a) { return vshrq_n_u8(a, 4); }
  static C lookup(C table, C index) { return vqtbl1q_u8(table, index); }
  static C add16(C a, C b) {
    return vreinterpretq_u8_u16(vaddq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
  }
  static C upper_bytes(C a) {
    return vreinterpretq_u8_u16(vshrq_n_u16(vreinterpretq_u16_u8(a), 8));
  }
  static void store_sums(C all, C odd, bool add, uint32_t* out) {
    const uint16x8_t o = vreinterpretq_u16_u8(odd);
    const uint16x8_t even = vsubq_u16(vreinterpretq_u16_u8(all), vshlq_n_u16(o, 8));
    const uint16x8_t eights[2] = {vzip1q_u16(even, o), vzip2q_u16(even, o)};
    for (int i = 0; i < 2; ++i, out += 8) {
      const uint32x4_t low = vmovl_u16(vget_low_u16(eights[i]));
      const uint32x4_t high = vmovl_high_u16(eights[i]);
      vst1q_u32(out, add ? vaddq_u32(low, vld1q_u32(out)) : low);
      vst1q_u32(out + 4, add ? vaddq_u32(high, vld1q_u32(out + 4)) : high);
    }
  }
};

// Tables of 256 bytes as four of 64, which one instruction looks up for 16 codes.
void pq8_bytes(const uint8_t* tables, const uint8_t* codes, size_t m, size_t blocks,
               uint32_t* out) {
  constexpr size_t kChunk = 256;  // subspaces: 256 * 255 < 2^16
  for (size_t b = 0; b < blocks; ++b, codes += m * kPq8Block, out += kPq8Block) {
    for (size_t first = 0; first < m; first += kChunk) {
      const size_t end = m - first < kChunk ? m : first + kChunk;
      V::C all[4] = {V::no_bytes(), V::no_bytes(), V::no_bytes(), V::no_bytes()};
      V::C odd[4] = {V::no_bytes(), V::no_bytes(), V::no_bytes(), V::no_bytes()};
      for (size_t s = first; s < end; ++s) {
        const uint8_t* table = tables + s * 256;
        const uint8x16x4_t t0 = vld1q_u8_x4(table);
        const uint8x16x4_t t1 = vld1q_u8_x4(table + 64);
        const uint8x16x4_t t2 = vld1q_u8_x4(table + 128);
        const uint8x16x4_t t3 = vld1q_u8_x4(table + 192);
        for (size_t g = 0; g < 4; ++g) {
          const V::C code = vld1q_u8(codes + s * kPq8Block + g * 16);
          V::C v = vqtbl4q_u8(t0, code);  // 0 for codes beyond the table; the others leave v
          v = vqtbx4q_u8(v, t1, vsubq_u8(code, vdupq_n_u8(64)));
          v = vqtbx4q_u8(v, t2, vsubq_u8(code, vdupq_n_u8(128)));
          v = vqtbx4q_u8(v, t3, vsubq_u8(code, vdupq_n_u8(192)));
          all[g] = V::add16(all[g], v);
          odd[g] = V::add16(odd[g], V::upper_bytes(v));
        }
      }
      for (size_t g = 0; g < 4; ++g) V::store_sums(all[g], odd[g], first != 0, out + g * 16);
    }
  }
}

}  // namespace
}  // namespace rvf::kernels::detail

#include "kernels/generic.hpp"
#include "kernels/generic_codes.hpp"

namespace rvf::kernels::detail {

const Level kNeonLevel = {
    .distance = choose_kernel<Set>,
    .code_dots = code_dots_kernel,
    .int8_dots = int8_dots_kernel,
    .half_dots = half_dots_kernel,
    .hamming_rows = hamming_kernel,
    .bit_plane_dots = bit_plane_kernel,
    .sign_differences = sign_differences_kernel,
    .pq8_byte_sums = pq8_bytes,
    .pq4_byte_sums = pq4_kernel,
};

}  // namespace rvf::kernels::detail
