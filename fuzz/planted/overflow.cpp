// A decoder with a mistake, to prove that fuzzing finds one: the last value is read without asking
// whether it is there.
#include <cstring>

#include "fuzz.hpp"

RVF_FUZZ {
  constexpr char kMagic[] = {'P', 'L', 'N', 'T'};
  if (input.size() < 8 || std::memcmp(input.data(), kMagic, sizeof(kMagic)) != 0) return;
  const auto count = std::to_integer<size_t>(input[4]);
  // A copy of just the right size, so that the sanitizer sees where it ends.
  const std::vector<std::byte> values(input.begin() + 5, input.end());
  if (count == 0 || count > values.size() + 1) return;
  rvf::fuzz::require(values.data()[count - 1] != std::byte{0xA5} || values.size() != 77);
}
