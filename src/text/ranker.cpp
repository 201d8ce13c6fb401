#include "text/ranker.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "text/passage_words.hpp"

namespace rvf::text {
namespace {

using meta::Bm25;
using meta::WeightedTerm;
using Scores = std::unordered_map<uint64_t, double>;

class Ranking {
 public:
  Ranking(const Collection& collection, const RankingParams& params)
      : collection_(collection),
        params_(params),
        tokenizer_({.stem = collection.body.empty() ||
                            (collection.body[0].flags() & meta::kStemmedTerms) != 0}),
        body_(collection.body,
              collection.body_holds_headings ? std::span<const wire::InvertedView>()
                                             : collection.headings,
              params.bm25, collection.alive_body),
        headings_(collection.headings, params.bm25, collection.alive_headings) {}

  Result<std::vector<Hit>> run(std::string_view query, std::span<const float> vector, size_t n) {
    const size_t pool = std::max(params_.candidates, n);
    std::vector<WeightedTerm> terms = meta::query_terms(tokenizer_, query);
    RVF_ASSIGN(std::vector<Hit> words, by_words(terms, pool));
    const size_t own_terms = terms.size();
    RVF_TRY(expand(words, terms));
    if (terms.size() > own_terms) {
      RVF_ASSIGN(words, by_words(terms, pool));
    }
    Scores similarity;
    if (!vector.empty()) {
      RVF_TRY(by_vectors(words, vector, pool, similarity));
    }
    return fuse(words, similarity, n);
  }

 private:
  Result<std::vector<Hit>> by_words(std::span<const WeightedTerm> terms, size_t n) const {
    RVF_ASSIGN(std::vector<Hit> hits, body_.search(terms, n));
    if (collection_.headings.empty() || params_.heading_weight <= 0) return hits;
    RVF_ASSIGN(const std::vector<Hit> more, headings_.search(terms, n));
    std::unordered_map<uint64_t, size_t> at;
    for (size_t i = 0; i < hits.size(); ++i) at.emplace(hits[i].id, i);
    for (const Hit& h : more) {
      const double score = params_.heading_weight * h.score;
      const auto [found, is_new] = at.emplace(h.id, hits.size());
      if (is_new) {
        hits.push_back({h.id, score});
      } else {
        hits[found->second].score += score;
      }
    }
    meta::order_by_score(hits, n);
    return hits;
  }

  // Adds terms of the best passages to the query, none when there is nothing to learn from.
  Status expand(std::span<const Hit> hits, std::vector<WeightedTerm>& terms) const {
    const size_t passages = std::min(params_.feedback_passages, hits.size());
    if (!collection_.text_of || passages == 0 || params_.feedback_terms == 0 ||
        params_.feedback_weight <= 0) {
      return {};
    }
    std::unordered_map<std::string, double> found;
    std::vector<meta::Token> tokens;
    std::unordered_map<std::string_view, uint32_t> counts;
    for (size_t i = 0; i < passages; ++i) {
      RVF_ASSIGN(const std::string text, collection_.text_of(hits[i].id));
      tokenizer_.tokenize(text, tokens);
      counts.clear();
      for (const meta::Token& t : tokens) {
        if (!t.stop_word && t.term.size() > 1) ++counts[t.term];
      }
      const double length = static_cast<double>(tokens.size()) / body_.average_length();
      const double k = params_.bm25.k1 * (1 - params_.bm25.b + params_.bm25.b * length);
      for (const auto& [term, count] : counts) {
        found[std::string(term)] += hits[i].score / hits[0].score * count / (count + k);
      }
    }
    std::vector<WeightedTerm> best;
    for (const auto& [term, weight] : found) {
      RVF_ASSIGN(const double idf, body_.idf(term));
      best.push_back({term, weight * idf});
    }
    const size_t keep = std::min(params_.feedback_terms, best.size());
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(keep), best.end(),
                      [](const WeightedTerm& a, const WeightedTerm& b) {
                        return a.weight != b.weight ? a.weight > b.weight : a.term < b.term;
                      });
    best.resize(keep);
    double own = 0;
    for (const WeightedTerm& t : terms) own += t.weight;
    double sum = 0;
    for (const WeightedTerm& t : best) sum += t.weight;
    if (sum <= 0) return {};
    for (const WeightedTerm& t : best) {
      const double weight = t.weight / sum * own * params_.feedback_weight;
      const auto same = std::find_if(terms.begin(), terms.end(),
                                     [&](const WeightedTerm& w) { return w.term == t.term; });
      if (same == terms.end()) {
        terms.push_back({t.term, weight});
      } else {
        same->weight += weight;
      }
    }
    return {};
  }

  Status by_vectors(std::span<const Hit> words, std::span<const float> query, size_t n,
                    Scores& out) const {
    std::vector<float> moved(query.begin(), query.end());
    if (collection_.vector_of && params_.vector_feedback > 0) {
      RVF_TRY(move_towards(words, moved));
    }
    if (collection_.nearest) {
      RVF_ASSIGN(const std::vector<Hit> near, collection_.nearest(moved, n));
      for (const Hit& h : near) out[h.id] = h.score;
    }
    if (collection_.vector_of) {
      for (const Hit& h : words) {
        if (out.contains(h.id)) continue;
        RVF_ASSIGN(const std::vector<float> v, collection_.vector_of(h.id));
        if (v.size() == moved.size()) out[h.id] = dot(v, moved);
      }
    }
    return {};
  }

  Status move_towards(std::span<const Hit> words, std::vector<float>& query) const {
    std::vector<double> mean(query.size());
    double weights = 0;
    for (size_t i = 0; i < std::min(params_.feedback_passages, words.size()); ++i) {
      RVF_ASSIGN(const std::vector<float> v, collection_.vector_of(words[i].id));
      if (v.size() != query.size()) continue;
      const double w = words[i].score / words[0].score;
      for (size_t d = 0; d < v.size(); ++d) mean[d] += w * static_cast<double>(v[d]);
      weights += w;
    }
    if (weights <= 0) return {};
    double squares = 0;
    for (size_t d = 0; d < mean.size(); ++d) {
      mean[d] = (1 - params_.vector_feedback) * static_cast<double>(query[d]) +
                params_.vector_feedback * mean[d] / weights;
      squares += mean[d] * mean[d];
    }
    if (squares <= 0) return {};
    for (size_t d = 0; d < mean.size(); ++d) {
      query[d] = static_cast<float>(mean[d] / std::sqrt(squares));
    }
    return {};
  }

  static double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
  }

  std::vector<Hit> fuse(std::span<const Hit> words, const Scores& similarity, size_t n) const {
    Scores fused;
    const double top = words.empty() || words[0].score <= 0 ? 1 : words[0].score;
    const double word_weight = similarity.empty() ? 1 : 1 - params_.vector_weight;
    for (const Hit& h : words) fused[h.id] = word_weight * h.score / top;
    if (!similarity.empty()) {
      double least = similarity.begin()->second;
      double most = least;
      for (const auto& [id, s] : similarity) {
        least = std::min(least, s);
        most = std::max(most, s);
      }
      const double range = most > least ? most - least : 1;
      for (const auto& [id, s] : similarity) {
        fused[id] += params_.vector_weight * (s - least) / range;
      }
    }
    std::vector<Hit> out;
    out.reserve(fused.size());
    for (const auto& [id, s] : fused) out.push_back({id, s});
    meta::order_by_score(out, n);
    return out;
  }

  const Collection& collection_;
  const RankingParams& params_;
  meta::Tokenizer tokenizer_;
  PassageWords body_;
  Bm25 headings_;
};

}  // namespace

Result<std::vector<Hit>> rank(const Collection& collection, std::string_view query,
                              std::span<const float> query_vector, size_t n,
                              const RankingParams& params) {
  if (n == 0) return Error(ErrorCode::kBadArgument, "text search: n must be at least 1");
  return Ranking(collection, params).run(query, query_vector, n);
}

}  // namespace rvf::text
