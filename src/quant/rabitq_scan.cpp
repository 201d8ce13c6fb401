#include "quant/rabitq_scan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "kernels/pq_scan.hpp"

namespace rvf::quant {
namespace {

// Estimates are sums of f32: what their last digits may be off.
constexpr float kRounding = 4e-6F;

bool before(const ScanHit& a, const ScanHit& b) noexcept {
  return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
}

// Sums over sets of four coordinates: entry p of table g is the sum of q[4g + b] over the bits b of
// p.
std::vector<float> sign_tables(const std::vector<float>& q) {
  std::vector<float> tables(q.size() * 4);
  for (size_t g = 0; g < q.size() / 4; ++g) {
    float* t = tables.data() + g * 16;
    for (size_t b = 0; b < 4; ++b) {
      for (size_t p = 0; p < size_t{1} << b; ++p) t[p + (size_t{1} << b)] = t[p] + q[4 * g + b];
    }
  }
  return tables;
}

}  // namespace

// One query on its way through the partitions.
class RaBitQScan::Search {
 public:
  Search(const RaBitQScan& scan, RaBitQQuery query, kernels::PreparedQuery exact,
         std::optional<kernels::PreparedQuery> refine, size_t k, float deviations)
      : scan_(scan),
        query_(std::move(query)),
        exact_(std::move(exact)),
        refine_(std::move(refine)),
        k_(k),
        deviations_(deviations) {
    const std::vector<float>& q = query_.rotated();
    groups_ = q.size() / 4;
    tables_.resize(groups_ * 16);
    const std::vector<float> tables = sign_tables(q);
    const auto rounding = kernels::round_tables(tables.data(), groups_, 16, tables_.data());
    step_ = rounding.step;
    // Scales are negative: adding the tables' error makes the bound smaller.
    bias_ = rounding.bias - 0.5F * query_.rotated_sum() + rounding.error;
    double norm2 = 0;
    for (const float x : query_.vector()) norm2 += double{x} * x;
    norm_ = static_cast<float>(std::sqrt(norm2));
  }

  std::vector<ScanHit> run() {
    const auto count = static_cast<uint32_t>(scan_.partitions_.size());
    for (uint32_t c = 1; c < count; ++c) {
      if (query_.distance_to(c) < query_.distance_to(pivot_)) pivot_ = c;
    }
    scan_partition(pivot_);
    std::vector<std::pair<float, uint32_t>> others;  // the most promising first
    for (uint32_t c = 0; c < count; ++c) {
      if (c == pivot_ || too_far(c)) continue;
      const float add = query_.add(c);
      others.emplace_back(std::isnan(add) ? std::numeric_limits<float>::infinity() : add, c);
    }
    std::ranges::sort(others);
    for (const auto& [add, c] : others) {
      if (!too_far(c)) scan_partition(c);
    }
    std::ranges::sort(best_, before);
    return std::move(best_);
  }
  const ScanCounts& counts() const noexcept { return counts_; }

 private:
  static constexpr size_t kBatch = 32;

  // No row of the partition is nearer. For l2, with d_j = |q - c_j| and any pivot i, the row o obeys
  //   |q - o| >= d_j - radius_j   and, by |<o - c_j, q - c_i>| <= radius_j d_i,
  //   |q - o|^2 >= |o - c_i|^2 - |c_i - c_j|^2 + d_j^2 - 2 radius_j d_i
  float nearest_possible(uint32_t c) const noexcept {
    const float radius = scan_.partitions_[c].radius;
    if (scan_.quantizer_.metric() == Metric::kInnerProduct) {
      return query_.add(c) - radius * norm_ - kRounding * std::abs(query_.add(c));
    }
    const float d = query_.distance_to(c);
    const float gap = std::max(0.0F, d * (1 - kRounding) - radius);
    const float by_pivot = scan_.gaps_[pivot_ * scan_.partitions_.size() + c] + d * d -
                           2 * radius * query_.distance_to(pivot_);
    const float slack = 8 * kRounding * (d * d + radius * radius);
    const float l2 = std::max(gap * gap, by_pivot) - slack;
    // Of vectors of length 1, cosine is half of l2; of a vector of zeros it is more.
    return scan_.quantizer_.metric() == Metric::kL2 ? l2 : 0.5F * l2;
  }

  // NaN, from rows beyond f32, is not too far.
  bool too_far(uint32_t c) const noexcept { return nearest_possible(c) > threshold_; }

  void scan_partition(uint32_t c) {
    const Partition& partition = scan_.partitions_[c];
    if (partition.rows == 0) return;
    ++counts_.partitions;
    counts_.estimated += partition.rows;
    const size_t blocks = (partition.rows + kBlockRows - 1) / kBlockRows;
    BoundTerms terms{.step = step_,
                     .bias = bias_,
                     .add = query_.add(c) - kRounding * std::abs(query_.add(c)),
                     .error = deviations_ * query_.doubt(c),
                     .threshold = threshold_};
    constexpr size_t kSumBlocks = 16;
    uint32_t sums[kSumBlocks * kBlockRows];
    for (size_t first = 0; first < blocks; first += kSumBlocks) {
      const size_t n = std::min(kSumBlocks, blocks - first);
      const size_t block0 = partition.first_block + first;
      sum_(tables_.data(), scan_.codes_.data() + block0 * groups_ * 16, groups_, n, sums);
      for (size_t b = 0; b < n; ++b) {
        terms.threshold = threshold_;
        uint32_t mask = mask_(sums + b * kBlockRows, scan_.factors_[block0 + b], terms);
        const size_t rows = partition.rows - (first + b) * kBlockRows;
        if (rows < kBlockRows) mask &= (1U << rows) - 1;
        for (; mask != 0; mask &= mask - 1) {
          doubtful((block0 + b) * kBlockRows + static_cast<size_t>(std::countr_zero(mask)));
          if (doubtful_count_ == kBatch) settle(c);
        }
      }
    }
    settle(c);
  }

  void doubtful(size_t position) noexcept {
    doubtful_[doubtful_count_++] = position;
    if (refine_) {
      const std::byte* code = scan_.refine_codes_.data() + position * scan_.refine_bytes_;
      __builtin_prefetch(&scan_.refine_factors_[position]);
      for (size_t i = 0; i < scan_.refine_bytes_; i += 64) __builtin_prefetch(code + i);
    }
  }

  // Looks closer at the rows collected from partition c.
  void settle(uint32_t c) {
    if (refine_) refine(c);
    const std::byte* rows[kBatch];
    float distance[kBatch];
    for (size_t i = 0; i < doubtful_count_; ++i) {
      rows[i] = scan_.rows_.data + scan_.row_of_[doubtful_[i]] * scan_.rows_.stride;
    }
    exact_.distances(rows, doubtful_count_, distance);
    for (size_t i = 0; i < doubtful_count_; ++i) {
      offer({scan_.row_of_[doubtful_[i]], distance[i]});
    }
    counts_.exact += doubtful_count_;
    doubtful_count_ = 0;
  }

  // Keeps those that the finer codes leave in doubt.
  void refine(uint32_t c) {
    const std::byte* codes[kBatch];
    float minus_dot[kBatch];
    for (size_t i = 0; i < doubtful_count_; ++i) {
      codes[i] = scan_.refine_codes_.data() + doubtful_[i] * scan_.refine_bytes_;
    }
    refine_->distances(codes, doubtful_count_, minus_dot);
    counts_.refined += doubtful_count_;
    const float half = 0.5F * query_.rotated_sum();
    const float add = query_.add(c) - kRounding * std::abs(query_.add(c));
    const float doubt = deviations_ * query_.doubt(c);
    size_t left = 0;
    for (size_t i = 0; i < doubtful_count_; ++i) {
      const RaBitQFactors& f = scan_.refine_factors_[doubtful_[i]];
      const float bound = ((f.add + add) + f.scale * (half - minus_dot[i])) - f.error * doubt;
      if (bound > threshold_) continue;
      doubtful_[left++] = doubtful_[i];
      const size_t row = scan_.row_of_[doubtful_[i]];
      const std::byte* at = scan_.rows_.data + row * scan_.rows_.stride;
      for (size_t b = 0; b < 512 && b < scan_.rows_.stride; b += 64) __builtin_prefetch(at + b);
    }
    doubtful_count_ = left;
  }

  void offer(ScanHit hit) {
    if (std::isnan(hit.distance)) hit.distance = std::numeric_limits<float>::infinity();
    if (best_.size() < k_) {
      best_.push_back(hit);
      std::ranges::push_heap(best_, before);
    } else if (before(hit, best_.front())) {
      std::ranges::pop_heap(best_, before);
      best_.back() = hit;
      std::ranges::push_heap(best_, before);
    }
    if (best_.size() == k_) threshold_ = best_.front().distance;
  }

  const RaBitQScan& scan_;
  RaBitQQuery query_;
  kernels::PreparedQuery exact_;
  std::optional<kernels::PreparedQuery> refine_;
  size_t k_;
  float deviations_;
  kernels::PqByteSums sum_ = kernels::pq4_byte_sums();
  BoundMask mask_ = bound_mask();
  uint32_t pivot_ = 0;  // the nearest centroid
  size_t groups_ = 0;
  std::vector<uint8_t> tables_;
  float step_ = 0;
  float bias_ = 0;
  float norm_ = 0;
  float threshold_ = std::numeric_limits<float>::infinity();
  size_t doubtful_[kBatch] = {};
  size_t doubtful_count_ = 0;
  std::vector<ScanHit> best_;  // a heap, the farthest first
  ScanCounts counts_;
};

Result<std::vector<ScanHit>> RaBitQScan::search(std::span<const float> query, size_t k,
                                                float deviations, ScanCounts* counts) const {
  RVF_ASSIGN(RaBitQQuery prepared, quantizer_.prepare(query));
  RVF_ASSIGN(kernels::PreparedQuery exact,
             kernels::prepare(query, quantizer_.metric(), rows_.dtype, rows_.dim));
  std::optional<kernels::PreparedQuery> refine;
  if (refine_bits_ != 0) {
    RVF_ASSIGN(refine,
               kernels::prepare(prepared.rotated(), Metric::kInnerProduct,
                                refine_bits_ == 8 ? DType::kI8 : DType::kI4, quantizer_.padded()));
  }
  if (k == 0) return std::vector<ScanHit>{};
  Search search(*this, std::move(prepared), std::move(exact), std::move(refine),
                std::min(k, rows_.count), deviations);
  std::vector<ScanHit> hits = search.run();
  if (counts != nullptr) *counts = search.counts();
  return hits;
}

}  // namespace rvf::quant
