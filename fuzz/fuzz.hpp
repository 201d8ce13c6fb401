// What every fuzz target is made of.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "wire/bytes.hpp"

namespace rvf::fuzz {

// Generous for inputs of a few kilobytes: reaching it means that a count was believed.
inline constexpr uint64_t kMaxItems = 1 << 20;

inline void require(bool condition) {
  if (!condition) std::abort();
}

// What decodes must encode to bytes that decode again, and encode to the same bytes again.
template <class Decode, class Encode>
void round_trip(wire::ByteSpan input, Decode decode, Encode encode) {
  const auto first = decode(input);
  if (!first) {
    require(!first.error().message.empty());
    return;
  }
  const wire::Bytes bytes = encode(*first);
  const auto second = decode(wire::ByteSpan(bytes));
  require(second.ok());
  require(encode(*second) == bytes);
}

}  // namespace rvf::fuzz

// Defines the program: RVF_FUZZ { ... uses `input` ... }
// In the test of kept findings all of them are one program, and each gives its name instead.
#ifdef RVF_FUZZ_NAME
namespace rvf::fuzz {
struct Target {
  Target(const char* name, void (*run)(wire::ByteSpan));
};
}  // namespace rvf::fuzz
#define RVF_FUZZ_ENTRY static const rvf::fuzz::Target fuzz_target(RVF_FUZZ_NAME, &fuzz_one);
#else
#define RVF_FUZZ_ENTRY                                                      \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    fuzz_one(std::as_bytes(std::span(data, size)));                         \
    return 0;                                                               \
  }
#endif
#define RVF_FUZZ                                   \
  static void fuzz_one(rvf::wire::ByteSpan input); \
  RVF_FUZZ_ENTRY                                   \
  static void fuzz_one([[maybe_unused]] rvf::wire::ByteSpan input)
