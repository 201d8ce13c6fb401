#include "meta/bm25.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace rvf::meta {
namespace {

Error damaged() {
  return Error(ErrorCode::kCorrupt, "inverted index: a list of postings is damaged");
}

}  // namespace

void order_by_score(std::vector<ScoredId>& hits, size_t n) {
  struct Keyed {
    double key;
    ScoredId hit;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(hits.size());
  for (const ScoredId& h : hits) keyed.push_back({std::nearbyint(h.score * 1e12) / 1e12, h});
  const auto before = [](const Keyed& a, const Keyed& b) {
    return a.key != b.key ? a.key > b.key : a.hit.id < b.hit.id;
  };
  const size_t keep = std::min(n, keyed.size());
  std::partial_sort(keyed.begin(), keyed.begin() + static_cast<std::ptrdiff_t>(keep), keyed.end(),
                    before);
  hits.resize(keep);
  for (size_t i = 0; i < keep; ++i) hits[i] = keyed[i].hit;
}

std::vector<WeightedTerm> query_terms(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<Token> tokens = tokenizer.tokenize(text);
  const bool only_stop_words =
      std::all_of(tokens.begin(), tokens.end(), [](const Token& t) { return t.stop_word; });
  std::vector<WeightedTerm> out;
  for (const Token& t : tokens) {
    if (t.stop_word && !only_stop_words) continue;
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const WeightedTerm& w) { return w.term == t.term; });
    if (same == out.end()) {
      out.push_back({t.term, 1});
    } else {
      same->weight += 1;
    }
  }
  return out;
}

InvertedIndexBuilder::InvertedIndexBuilder(uint16_t field_id, TokenizerOptions options,
                                           uint64_t meta_segment)
    : field_id_(field_id), meta_segment_(meta_segment), tokenizer_(options) {}

void InvertedIndexBuilder::add(uint64_t id, std::string_view text) {
  tokenizer_.tokenize(text, tokens_);
  const auto ordinal = static_cast<uint32_t>(docs_.size());
  docs_.push_back({id, static_cast<uint32_t>(tokens_.size())});
  for (const Token& t : tokens_) {
    std::vector<wire::InvertedPosting>& postings = terms_[t.term];
    if (postings.empty() || postings.back().ordinal != ordinal) {
      postings.push_back({ordinal, 1});
    } else {
      ++postings.back().frequency;
    }
  }
}

Result<wire::Bytes> InvertedIndexBuilder::finish() {
  std::vector<uint32_t> order(docs_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return docs_[a].id < docs_[b].id; });
  std::vector<wire::InvertedDoc> sorted(docs_.size());
  std::vector<uint32_t> place(docs_.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    sorted[i] = docs_[order[i]];
    place[order[i]] = i;
  }
  wire::InvertedEncoder encoder(field_id_, term_flags(tokenizer_.options()), meta_segment_);
  RVF_TRY(encoder.set_docs(sorted));
  std::vector<decltype(terms_)::value_type*> ascending;
  ascending.reserve(terms_.size());
  for (auto& entry : terms_) ascending.push_back(&entry);
  std::sort(ascending.begin(), ascending.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (auto* entry : ascending) {
    auto& [term, postings] = *entry;
    for (wire::InvertedPosting& p : postings) p.ordinal = place[p.ordinal];
    std::sort(postings.begin(), postings.end(),
              [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
    RVF_TRY(encoder.add_term(term, postings));
  }
  terms_.clear();
  docs_.clear();
  return encoder.finish();
}

Result<wire::Bytes> merge_inverted(std::span<const wire::InvertedView> segments,
                                   const Alive& alive) {
  if (segments.empty()) return Error(ErrorCode::kBadArgument, "no inverted segments to merge");
  constexpr uint32_t kDead = 0xFFFFFFFF;
  struct Source {
    uint64_t id;
    uint32_t length;
    size_t segment;
    uint64_t ordinal;
  };
  std::vector<Source> living;
  std::vector<std::vector<uint32_t>> place(segments.size());
  for (size_t s = 0; s < segments.size(); ++s) {
    const wire::InvertedView& v = segments[s];
    if (v.field_id() != segments[0].field_id() || v.flags() != segments[0].flags()) {
      return Error(ErrorCode::kBadArgument, "inverted segments of different fields or term kinds");
    }
    place[s].assign(static_cast<size_t>(v.doc_count()), kDead);
    for (uint64_t i = 0; i < v.doc_count(); ++i) {
      const wire::InvertedDoc d = v.doc(i);
      if (!alive || alive(s, d.id)) living.push_back({d.id, d.length, s, i});
    }
  }
  std::sort(living.begin(), living.end(),
            [](const Source& a, const Source& b) { return a.id < b.id; });
  std::vector<wire::InvertedDoc> docs;
  docs.reserve(living.size());
  for (const Source& d : living) {
    place[d.segment][d.ordinal] = static_cast<uint32_t>(docs.size());
    docs.push_back({d.id, d.length});
  }
  wire::InvertedEncoder encoder(segments[0].field_id(), segments[0].flags());
  RVF_TRY(encoder.set_docs(docs));

  std::vector<wire::InvertedView::TermCursor> cursors;
  std::vector<bool> open;
  for (const wire::InvertedView& v : segments) {
    cursors.push_back(v.terms());
    open.push_back(cursors.back().next());
    if (cursors.back().failed()) return damaged();
  }
  std::vector<wire::InvertedPosting> merged;
  for (;;) {
    const std::string* least = nullptr;
    for (size_t s = 0; s < cursors.size(); ++s) {
      if (open[s] && (!least || cursors[s].term() < *least)) least = &cursors[s].term();
    }
    if (!least) break;
    const std::string term = *least;
    merged.clear();
    for (size_t s = 0; s < cursors.size(); ++s) {
      if (!open[s] || cursors[s].term() != term) continue;
      wire::PostingCursor postings = segments[s].postings(cursors[s].entry());
      for (wire::InvertedPosting p; postings.next(p);) {
        const uint32_t to = place[s][p.ordinal];
        if (to != kDead) merged.push_back({to, p.frequency});
      }
      if (postings.failed()) return damaged();
      open[s] = cursors[s].next();
      if (cursors[s].failed()) return damaged();
    }
    std::sort(merged.begin(), merged.end(),
              [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
    if (!merged.empty()) RVF_TRY(encoder.add_term(term, merged));
  }
  return encoder.finish();
}

Bm25::Bm25(std::span<const wire::InvertedView> segments, Bm25Params params, Alive alive)
    : segments_(segments), params_(params), alive_(std::move(alive)) {
  double length = 0;
  for (const wire::InvertedView& v : segments_) {
    documents_ += v.doc_count();
    length += static_cast<double>(v.total_length());
  }
  average_length_ = documents_ > 0 && length > 0 ? length / static_cast<double>(documents_) : 1;
}

Result<uint64_t> Bm25::document_frequency(std::string_view term) const {
  uint64_t df = 0;
  for (const wire::InvertedView& v : segments_) {
    RVF_ASSIGN(const std::optional<wire::InvertedTerm> found, v.find(term));
    if (found) df += found->document_frequency;
  }
  return df;
}

double Bm25::idf_of(uint64_t document_frequency) const noexcept {
  const auto n = static_cast<double>(documents_);
  const auto df = static_cast<double>(document_frequency);
  return std::log(1 + (n - df + 0.5) / (df + 0.5));
}

Result<double> Bm25::idf(std::string_view term) const {
  RVF_ASSIGN(const uint64_t df, document_frequency(term));
  return idf_of(df);
}

Result<std::vector<ScoredId>> Bm25::search(std::span<const WeightedTerm> terms, size_t n) const {
  std::vector<double> weights;
  for (const WeightedTerm& t : terms) {
    RVF_ASSIGN(const double idf, this->idf(t.term));
    weights.push_back(t.weight * idf);
  }
  std::vector<ScoredId> hits;
  std::vector<double> scores;
  std::vector<uint32_t> touched;
  for (size_t s = 0; s < segments_.size(); ++s) {
    const wire::InvertedView& v = segments_[s];
    scores.assign(static_cast<size_t>(v.doc_count()), 0.0);
    touched.clear();
    for (size_t t = 0; t < terms.size(); ++t) {
      if (weights[t] <= 0) continue;
      RVF_ASSIGN(const std::optional<wire::InvertedTerm> found, v.find(terms[t].term));
      if (!found) continue;
      wire::PostingCursor postings = v.postings(*found);
      for (wire::InvertedPosting p; postings.next(p);) {
        const double tf = p.frequency;
        const double length = v.doc(p.ordinal).length / average_length_;
        const double part = weights[t] * tf * (params_.k1 + 1) /
                            (tf + params_.k1 * (1 - params_.b + params_.b * length));
        if (scores[p.ordinal] == 0) touched.push_back(p.ordinal);
        scores[p.ordinal] += part;
      }
      if (postings.failed()) return damaged();
    }
    for (const uint32_t ordinal : touched) {
      const uint64_t id = v.doc(ordinal).id;
      if (!alive_ || alive_(s, id)) hits.push_back({id, scores[ordinal]});
    }
  }
  order_by_score(hits, n);
  return hits;
}

}  // namespace rvf::meta
