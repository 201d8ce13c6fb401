#include "wire/witness_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_witness, rvf::wire::encode_witness); }
