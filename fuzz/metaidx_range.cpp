#include "wire/metaidx_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ {
  rvf::fuzz::round_trip(input, rvf::wire::decode_range_index, rvf::wire::encode_range_index);
}
