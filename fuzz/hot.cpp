#include "wire/hot_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_hot, rvf::wire::encode_hot); }
