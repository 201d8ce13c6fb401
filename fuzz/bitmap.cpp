#include "wire/level1_codec.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  const auto ids = decode_bitmap(input, rvf::fuzz::kMaxItems);
  if (!ids) return;
  const auto back = decode_bitmap(encode_bitmap(*ids), rvf::fuzz::kMaxItems);
  rvf::fuzz::require(back && *back == *ids);
}
