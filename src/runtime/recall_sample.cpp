#include "rvf/recall.hpp"

#include <algorithm>

#include "runtime/no_throw.hpp"

namespace rvf {
namespace {

constexpr uint64_t kMaxDistances = 400'000'000;  // that the exact answers may take

// Questions of nobody's must not make vectors warm.
QueryOptions nearest() {
  QueryOptions o;
  o.k = RecallSample::kNeighbors;
  o.count_access = false;
  return o;
}

// The vector moved by half the difference of two of its neighbours: as far from the others as they
// are from each other, and where the data lies.
Status append_question(const Snapshot& s, uint64_t id, std::vector<float>& out) {
  RVF_ASSIGN(const std::vector<float> own, s.get(id));
  RVF_ASSIGN(const QueryResult near, s.query(own, nearest()));
  const size_t n = near.neighbors.size();
  RVF_ASSIGN(const std::vector<float> a, s.get(near.neighbors[n / 2].id));
  RVF_ASSIGN(const std::vector<float> b, s.get(near.neighbors[n - 1].id));
  for (size_t d = 0; d < own.size(); ++d) out.push_back(own[d] + (a[d] - b[d]) / 2);
  return {};
}

Vectors vectors_of(std::span<const float> values, size_t dimension) {
  return Vectors::from_f32(values, dimension);
}

}  // namespace

Result<RecallSample> RecallSample::take(const Snapshot& before, size_t queries,
                                        Executor* executor) {
  return runtime::no_throw([&]() -> Result<RecallSample> {
    RecallSample sample;
    sample.dimension_ = before.dimension();
    RVF_ASSIGN(const std::vector<uint64_t> ids, before.ids());
    if (ids.empty()) return sample;
    const size_t most = std::max<uint64_t>(1, kMaxDistances / ids.size());
    const size_t n = std::min({queries, ids.size(), most});
    for (size_t i = 0; i < n; ++i) {
      RVF_TRY(append_question(before, ids[i * ids.size() / n], sample.questions_));
    }
    QueryOptions exact = nearest();
    exact.exact = true;
    RVF_ASSIGN(sample.truth_, before.query_batch(vectors_of(sample.questions_, sample.dimension_),
                                                 exact, executor));
    return sample;
  });
}

Result<double> RecallSample::recall(const Snapshot& now, Executor* executor) const {
  return runtime::no_throw([&]() -> Result<double> {
    if (truth_.empty()) return 1.0;
    RVF_ASSIGN(const auto found,
               now.query_batch(vectors_of(questions_, dimension_), nearest(), executor));
    uint64_t wanted = 0;
    uint64_t hit = 0;
    for (size_t q = 0; q < truth_.size(); ++q) {
      for (const Neighbor& t : truth_[q].neighbors) {
        ++wanted;
        hit += std::any_of(found[q].neighbors.begin(), found[q].neighbors.end(),
                           [&](const Neighbor& f) { return f.id == t.id; });
      }
    }
    return wanted == 0 ? 1.0 : static_cast<double>(hit) / static_cast<double>(wanted);
  });
}

}  // namespace rvf
