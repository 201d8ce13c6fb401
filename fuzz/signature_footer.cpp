#include "wire/crypto_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ {
  rvf::fuzz::round_trip(input, rvf::wire::decode_signature_footer,
                        rvf::wire::encode_signature_footer);
}
