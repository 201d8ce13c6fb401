#include "wire/sketch_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_sketch, rvf::wire::encode_sketch); }
