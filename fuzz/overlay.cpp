#include "wire/overlay_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_overlay, rvf::wire::encode_overlay); }
