#include "index/graph_calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "index/flat.hpp"
#include "kernels/convert.hpp"

namespace rvf::index {
namespace {

constexpr uint32_t kLadder[] = {10,  16,  24,  32,   48,   64,   96,   128,  192,  256,
                                384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};
constexpr uint32_t kDepths[] = {10, 100};
// Of the other row in a query of each kind.
constexpr float kShares[kQueryKinds] = {0.0F, 0.25F, 0.5F};
constexpr float kEnough = 0.996F;

struct Sample {
  std::vector<float> vector;
  std::optional<kernels::PreparedQuery> query;
  SearchResult truth;
};

class Calibration {
 public:
  Calibration(const CalibratedIndex& index, const GraphInput& input,
              const std::vector<uint32_t>& held, bool index_holds_them, Executor& executor)
      : index_(index),
        input_(input),
        held_(held),
        index_holds_them_(index_holds_them),
        executor_(executor) {
    for (const uint32_t node : held) held_rows_.set(input.first_row + node);
  }

  std::vector<wire::FusedCalibrationPoint> run() {
    for (uint16_t kind = 0; kind < kQueryKinds; ++kind) {
      if (!make_samples(kind)) break;
      find_truth();
      for (const uint32_t k : kDepths) {
        // Queries far from all rows are told apart by their tenth neighbour.
        if (k == kDepths[0] || kind == 0) climb(kind, k);
      }
    }
    return std::move(points_);
  }

 private:
  bool make_samples(uint16_t kind) {
    const size_t count = kind == 0 ? held_.size() : held_.size() / 2;
    samples_.clear();
    samples_.resize(count);
    std::vector<float> other(input_.dim);
    for (size_t i = 0; i < count; ++i) {
      std::vector<float>& v = samples_[i].vector;
      v.resize(input_.dim);
      if (!decode(held_[i], v) || !decode(held_[(i + held_.size() / 3) % held_.size()], other)) {
        return false;
      }
      mix(v, other, kShares[kind]);
      auto query = kernels::prepare(v, input_.metric, input_.dtype, input_.dim);
      if (!query) return false;
      samples_[i].query.emplace(std::move(*query));
    }
    return true;
  }

  // As far from the centre as rows are: nearer to it a query would have near neighbours all around.
  void mix(std::vector<float>& v, const std::vector<float>& other, float share) const {
    const std::vector<float>& centre = index_.centre();
    double wanted = 0;
    double there = 0;
    for (size_t d = 0; d < v.size(); ++d) {
      const double own = static_cast<double>(v[d]) - centre[d];
      v[d] = (1 - share) * v[d] + share * other[d];
      const double mixed = static_cast<double>(v[d]) - centre[d];
      wanted += own * own;
      there += mixed * mixed;
    }
    if (share == 0 || !(there > 0)) return;
    const auto by = static_cast<float>(std::sqrt(wanted / there));
    for (size_t d = 0; d < v.size(); ++d) v[d] = centre[d] + (v[d] - centre[d]) * by;
  }

  bool decode(uint32_t node, std::vector<float>& v) const {
    if (!kernels::decode_row((*input_.rows)[input_.first_row + node], input_.dtype, v)) {
      return false;
    }
    double norm = 0;
    for (float& x : v) {
      if (!std::isfinite(x)) x = 0;
      norm += static_cast<double>(x) * x;
    }
    if (input_.metric == Metric::kCosine && norm > 0) {
      for (float& x : v) x /= static_cast<float>(std::sqrt(norm));
    }
    return true;
  }

  SearchRequest request(const Sample& s, uint32_t k, uint32_t width) const {
    SearchRequest r;
    r.query = &*s.query;
    r.vector = s.vector;
    r.rows = input_.rows;
    r.params.k = k;
    r.params.ef = width;
    r.params.walk = true;
    if (index_holds_them_) r.dead = &held_rows_;
    return r;
  }

  // Only over the rows of the index, whatever else the table holds. Rows are read once for all the
  // queries of a worker: there may be more of them than fit into memory.
  void find_truth() {
    constexpr uint64_t kRowsAtOnce = 256;
    const uint64_t share = (samples_.size() + executor_.width() - 1) / executor_.width();
    executor_.parallel_for(samples_.size(), share, [&](size_t, uint64_t b, uint64_t e) {
      std::vector<SearchRequest> requests;
      std::vector<TopK> best;
      for (uint64_t i = b; i < e; ++i) {
        requests.push_back(request(samples_[i], kDepths[1], 0));
        requests.back().dead = &held_rows_;
        best.emplace_back(kDepths[1], requests.back().ids);
      }
      SearchStats stats;
      const uint64_t end = input_.first_row + input_.count;
      for (uint64_t row = input_.first_row; row < end; row += kRowsAtOnce) {
        const uint64_t until = std::min(end, row + kRowsAtOnce);
        for (size_t i = 0; i < best.size(); ++i) {
          (void)scan_rows(requests[i], row, until, 0, best[i], stats);
        }
      }
      for (uint64_t i = b; i < e; ++i) best[i - b].finish(samples_[i].truth.hits);
    });
  }

  void climb(uint16_t kind, uint32_t k) {
    std::vector<SearchScratch> scratch(executor_.width());
    const float distance = usual_distance();
    for (const uint32_t width : kLadder) {
      // Searches that wide scan instead.
      if (width < k || width > index_.widest()) continue;
      std::vector<uint64_t> found(samples_.size(), 0);
      executor_.parallel_for(samples_.size(), 4, [&](size_t worker, uint64_t b, uint64_t e) {
        SearchResult result;
        for (uint64_t i = b; i < e; ++i) {
          const auto& truth = samples_[i].truth.hits;
          if (truth.size() < k ||
              !index_.search(request(samples_[i], k, width), scratch[worker], result)) {
            continue;
          }
          // Where vectors repeat, any of the copies is as good an answer.
          for (const Hit& h : result.hits) {
            found[i] += h.distance <= truth[k - 1].distance && !held_rows_.test(h.row);
          }
        }
      });
      uint64_t sum = 0;
      for (const uint64_t f : found) sum += std::min<uint64_t>(f, k);
      wire::FusedCalibrationPoint point;
      point.kind = kind;
      point.k = static_cast<uint16_t>(k);
      point.width = width;
      point.recall = careful(sum, samples_.size() * k);
      point.distance = distance;
      points_.push_back(point);
      if (point.recall >= kEnough) break;
    }
  }

  // The share, less the error that so small a sample has.
  static float careful(uint64_t found, uint64_t all) {
    const double share = static_cast<double>(found) / static_cast<double>(all);
    return static_cast<float>(
        share - std::sqrt(std::max(share * (1 - share), 0.0) / static_cast<double>(all)));
  }

  // Of the tenth neighbour, for all but the farthest tenth of the queries.
  float usual_distance() const {
    std::vector<float> all;
    std::vector<float> row(input_.dim);
    for (const Sample& s : samples_) {
      if (s.truth.hits.size() < kDepths[0]) continue;
      const uint64_t at = s.truth.hits[kDepths[0] - 1].row;
      if (!kernels::decode_row((*input_.rows)[at], input_.dtype, row)) continue;
      all.push_back(index_.placed_distance(s.vector, row));
    }
    if (all.empty()) return 0;
    const auto at = all.begin() + static_cast<ptrdiff_t>(all.size() * 9 / 10);
    std::nth_element(all.begin(), at, all.end());
    return *at;
  }

  const CalibratedIndex& index_;
  const GraphInput& input_;
  const std::vector<uint32_t>& held_;
  bool index_holds_them_;
  Executor& executor_;
  DeadRows held_rows_;
  std::vector<Sample> samples_;
  std::vector<wire::FusedCalibrationPoint> points_;
};

}  // namespace

std::vector<wire::FusedCalibrationPoint> calibrate(const CalibratedIndex& index,
                                                   const GraphInput& input,
                                                   const std::vector<uint32_t>& held,
                                                   bool index_holds_them, Executor& executor) {
  return Calibration(index, input, held, index_holds_them, executor).run();
}

size_t most_calibration_points() noexcept {
  return std::size(kLadder) * (kQueryKinds + std::size(kDepths) - 1);
}

}  // namespace rvf::index
