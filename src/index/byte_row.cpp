#include "index/byte_row.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/convert.hpp"

namespace rvf::index {
namespace {

constexpr float kLeastCoordinate = 1e-12F;  // where others are about 1
constexpr float kLargestHalf = 65504.0F;

void put_half(std::byte* to, float value) noexcept {
  const uint16_t half = kernels::f32_to_f16(std::clamp(value, -kLargestHalf, kLargestHalf));
  std::memcpy(to, &half, 2);
}

}  // namespace

ByteRow to_byte_row(const FusedLayout& layout, const float* placed, float lift,
                    int8_t* code) noexcept {
  std::fill_n(code, layout.vector_bytes, int8_t{0});
  const size_t padded = layout.padded;
  float top = 0;
  for (size_t i = 0; i < padded; ++i) top = std::max(top, std::fabs(placed[i]));
  ByteRow row;
  if (top < kLeastCoordinate) top = 0;
  const float inverse = top > 0 ? 127.0F / top : 0.0F;
  const float scale = top / 127.0F;
  double exact = 0;
  double crossed = 0;
  int64_t squares = 0;
  for (size_t i = 0; i < padded; ++i) {
    const auto c = static_cast<int32_t>(std::lrintf(placed[i] * inverse));
    code[i] = static_cast<int8_t>(c);
    exact += static_cast<double>(placed[i]) * placed[i];
    crossed += static_cast<double>(placed[i]) * c;
    squares += int64_t{c} * c;
  }
  crossed *= scale;
  row.scale = scale;
  row.norm = static_cast<float>(static_cast<double>(scale) * scale * static_cast<double>(squares));
  row.lift = lift;
  row.block_norm = static_cast<float>(exact) + lift;
  row.block_scale = crossed > 0 ? static_cast<float>(scale * (exact / crossed)) : scale;
  return row;
}

float place_row(const FusedSpace& space, const GraphInput& input, uint64_t row,
                std::span<float> vector, float* placed) noexcept {
  if (!kernels::decode_row((*input.rows)[row], input.dtype, vector).ok()) {
    std::fill(vector.begin(), vector.end(), 0.0F);
  }
  const bool is_null = space.place(vector, false, placed);
  // Cosine distance 1 is squared l2 2 between unit vectors; from the origin it is only 1.
  return is_null ? space.frame().scale * space.frame().scale : 0;
}

void write_head(const FusedLayout& layout, const int8_t* code, const ByteRow& row,
                std::byte* head) noexcept {
  std::memcpy(head + FusedLayout::kNorm, &row.block_norm, 4);
  std::memcpy(head + FusedLayout::kScale, &row.block_scale, 4);
  for (uint32_t i = 0; i < layout.vector_bytes; ++i) {
    head[FusedLayout::kVector + i] = static_cast<std::byte>(static_cast<uint8_t>(code[i]) ^ 0x80U);
  }
}

void write_group(const FusedKernels& kernels, const FusedLayout& l, const int8_t* centre,
                 float centre_scale, std::span<const GroupMember> members,
                 std::byte* group) noexcept {
  const int8_t* codes[kFusedDegree];
  float scales[kFusedDegree];
  for (size_t i = 0; i < members.size(); ++i) {
    codes[i] = members[i].code;
    scales[i] = members[i].scale;
  }
  FusedDifference d[kFusedDegree];
  kernels.encode(centre, centre_scale, codes, scales, static_cast<uint32_t>(members.size()),
                 l.padded, reinterpret_cast<uint8_t*>(group) + (l.codes - l.ids), d);
  for (uint32_t i = 0; i < kFusedDegree; ++i) {
    const bool used = i < members.size();
    const uint32_t number = used ? members[i].number : kNoNode;
    const float kappa = used && d[i].absolute > 0 ? d[i].square / d[i].absolute : 0;
    std::memcpy(group + 4 * size_t{i}, &number, 4);
    put_half(
        group + (l.add - l.ids) + 2 * size_t{i},
        used ? d[i].square + 2 * kappa * d[i].signs_by_centre + members[i].lift : kLargestHalf);
    put_half(group + (l.mul - l.ids) + 2 * size_t{i}, used ? -2 * kappa : 0);
  }
}

}  // namespace rvf::index
