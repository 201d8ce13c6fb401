// The rows of a block of codes or columns, decoded when they are first asked for. Their place is
// reserved at once, so a row has one address for as long as the block lives, and it takes memory
// from the first look on.
// Thread-safe: any number of threads may ask; a row is decoded once.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "index/row_source.hpp"
#include "io/reserved_memory.hpp"
#include "quant/row_code.hpp"
#include "rvf/types.hpp"
#include "wire/vec_codec.hpp"

namespace rvf::runtime {

class LazyRows final : public index::RowSource {
 public:
  // `block` is row codes or columnar; its bytes must outlive this. `code` may be null for columns
  // of the store's dtype; else its row_bytes() are those of the block. kOutOfMemory.
  static Result<std::unique_ptr<const LazyRows>> make(const wire::VecBlock& block, DType dtype,
                                                      std::shared_ptr<const quant::RowCode> code);

  const std::byte* base() const noexcept { return memory_.data(); }
  size_t stride() const noexcept { return stride_; }
  void make(const std::byte* row) const noexcept override;

  uint64_t reserved_bytes() const noexcept { return stride_ * block_.count; }
  uint64_t decoded_rows() const noexcept;
  const std::shared_ptr<const quant::RowCode>& code() const noexcept { return code_; }
  // The code of a row where rows lie for themselves; null for columns.
  const std::byte* code_of(uint64_t i) const noexcept;
  // Whether what stands beside the code of a row makes sense. A row of which it does not is zeros.
  bool is_whole(uint64_t i) const noexcept;

 private:
  // Working memory for decoding, and the right to decode chunks of one residue.
  struct Stripe {
    std::mutex mutex;
    wire::Bytes packed;  // columns turned into rows
    std::vector<float> values;
    quant::RaBitQRows::Scratch scratch;
  };
  static constexpr size_t kStripes = 4;

  LazyRows() = default;
  void decode(uint64_t first, uint64_t count, Stripe& stripe) const noexcept;
  bool is_done(uint64_t chunk, std::memory_order order) const noexcept;

  wire::VecBlock block_;
  DType dtype_ = DType::kF32;
  std::shared_ptr<const quant::RowCode> code_;
  size_t packed_bytes_ = 0;  // of a row as it is stored
  size_t stride_ = 0;
  uint64_t chunk_rows_ = 1;  // decoded at once
  io::ReservedMemory memory_;
  std::unique_ptr<std::atomic<uint64_t>[]> done_;  // a bit a chunk
  mutable std::array<Stripe, kStripes> stripes_;
};

}  // namespace rvf::runtime
