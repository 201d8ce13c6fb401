#include "wire/compress.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  ByteReader in(input);
  const auto algo = static_cast<rvf::Compression>(in.u8() % 4);
  const uint64_t length = in.u32();
  if (!in.ok()) return;
  const auto plain = decompress(algo, input.subspan(in.position()), length, 1 << 20);
  if (!plain) return;
  rvf::fuzz::require(plain->size() == length);
  const auto packed = compress(algo, *plain);
  rvf::fuzz::require(packed && *decompress(algo, *packed, length, length) == *plain);
}
