// Words and vectors together: BM25 over the word indexes of a field, fused with the graph's answer.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "meta/bm25.hpp"
#include "runtime/snapshot_impl.hpp"
#include "runtime/word_indexes.hpp"

namespace rvf {
namespace {

struct Fused {
  uint64_t row = 0;
  double score = 0;
  std::optional<float> distance;
  std::optional<double> text_score;
};

Result<const meta::SchemaField*> text_field(const meta::Schema& schema, const std::string& name) {
  const meta::SchemaField* found = nullptr;
  if (!name.empty()) {
    found = schema.find(name);
    if (found == nullptr || found->field.type != FieldType::kString) {
      return Error(ErrorCode::kBadArgument,
                   "'" + name + "' is not a string field; the fields are " + schema.names());
    }
    return found;
  }
  for (const meta::SchemaField& f : schema.fields()) {
    if ((f.field.indexed & kIndexWords) == 0) continue;
    if (found != nullptr) {
      return Error(ErrorCode::kBadArgument, "several fields have words indexed ('" +
                                                found->field.name + "', '" + f.field.name +
                                                "'); name one");
    }
    found = &f;
  }
  if (found == nullptr) {
    return Error(ErrorCode::kBadArgument,
                 "no field has its words indexed; name a string field to search in");
  }
  return found;
}

// Weighted sums over ranks or scaled scores; `scores` is the better the larger.
void fuse(const std::vector<std::pair<uint64_t, double>>& scores, double weight,
          const HybridOptions& options, std::map<uint64_t, Fused>& out) {
  if (scores.empty()) return;
  double low = scores.front().second;
  double high = low;
  for (const auto& [row, score] : scores) {
    low = std::min(low, score);
    high = std::max(high, score);
  }
  for (size_t rank = 0; rank < scores.size(); ++rank) {
    Fused& f = out[scores[rank].first];
    f.row = scores[rank].first;
    if (options.fusion == Fusion::kReciprocalRank) {
      f.score += weight / (options.rank_constant + static_cast<double>(rank + 1));
    } else {
      f.score += weight * (high > low ? (scores[rank].second - low) / (high - low) : 1.0);
    }
  }
}

Status check(const HybridOptions& o) {
  if (o.k == 0) return Error(ErrorCode::kBadK, "k must be at least 1");
  if (!(o.vector_weight >= 0 && o.vector_weight <= 1)) {
    return Error(ErrorCode::kBadArgument, "vector_weight must be 0 to 1");
  }
  if (!(o.rank_constant >= 0)) {
    return Error(ErrorCode::kBadArgument, "rank_constant must not be negative");
  }
  if (std::isnan(o.min_score.value_or(0)) || std::isnan(o.max_distance.value_or(0))) {
    return Error(ErrorCode::kBadArgument, "min_score and max_distance must be numbers");
  }
  if (!o.group_by.empty() && o.group_size == 0) {
    return Error(ErrorCode::kBadArgument, "group_size must be at least 1");
  }
  return {};
}

}  // namespace

Result<HybridResult> Snapshot::Impl::hybrid(std::span<const float> vector,
                                            const HybridOptions& o) const {
  RVF_TRY(check(o));
  if (o.max_distance && vector.empty()) {
    return Error(ErrorCode::kBadArgument, "max_distance needs a vector to measure from");
  }
  RVF_ASSIGN(const meta::Table* t, table());
  RVF_ASSIGN(const Dead now_dead, dead());
  Selected selected;
  HybridResult result;
  if (!o.filter.empty()) {
    RVF_ASSIGN(selected, select(o.filter));
    result.plan.matching = selected->rows.count();
    result.plan.steps = selected->steps;
    result.plan.filter_us = selected->micros;
    result.plan.filter = meta::filter_text(selected->filter, *schema);
  }
  result.plan.rows = state.rows.size() - now_dead->count();
  uint64_t candidates = o.candidates != 0 ? o.candidates : std::max<uint64_t>(100, 4ULL * o.k);
  if (!o.group_by.empty()) candidates *= 4;

  std::map<uint64_t, Fused> fused;
  std::vector<std::pair<uint64_t, double>> scores;
  if (!vector.empty()) {
    QueryOptions q;
    q.k = static_cast<uint32_t>(std::min<uint64_t>(candidates, UINT32_MAX));
    q.ef = o.ef;
    q.filter = o.filter;
    index::SearchScratch memory = scratch->take();
    auto found = query(vector, q, memory);
    scratch->give_back(std::move(memory));
    if (!found) return std::move(found).error();
    result.plan.strategy = found->plan.strategy;
    result.plan.reason = found->plan.reason;
    std::vector<uint64_t> found_ids;
    for (const Neighbor& n : found->neighbors) found_ids.push_back(n.id);
    std::vector<std::optional<uint64_t>> rows;
    ids->find_all(state, found_ids, rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i])
        scores.emplace_back(*rows[i], -static_cast<double>(found->neighbors[i].distance));
    }
    fuse(scores, o.words.empty() ? 1.0 : o.vector_weight, o, fused);
    for (const auto& [row, negative] : scores) {
      fused[row].distance = static_cast<float>(-negative);
    }
  }
  if (!o.words.empty()) {
    RVF_ASSIGN(const meta::SchemaField* field, text_field(*schema, o.text_field));
    RVF_ASSIGN(const auto words, runtime::WordIndexes::open(*this, *field));
    const meta::Alive alive = [&](size_t segment, uint64_t row) {
      return row < state.rows.size() && !now_dead->test(row) &&
             (selected == nullptr || selected->rows.test(row)) && words.is_current(segment, row);
    };
    const meta::Bm25 ranking(words.views(), {}, alive);
    const meta::Tokenizer tokenizer;
    RVF_ASSIGN(const auto found, ranking.search(meta::query_terms(tokenizer, o.words), candidates));
    scores.clear();
    for (const meta::ScoredId& s : found) scores.emplace_back(s.id, s.score);
    fuse(scores, vector.empty() ? 1.0 : 1 - o.vector_weight, o, fused);
    for (const auto& [row, score] : scores) fused[row].text_score = score;
  }

  std::vector<Fused> order;
  order.reserve(fused.size());
  for (const auto& [row, f] : fused) order.push_back(f);
  std::sort(order.begin(), order.end(), [&](const Fused& a, const Fused& b) {
    if (a.score != b.score) return a.score > b.score;
    return state.id_of(a.row) < state.id_of(b.row);
  });
  const meta::SchemaField* group = nullptr;
  if (!o.group_by.empty()) {
    RVF_ASSIGN(group, field(o.group_by));
  }
  std::optional<RowValues> group_of;
  if (group != nullptr) group_of.emplace(*this, *t, *group);
  std::optional<kernels::PreparedQuery> prepared;
  if (!vector.empty()) {
    RVF_ASSIGN(prepared, kernels::prepare(vector, state.metric, state.dtype, state.dimension));
  }
  std::map<std::string, uint32_t> taken;
  for (const Fused& f : order) {
    if (result.hits.size() >= o.k) break;
    if (o.min_score && f.score < *o.min_score) break;
    std::optional<float> distance = f.distance;
    if (!distance && prepared) distance = prepared->distance(state.rows[f.row]);
    if (o.max_distance && *distance > *o.max_distance) continue;
    if (group_of && taken[wire::meta_value_key(group_of->of(f.row))]++ >= o.group_size) continue;
    result.hits.push_back({outside(state.id_of(f.row)), f.score, distance, f.text_score});
  }
  return result;
}

}  // namespace rvf
