#include "wire/quant_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_quant, rvf::wire::encode_quant); }
