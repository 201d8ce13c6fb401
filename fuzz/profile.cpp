#include "wire/profile_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_profile, rvf::wire::encode_profile); }
