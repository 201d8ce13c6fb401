#include "wire/metaidx_codec.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  rvf::fuzz::round_trip(
      input, [](ByteSpan s) { return decode_bitmap_index(s, rvf::fuzz::kMaxItems); },
      encode_bitmap_index);
}
