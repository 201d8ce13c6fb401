#include "index/tail_codes.hpp"

#include "index/byte_row.hpp"

namespace rvf::index {

std::shared_ptr<const TailCodes::Blocks> TailCodes::of(const FusedSpace& space,
                                                       const GraphInput& input) {
  const auto present = [&] {
    const std::lock_guard guard(mutex_);
    return blocks_;
  };
  std::shared_ptr<const Blocks> blocks = present();
  const auto has = [&](uint64_t block) { return (block + 1) * kBlockRows <= input.count; };
  if (!has(blocks->size())) return blocks;
  const std::unique_lock maker(making_, std::try_to_lock);
  if (!maker.owns_lock()) return blocks;
  blocks = present();
  if (!has(blocks->size())) return blocks;
  auto more = std::make_shared<Blocks>(*blocks);
  more->push_back(make(space, input, blocks->size() * kBlockRows));
  if (more->back() == nullptr) return blocks;
  const std::lock_guard guard(mutex_);
  blocks_ = std::move(more);
  return blocks_;
}

std::shared_ptr<const TailCodes::Block> TailCodes::make(const FusedSpace& space,
                                                        const GraphInput& input, uint64_t first) {
  const FusedLayout& layout = space.layout();
  auto block = std::make_shared<Block>();
  block->records = aligned_array<std::byte>(kBlockRows * layout.sign_bytes);
  if (block->records == nullptr) return nullptr;
  block->first_row = (*input.rows)[input.first_row + first];
  std::vector<float> vector(input.dim);
  std::vector<float> placed(layout.padded);
  std::vector<int8_t> code(layout.vector_bytes);
  std::vector<std::byte> head(layout.ids);
  for (uint64_t i = 0; i < kBlockRows; ++i) {
    const float lift = place_row(space, input, input.first_row + first + i, vector, placed.data());
    write_head(layout, code.data(), to_byte_row(layout, placed.data(), lift, code.data()),
               head.data());
    write_sign_code(layout, head.data(), block->records.get() + i * layout.sign_bytes);
  }
  return block;
}

}  // namespace rvf::index
