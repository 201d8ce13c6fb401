// A set of row ordinals as chunks of bits: dead rows, or the rows that pass a filter.
// A copy shares its chunks with the original until one of them is written (copy on write), so a
// snapshot costs one pointer for every 65,536 rows. Thread-safety: as a plain value; a copy that is
// only read may be read by many threads while another copy is written.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/copy_on_write.hpp"

namespace rvf::index {

class RowBitmap {
 public:
  static constexpr uint64_t kChunkBits = 65536;
  static constexpr uint64_t kChunkWords = kChunkBits / 64;

  // Bit i of words[i / 64] is row i.
  static RowBitmap from_words(std::span<const uint64_t> words);

  bool test(uint64_t row) const noexcept {
    const uint64_t* words = chunk(row / kChunkBits);
    return words != nullptr && (words[row % kChunkBits / 64] >> (row % 64) & 1) != 0;
  }
  uint64_t count() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }

  void set(uint64_t row) {
    if (test(row)) return;
    writable(row / kChunkBits)[row % kChunkBits / 64] |= uint64_t{1} << (row % 64);
    ++count_;
  }
  void reset(uint64_t row) {
    if (!test(row)) return;
    writable(row / kChunkBits)[row % kChunkBits / 64] &= ~(uint64_t{1} << (row % 64));
    --count_;
  }
  // The union; chunks that one side alone has are shared with it.
  void add(const RowBitmap& other);
  void clear() noexcept {
    chunks_.clear();
    count_ = 0;
  }

  // The words of rows [c * kChunkBits, (c + 1) * kChunkBits); null: no bit of them is set.
  const uint64_t* chunk(uint64_t c) const noexcept {
    const Words* words = c < chunks_.size() ? chunks_[c].get() : nullptr;
    return words != nullptr ? words->data() : nullptr;
  }
  // The same for every chunk of `rows` rows, zeros where no bit is set.
  void list_chunks(uint64_t rows, std::vector<const uint64_t*>& out) const;
  // The 64 rows from word * 64 on.
  uint64_t word(uint64_t word) const noexcept {
    const uint64_t* words = chunk(word / kChunkWords);
    return words != nullptr ? words[word % kChunkWords] : 0;
  }

  // Calls visit(row) for the set rows in [begin, end), ascending.
  template <class Visit>
  void for_each(uint64_t begin, uint64_t end, Visit&& visit) const {
    end = std::min<uint64_t>(end, chunks_.size() * kChunkBits);
    for (uint64_t w = begin / 64; w * 64 < end; ++w) {
      uint64_t bits = word(w);
      if (w == begin / 64) bits &= ~uint64_t{0} << (begin % 64);
      while (bits != 0) {
        const uint64_t row = w * 64 + static_cast<uint64_t>(std::countr_zero(bits));
        if (row >= end) return;
        visit(row);
        bits &= bits - 1;
      }
    }
  }
  uint64_t count_range(uint64_t begin, uint64_t end) const noexcept {
    uint64_t n = 0;
    for_each(begin, end, [&](uint64_t) { ++n; });
    return n;
  }

 private:
  using Words = std::array<uint64_t, kChunkWords>;

  Words& writable(uint64_t c) {
    if (c >= chunks_.size()) chunks_.resize(c + 1);
    return chunks_[c].writable();
  }

  std::vector<CopyOnWrite<Words>> chunks_;
  uint64_t count_ = 0;
};

using DeadRows = RowBitmap;

}  // namespace rvf::index
