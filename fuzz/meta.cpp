#include "wire/meta_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_meta, rvf::wire::encode_meta); }
