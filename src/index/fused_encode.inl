// Neighbour codes for the instruction sets without a form of their own.
#include "index/fused_prepare.inl"

namespace rvf::index {
namespace {

void encode_group(const int8_t* centre, float centre_scale, const int8_t* const* neighbours,
                  const float* scales, uint32_t count, uint32_t padded, uint8_t* codes,
                  FusedDifference* out) {
  for (uint32_t n = 0; n < kFusedDegree; ++n) {
    float squares[kLanes] = {};
    float sums[kLanes] = {};
    float signs[kLanes] = {};
    for (uint32_t i = 0; i < padded; i += kLanes) {
      uint32_t mask = 0;
      for (uint32_t j = 0; n < count && j < kLanes; ++j) {
        const float c = centre_scale * static_cast<float>(centre[i + j]);
        const float r = scales[n] * static_cast<float>(neighbours[n][i + j]) - c;
        squares[j] += r * r;
        sums[j] += r < 0 ? -r : r;
        signs[j] += r < 0 ? -c : c;
        mask |= static_cast<uint32_t>(!(r < 0)) << j;
      }
      const auto bits = static_cast<uint16_t>(mask);
      __builtin_memcpy(codes + size_t{4} * i + size_t{2} * n, &bits, 2);
    }
    if (n < count) out[n] = {total(squares), total(sums), total(signs)};
  }
  for (uint32_t i = 0; i < padded; i += kLanes) masks_to_codes(codes + size_t{4} * i);
}

}  // namespace
}  // namespace rvf::index
