#include "wire/meta_value.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  const auto decode = [](ByteSpan s) {
    ByteReader in(s);
    return read_meta_value(in);
  };
  rvf::fuzz::round_trip(input, decode, [](const MetaValue& value) {
    Bytes bytes;
    ByteWriter out(bytes);
    write_meta_value(out, value);
    return bytes;
  });
}
