// A decoder with a mistake, to prove that fuzzing finds one: memory is taken for as many values as
// the input claims to have.
#include <vector>

#include "fuzz.hpp"

RVF_FUZZ {
  rvf::wire::ByteReader in(input);
  if (in.u16() != 0x4E4C) return;
  const uint64_t count = in.u32();
  if (!in.ok()) return;
  std::vector<uint64_t> values(count, input.size());
  rvf::fuzz::require(count == 0 || values.back() == input.size());
}
