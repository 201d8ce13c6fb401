#include "wire/level1_codec.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  rvf::fuzz::round_trip(
      input, [](ByteSpan s) { return decode_level1(s, rvf::fuzz::kMaxItems); }, encode_level1);
}
