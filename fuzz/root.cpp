#include "wire/root_codec.hpp"

#include "fuzz.hpp"
#include "wire/checksum.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  // The checksum would hide everything behind it, so it is made to fit.
  Bytes root(rvf::kRootSize);
  std::memcpy(root.data(), input.data(), std::min(input.size(), root.size()));
  const uint32_t crc = crc32c(ByteSpan(root).first(rvf::kRootSize - 4));
  std::memcpy(root.data() + rvf::kRootSize - 4, &crc, 4);
  const auto decoded = decode_root(root);
  if (!decoded) return;
  const auto back = decode_root(encode_root(*decoded));
  rvf::fuzz::require(back && *back == *decoded);
}
