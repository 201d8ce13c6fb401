#include "wire/crypto_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_crypto, rvf::wire::encode_crypto); }
