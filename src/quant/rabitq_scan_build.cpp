#include "quant/rabitq_scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/convert.hpp"
#include "kernels/pq_scan.hpp"
#include "quant/kmeans.hpp"
#include "quant/shape.hpp"

namespace rvf::quant {
namespace {

const std::byte* row_at(const StoredRows& rows, size_t i) noexcept {
  return rows.data + i * rows.stride;
}

Status check_stored(const StoredRows& rows, const RaBitQScanOptions& options) {
  const unsigned bits = options.refine_bits;
  if (rows.count == 0 || rows.count > UINT32_MAX || rows.dim == 0 || rows.dim > kMaxDimension ||
      rows.data == nullptr || (bits != 0 && bits != 4 && bits != 8)) {
    return Error(ErrorCode::kBadArgument,
                 "a scan needs rows, 1 to 65535 dimensions and 0, 4 or 8 bits to refine by");
  }
  if (rows.dtype == DType::kBinary || rows.dtype == DType::kPQ || rows.dtype == DType::kCustom) {
    return Error(ErrorCode::kUnsupported, "rows of this dtype are not scanned by RaBitQ codes");
  }
  return {};
}

Status decode_rows(const StoredRows& rows, size_t begin, size_t end, float* out) {
  for (size_t i = begin; i < end; ++i, out += rows.dim) {
    RVF_TRY(kernels::decode_row(row_at(rows, i), rows.dtype, {out, rows.dim}));
  }
  return {};
}

void to_length_one(std::span<float> rows, size_t dim) {
  for (size_t i = 0; i < rows.size(); i += dim) {
    double norm2 = 0;
    for (size_t j = 0; j < dim; ++j) norm2 += double{rows[i + j]} * rows[i + j];
    if (!(norm2 > 0)) continue;
    for (size_t j = 0; j < dim; ++j) {
      rows[i + j] = static_cast<float>(rows[i + j] / std::sqrt(norm2));
    }
  }
}

Result<KMeans> train_partitions(const StoredRows& rows, Metric metric,
                                const RaBitQScanOptions& options) {
  constexpr size_t kSamplePerPartition = 128;
  const auto root = std::sqrt(static_cast<double>(rows.count));
  const size_t wanted = options.partitions != 0
                            ? options.partitions
                            : std::clamp<size_t>(static_cast<size_t>(root / 2), 1, 1024);
  const size_t sampled = std::min(rows.count, std::min(wanted, rows.count) * kSamplePerPartition);
  std::vector<float> sample(sampled * rows.dim);
  for (size_t i = 0; i < sampled; ++i) {
    const auto row = static_cast<size_t>(uint64_t{i} * rows.count / sampled);
    RVF_TRY(decode_rows(rows, row, row + 1, sample.data() + i * rows.dim));
  }
  if (metric == Metric::kCosine) to_length_one(sample, rows.dim);
  return train_kmeans(sample, rows.dim,
                      {.centroids = wanted,
                       .sample_per_centroid = 0,
                       .seed = options.seed,
                       .executor = options.executor});
}

// What one worker learns of the rows that it assigns.
struct Assigner {
  std::vector<float> batch;
  std::vector<float> distances;
  std::vector<float> least;  // [partition][centroid]: squared distance
  Status status = {};
};

}  // namespace

Result<RaBitQScan> RaBitQScan::build(const StoredRows& rows, Metric metric,
                                     const RaBitQScanOptions& options) {
  RVF_TRY(check_stored(rows, options));
  RVF_ASSIGN(const KMeans means, train_partitions(rows, metric, options));
  RaBitQScan scan;
  scan.rows_ = rows;
  RVF_ASSIGN(scan.quantizer_, RaBitQ::make(metric, 1, means.centroids, rows.dim, options.seed));
  RVF_ASSIGN(const std::vector<uint32_t> index, scan.assign(options.executor));

  // Rows by partition, in their order; then whole blocks for each partition.
  const size_t count = scan.quantizer_.centroid_count();
  std::vector<size_t> ends(count + 1);
  for (const uint32_t c : index) ++ends[c + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<uint32_t> members(rows.count);
  std::vector<size_t> at(ends.begin(), ends.end() - 1);
  for (size_t i = 0; i < rows.count; ++i) members[at[index[i]]++] = static_cast<uint32_t>(i);
  scan.partitions_.resize(count);
  size_t blocks = 0;
  for (size_t c = 0; c < count; ++c) {
    const size_t n = ends[c + 1] - ends[c];
    scan.partitions_[c] = {.first_block = blocks, .rows = n, .radius = 0};
    blocks += (n + kBlockRows - 1) / kBlockRows;
  }
  scan.reserve(blocks, options.refine_bits);
  const auto body = [&](size_t, uint64_t begin, uint64_t end) {
    Encoder encoder;
    for (uint64_t c = begin; c < end; ++c) {
      scan.encode_partition(static_cast<uint32_t>(c), members.data() + ends[c], encoder);
    }
  };
  if (options.executor == nullptr) {
    body(0, 0, count);
  } else {
    options.executor->parallel_for(count, 1, body);
  }
  return scan;
}

// Which partition each row belongs to. Fills gaps_.
Result<std::vector<uint32_t>> RaBitQScan::assign(Executor* executor) {
  constexpr size_t kBatch = 64;
  const CentroidTable& table = quantizer_.table();
  const size_t count = table.count();
  const size_t width = table.width();
  std::vector<uint32_t> index(rows_.count);
  std::vector<Assigner> workers(executor == nullptr ? 1 : executor->width());
  const auto assign_batch = [&](Assigner& w, size_t begin, size_t n) -> Status {
    RVF_TRY(decode_rows(rows_, begin, begin + n, w.batch.data()));
    RVF_TRY(check_rows(std::span(w.batch).first(n * rows_.dim), rows_.dim));
    if (quantizer_.metric() == Metric::kCosine) to_length_one(w.batch, rows_.dim);
    const float* rows[kBatch];
    for (size_t i = 0; i < n; ++i) rows[i] = w.batch.data() + i * rows_.dim;
    table.distances(std::span(rows, n), w.distances.data());
    for (size_t i = 0; i < n; ++i) {
      const auto d = std::span(w.distances).subspan(i * width, count);
      const auto nearest = static_cast<size_t>(std::ranges::min_element(d) - d.begin());
      index[begin + i] = static_cast<uint32_t>(nearest);
      float* least = w.least.data() + nearest * count;
      for (size_t c = 0; c < count; ++c) least[c] = std::min(least[c], d[c]);
    }
    return {};
  };
  const auto body = [&](size_t worker, uint64_t begin, uint64_t end) {
    Assigner& w = workers[worker];
    w.batch.resize(kBatch * rows_.dim);
    w.distances.resize(kBatch * width);
    if (w.least.empty()) w.least.assign(count * count, std::numeric_limits<float>::infinity());
    for (size_t at = begin; at < end && w.status.ok(); at += kBatch) {
      w.status = assign_batch(w, at, std::min<size_t>(kBatch, end - at));
    }
  };
  if (executor == nullptr) {
    body(0, 0, rows_.count);
  } else {
    executor->parallel_for(rows_.count, 16 * kBatch, body);
  }
  std::vector<float> between(width);
  gaps_.assign(count * count, std::numeric_limits<float>::infinity());
  for (Assigner& w : workers) {
    RVF_TRY(std::move(w.status));
    for (size_t i = 0; i < w.least.size(); ++i) {
      float& gap = gaps_[i % count * count + i / count];
      gap = std::min(gap, w.least[i]);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    table.distances(quantizer_.centroids().data() + i * rows_.dim, between.data());
    for (size_t j = 0; j < count; ++j) gaps_[i * count + j] -= between[j];
  }
  return index;
}

void RaBitQScan::reserve(size_t blocks, unsigned refine_bits) {
  refine_bits_ = refine_bits;
  refine_bytes_ = quantizer_.padded() * refine_bits / 8;
  row_of_.resize(blocks * kBlockRows);
  codes_.resize(blocks * quantizer_.padded() / 4 * 16);
  factors_.resize(blocks);
  refine_codes_.resize(blocks * kBlockRows * refine_bytes_);
  if (refine_bits != 0) refine_factors_.resize(blocks * kBlockRows);
}

void RaBitQScan::encode_partition(uint32_t centroid, const uint32_t* members, Encoder& encoder) {
  Partition& partition = partitions_[centroid];
  const size_t padded = quantizer_.padded();
  const size_t groups = padded / 4;
  encoder.row.resize(rows_.dim);
  encoder.levels.resize(padded);
  for (size_t first = 0; first < partition.rows; first += kBlockRows) {
    const size_t block = partition.first_block + first / kBlockRows;
    const size_t n = std::min(kBlockRows, partition.rows - first);
    encoder.nibbles.assign(n * groups, 0);
    for (size_t lane = 0; lane < n; ++lane) {
      const size_t position = block * kBlockRows + lane;
      const uint32_t row = members[first + lane];
      row_of_[position] = row;
      // Rows of this dtype were decoded before, when they were assigned.
      (void)kernels::decode_row(row_at(rows_, row), rows_.dtype, encoder.row);
      const auto f = quantizer_.encode_levels(encoder.row.data(), centroid, 1,
                                              encoder.levels.data(), encoder.scratch);
      factors_[block].add[lane] = f.add;
      factors_[block].scale[lane] = f.scale;
      factors_[block].error[lane] = f.error;
      for (size_t i = 0; i < padded; ++i) {
        uint8_t& nibble = encoder.nibbles[lane * groups + i / 4];
        nibble = static_cast<uint8_t>(nibble | encoder.levels[i] << (i % 4));
      }
      double norm2 = 0;
      for (const float x : encoder.scratch.residual) norm2 += double{x} * x;
      partition.radius =
          std::max(partition.radius, static_cast<float>(std::sqrt(norm2) * (1 + 1e-5)));
      if (refine_bits_ != 0) encode_refined(position, centroid, encoder);
    }
    kernels::pack_pq4(encoder.nibbles.data(), n, groups, codes_.data() + block * groups * 16);
  }
}

void RaBitQScan::encode_refined(size_t position, uint32_t centroid, Encoder& encoder) {
  refine_factors_[position] = quantizer_.encode_levels(encoder.row.data(), centroid, refine_bits_,
                                                       encoder.levels.data(), encoder.scratch);
  // The top bit turned over makes a level a signed number around the middle.
  const auto top = static_cast<uint8_t>(1U << (refine_bits_ - 1));
  for (uint8_t& level : encoder.levels) level ^= top;
  pack_levels(encoder.levels.data(), quantizer_.padded(), refine_bits_,
              reinterpret_cast<uint8_t*>(refine_codes_.data() + position * refine_bytes_));
}

size_t RaBitQScan::memory_bytes() const noexcept {
  return quantizer_.memory_bytes() + partitions_.size() * sizeof(Partition) +
         (row_of_.size() + gaps_.size()) * sizeof(uint32_t) + codes_.size() +
         factors_.size() * sizeof(BlockFactors) + refine_codes_.size() +
         refine_factors_.size() * sizeof(RaBitQFactors);
}

}  // namespace rvf::quant
