#include "filter_fuzz.hpp"

RVF_FUZZ {
  const rvf::meta::Schema schema = rvf::fuzz::filter_schema();
  rvf::fuzz::check_filter(rvf::meta::decode_filter(input, schema), schema);
  // The same tokens below a header that fits, which is hard to guess: up to `count` tokens.
  if (input.size() < 4) return;
  for (uint8_t count = 1; count <= 12; ++count) {
    rvf::wire::Bytes bytes(input.begin(), input.end());
    bytes[0] = std::byte{count};
    bytes[1] = std::byte{0};
    bytes[2] = std::byte{255};
    bytes[3] = std::byte{0};
    rvf::fuzz::check_filter(rvf::meta::decode_filter(bytes, schema), schema);
  }
}
