#include "wire/meta_blocks.hpp"

#include <algorithm>
#include <bit>

#include "wire/codec.hpp"
#include "wire/compress.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "text blocks in a META";
constexpr uint64_t kBlockBytes = 64 << 10;
constexpr uint32_t kMaxRowsPerBlock = 8192;
constexpr uint64_t kMaxPlainBlock = 1ULL << 28;
constexpr uint64_t kLeastWorthIt = 4096;

uint32_t rows_per_block(const StringTable& table, uint64_t bytes) noexcept {
  const uint64_t average = std::max<uint64_t>(1, bytes / std::max<size_t>(1, table.size()));
  const uint64_t wanted = std::clamp<uint64_t>(kBlockBytes / average, 1, kMaxRowsPerBlock);
  return static_cast<uint32_t>(std::bit_floor(wanted));
}

uint32_t number_at(ByteSpan array, uint32_t index) noexcept {
  uint32_t v = 0;
  std::memcpy(&v, array.data() + size_t{index} * 4, 4);
  return v;
}

}  // namespace

Bytes pack_text_blocks(const StringTable& table) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < table.size(); ++i) bytes += table[i].size();
  if (bytes < kLeastWorthIt) return {};
  const uint32_t per_block = rows_per_block(table, bytes);
  std::vector<uint32_t> ends;
  std::vector<uint32_t> plain_sizes;
  Bytes data;
  for (size_t first = 0; first < table.size(); first += per_block) {
    StringTable part;
    for (size_t i = first; i < std::min<size_t>(first + per_block, table.size()); ++i) {
      part.add(table[i]);
    }
    Bytes plain;
    ByteWriter writer(plain);
    part.write(writer);
    if (plain.size() > kMaxPlainBlock) return {};
    auto packed = compress(Compression::kZstd, plain);
    // A block as long as its text is stored as it is.
    const bool smaller = packed && packed->size() < plain.size();
    const Bytes& kept = smaller ? *packed : plain;
    data.insert(data.end(), kept.begin(), kept.end());
    if (data.size() > UINT32_MAX) return {};
    ends.push_back(static_cast<uint32_t>(data.size()));
    plain_sizes.push_back(static_cast<uint32_t>(plain.size()));
  }
  if (data.size() + ends.size() * 8 > bytes / 8 * 7) return {};
  Bytes out;
  ByteWriter writer(out);
  writer.u32(per_block);
  writer.u32(static_cast<uint32_t>(ends.size()));
  write_array(writer, ends);
  write_array(writer, plain_sizes);
  writer.bytes(data);
  writer.align(8);
  return out;
}

Result<TextBlocksView> TextBlocksView::read(ByteReader& in, uint64_t rows) {
  TextBlocksView view;
  view.rows_ = rows;
  view.rows_per_block_ = in.u32();
  const uint32_t blocks = in.u32();
  const bool fits = view.rows_per_block_ != 0 &&
                    (rows + view.rows_per_block_ - 1) / view.rows_per_block_ == blocks;
  if (in.ok() && !fits) return payload_error(kName, in, "the blocks do not hold the rows");
  view.ends_ = in.bytes(uint64_t{blocks} * 4);
  view.plain_ = in.bytes(uint64_t{blocks} * 4);
  if (!in.ok()) return payload_error(kName, in, {});
  uint32_t end = 0;
  for (uint32_t i = 0; i < blocks; ++i) {
    const uint32_t next = number_at(view.ends_, i);
    const uint32_t plain = number_at(view.plain_, i);
    if (next < end || plain > kMaxPlainBlock) {
      return payload_error(kName, in, "block " + std::to_string(i) + " has an impossible size");
    }
    view.plain_bytes_ += plain;
    end = next;
  }
  view.data_ = in.bytes(end);
  skip_padding(in, 8);
  if (!in.ok()) return payload_error(kName, in, {});
  return view;
}

uint32_t TextBlocksView::end_of(uint32_t index) const noexcept { return number_at(ends_, index); }

Result<StringTable> TextBlocksView::block(uint32_t index) const {
  const uint32_t begin = index == 0 ? 0 : end_of(index - 1);
  const ByteSpan stored = data_.subspan(begin, end_of(index) - begin);
  const uint32_t plain_size = number_at(plain_, index);
  const uint64_t rows =
      std::min<uint64_t>(rows_per_block_, rows_ - uint64_t{index} * rows_per_block_);
  Bytes plain;
  if (stored.size() == plain_size) {
    plain.assign(stored.begin(), stored.end());
  } else {
    RVF_ASSIGN(plain, decompress(Compression::kZstd, stored, plain_size, kMaxPlainBlock));
  }
  ByteReader in(plain);
  RVF_ASSIGN(StringTable table, StringTable::read(in, rows));
  RVF_TRY(expect_end(kName, in));
  return table;
}

}  // namespace rvf::wire
