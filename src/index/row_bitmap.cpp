#include "index/row_bitmap.hpp"

#include "kernels/hamming.hpp"

namespace rvf::index {
namespace {

constexpr std::array<uint64_t, RowBitmap::kChunkWords> kZeros{};

}  // namespace

RowBitmap RowBitmap::from_words(std::span<const uint64_t> words) {
  const kernels::HammingRows differing = kernels::hamming_rows();
  RowBitmap out;
  for (size_t first = 0; first < words.size(); first += kChunkWords) {
    const auto part = words.subspan(first, std::min<size_t>(kChunkWords, words.size() - first));
    uint32_t bits = 0;
    differing(std::as_bytes(std::span(kZeros)).data(), std::as_bytes(part).data(), 0, 1,
              part.size() * 64, &bits);
    out.chunks_.emplace_back();
    if (bits == 0) continue;
    std::copy(part.begin(), part.end(), out.chunks_.back().writable().begin());
    out.count_ += bits;
  }
  return out;
}

void RowBitmap::add(const RowBitmap& other) {
  for (uint64_t c = 0; c < other.chunks_.size(); ++c) {
    const uint64_t* theirs = other.chunk(c);
    if (theirs == nullptr) continue;
    if (c >= chunks_.size()) chunks_.resize(c + 1);
    if (chunk(c) == nullptr) {
      chunks_[c] = other.chunks_[c];
      for (uint64_t w = 0; w < kChunkWords; ++w) {
        count_ += static_cast<uint64_t>(std::popcount(theirs[w]));
      }
      continue;
    }
    Words& mine = chunks_[c].writable();
    for (uint64_t w = 0; w < kChunkWords; ++w) {
      count_ += static_cast<uint64_t>(std::popcount(theirs[w] & ~mine[w]));
      mine[w] |= theirs[w];
    }
  }
}

void RowBitmap::list_chunks(uint64_t rows, std::vector<const uint64_t*>& out) const {
  out.clear();
  for (uint64_t c = 0; c * kChunkBits < rows; ++c) {
    const uint64_t* words = chunk(c);
    out.push_back(words != nullptr ? words : kZeros.data());
  }
}

}  // namespace rvf::index
