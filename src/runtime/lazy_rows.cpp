#include "runtime/lazy_rows.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/convert.hpp"

namespace rvf::runtime {
namespace {

// Columns are read piece by piece: one row of them touches as many lines as it has dimensions.
constexpr size_t kColumnarChunkRows = 256;
constexpr size_t kColumnarChunkBytes = 64U << 10;
constexpr uint64_t kBits = 64;

// The largest value of the dtype, so that storing a decoded value cannot fail.
float largest(DType dtype) noexcept {
  return dtype == DType::kF16 ? 65504.0F : 3.3895314e38F;  // of f32 and bf16 the latter's
}

}  // namespace

Result<std::unique_ptr<const LazyRows>> LazyRows::make(const wire::VecBlock& block, DType dtype,
                                                       std::shared_ptr<const quant::RowCode> code) {
  std::unique_ptr<LazyRows> rows(new LazyRows);
  rows->block_ = block;
  rows->dtype_ = dtype;
  rows->stride_ = wire::row_stride(dtype, block.dim);
  rows->packed_bytes_ = block.row_major ? block.stride : wire::columnar_row_bytes(block);
  if (!block.row_major) {
    rows->chunk_rows_ =
        std::clamp<uint64_t>(kColumnarChunkBytes / rows->packed_bytes_, 1, kColumnarChunkRows);
  }
  RVF_ASSIGN(rows->memory_, io::ReservedMemory::make(rows->reserved_bytes()));
  const uint64_t chunks = (block.count + rows->chunk_rows_ - 1) / rows->chunk_rows_;
  rows->done_ = std::make_unique<std::atomic<uint64_t>[]>((chunks + kBits - 1) / kBits);
  for (Stripe& s : rows->stripes_) {
    if (!block.row_major) s.packed.resize(rows->chunk_rows_ * rows->packed_bytes_);
    if (code == nullptr) continue;
    s.values.resize(block.dim);
    s.scratch = code->make_scratch();
  }
  rows->code_ = std::move(code);
  return std::unique_ptr<const LazyRows>(std::move(rows));
}

bool LazyRows::is_done(uint64_t chunk, std::memory_order order) const noexcept {
  return (done_[chunk / kBits].load(order) >> (chunk % kBits) & 1) != 0;
}

void LazyRows::make(const std::byte* row) const noexcept {
  const auto i = static_cast<uint64_t>(row - base()) / stride_;
  const uint64_t chunk = i / chunk_rows_;
  if (is_done(chunk, std::memory_order_acquire)) return;
  Stripe& stripe = stripes_[chunk % kStripes];
  const std::lock_guard alone(stripe.mutex);
  if (is_done(chunk, std::memory_order_relaxed)) return;
  const uint64_t first = chunk * chunk_rows_;
  decode(first, std::min<uint64_t>(chunk_rows_, block_.count - first), stripe);
  done_[chunk / kBits].fetch_or(uint64_t{1} << (chunk % kBits), std::memory_order_release);
}

void LazyRows::decode(uint64_t first, uint64_t count, Stripe& stripe) const noexcept {
  const std::byte* packed = block_.values.data() + first * packed_bytes_;
  if (!block_.row_major) {
    std::fill(stripe.packed.begin(), stripe.packed.end(), std::byte{0});
    wire::columnar_rows(block_, static_cast<size_t>(first), static_cast<size_t>(count),
                        stripe.packed.data());
    packed = stripe.packed.data();
  }
  const float limit = largest(dtype_);
  for (uint64_t i = 0; i < count; ++i, packed += packed_bytes_) {
    std::byte* to = memory_.data() + (first + i) * stride_;
    if (code_ == nullptr) {
      std::memcpy(to, packed, packed_bytes_);
      continue;
    }
    code_->decode(reinterpret_cast<const uint8_t*>(packed), stripe.scratch, stripe.values.data());
    for (float& v : stripe.values) v = std::isnan(v) ? 0.0F : std::clamp(v, -limit, limit);
    (void)kernels::encode_row(stripe.values, dtype_, to);
  }
}

uint64_t LazyRows::decoded_rows() const noexcept {
  const uint64_t chunks = (block_.count + chunk_rows_ - 1) / chunk_rows_;
  uint64_t done = 0;
  for (uint64_t w = 0; w < (chunks + kBits - 1) / kBits; ++w) {
    done += static_cast<uint64_t>(std::popcount(done_[w].load(std::memory_order_relaxed)));
  }
  return std::min<uint64_t>(done * chunk_rows_, block_.count);
}

const std::byte* LazyRows::code_of(uint64_t i) const noexcept {
  return block_.row_major ? block_.values.data() + i * packed_bytes_ : nullptr;
}

bool LazyRows::is_whole(uint64_t i) const noexcept {
  const std::byte* code = code_of(i);
  return code == nullptr || code_->is_whole(reinterpret_cast<const uint8_t*>(code));
}

}  // namespace rvf::runtime
