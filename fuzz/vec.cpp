#include "wire/vec_codec.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  const auto blocks = parse_vec(input, false);
  if (!blocks) return;
  for (const VecBlock& block : *blocks) {
    rvf::fuzz::require(block.ids.size() == block.count);
    if (block.count > rvf::fuzz::kMaxItems) continue;
    std::vector<uint64_t> ids;
    block.ids.copy_to(ids);
    rvf::fuzz::require(ids.size() == block.count);
    for (size_t i = 0; i < ids.size() && i < 200; ++i) (void)block.ids.at(i);
    if (!block.row_major) (void)columnar_rows(block);
  }
}
