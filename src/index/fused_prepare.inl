// Making queries and codes: plain loops over sixteen lanes, which every instruction set sums in the
// same order.
#include "index/fused_kernels.hpp"

namespace rvf::index {
namespace {

constexpr uint32_t kLanes = 16;
constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer

inline float total(const float* lanes) noexcept {
  float sum = 0;
  for (uint32_t i = 0; i < kLanes; ++i) sum += lanes[i];
  return sum;
}

inline int32_t rounded(float f) noexcept {  // |f| < 2^22
  const float shifted = f + kRound;
  int32_t bits;
  __builtin_memcpy(&bits, &shifted, 4);
  return bits - 0x4B400000;
}

// For sixteen coordinates, each four of which have a table.
struct PlainTables {
  // The widest range of a table so far: the sum of the sizes of its coordinates.
  struct Widest {
    float widest = 0;
    void see(const float* z) {
      float sizes[kLanes];
      for (uint32_t j = 0; j < kLanes; ++j) sizes[j] = z[j] < 0 ? -z[j] : z[j];
      for (uint32_t t = 0; t < kLanes; t += 4) {
        const float range = (sizes[t] + sizes[t + 1]) + (sizes[t + 2] + sizes[t + 3]);
        widest = range > widest ? range : widest;
      }
    }
    float get() const { return widest; }
  };

  // The integer next to each, in two signed bytes; the sum of all.
  static int32_t integers(const float* z, float to_integer, int8_t* high, int8_t* low) {
    int32_t sum = 0;
    for (uint32_t j = 0; j < kLanes; ++j) {
      const int32_t v = rounded(z[j] * to_integer);
      const int32_t h = (v + 64) >> 7;
      high[j] = static_cast<int8_t>(h);
      low[j] = static_cast<int8_t>(v - 128 * h);
      sum += v;
    }
    return sum;
  }

  // The sixteen subset sums of each four, from the least one up.
  static void write(const float* z, float to_table, uint8_t* out) {
    float negative[kLanes];  // without branches: signs are random
    for (uint32_t j = 0; j < kLanes; ++j) negative[j] = z[j] < 0 ? z[j] : 0;
    for (uint32_t t = 0; t < kLanes; t += 4) {
      const float least = (negative[t] + negative[t + 1]) + (negative[t + 2] + negative[t + 3]);
      write_four(z + t, least, to_table, out + size_t{4} * t);
    }
  }

 private:
  static void write_four(const float* z, float least, float to_table, uint8_t* out) {
    for (uint32_t e = 0; e < 16; ++e) {
      const float a = (e & 1U) != 0 ? z[0] : 0;
      const float b = (e & 2U) != 0 ? z[1] : 0;
      const float c = (e & 4U) != 0 ? z[2] : 0;
      const float d = (e & 8U) != 0 ? z[3] : 0;
      const int32_t v = rounded((((a + b) + (c + d)) - least) * to_table);
      out[e] = static_cast<uint8_t>(v < 0 ? 0 : v > 127 ? 127 : v);
    }
  }
};

template <class Tables>
void prepare_query(const float* z, const FusedLayout& layout, uint8_t* table, int8_t* high,
                   int8_t* low, FusedQuery& query) {
  const uint32_t n = layout.padded;
  float squares[kLanes] = {};
  float sums[kLanes] = {};
  float tops[kLanes] = {};
  for (uint32_t i = 0; i < n; i += kLanes) {
    for (uint32_t j = 0; j < kLanes; ++j) {
      const float v = z[i + j];
      const float a = v < 0 ? -v : v;
      squares[j] += v * v;
      sums[j] += a;
      tops[j] = a > tops[j] ? a : tops[j];
    }
  }
  float top = 0;
  for (const float t : tops) top = t > top ? t : top;
  typename Tables::Widest ranges;
  for (uint32_t i = 0; i < n; i += kLanes) ranges.see(z + i);
  const float widest = ranges.get();

  // 128 * 127: the high part of a coordinate stays within a signed byte.
  if (top < 1e-12F) top = 0;  // where others are about 1
  const float to_integer = top > 0 ? 16256.0F / top : 0;
  int64_t sum = 0;
  for (uint32_t i = 0; i < n; i += kLanes) {
    sum += Tables::integers(z + i, to_integer, high + i, low + i);
  }
  for (uint32_t i = n; i < layout.vector_bytes; ++i) high[i] = low[i] = 0;

  const float to_table = top > 0 ? 127.0F / widest : 0;
  for (uint32_t i = 0; i < n; i += kLanes) {
    Tables::write(z + i, to_table, table + size_t{4} * i);
  }

  query.table = table;
  query.high = high;
  query.low = low;
  query.offset = 128 * sum;
  query.step = top / 16256.0F;
  query.norm2 = total(squares);
  query.code_base = -total(sums);
  query.code_step = 2 * (widest / 127.0F);
}

// From sixteen signs of each neighbour to nibbles: `part` holds 32 masks of 16 coordinates and gets
// the 4 * 16 bytes of their codes.
void masks_to_codes(uint8_t* part) {
  uint16_t masks[kFusedDegree];
  __builtin_memcpy(masks, part, sizeof(masks));
  for (uint32_t t = 0; t < 4; ++t) {
    for (uint32_t i = 0; i < 16; ++i) {
      const uint32_t low = masks[i] >> (4 * t) & 15U;
      const uint32_t high = masks[16 + i] >> (4 * t) & 15U;
      part[16 * t + i] = static_cast<uint8_t>(low | high << 4);
    }
  }
}

}  // namespace
}  // namespace rvf::index
