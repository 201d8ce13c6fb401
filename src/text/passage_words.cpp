#include "text/passage_words.hpp"

#include <algorithm>

namespace rvf::text {
namespace {

Error damaged() { return Error(ErrorCode::kCorrupt, "a word index is damaged"); }

}  // namespace

PassageWords::PassageWords(std::span<const wire::InvertedView> texts,
                           std::span<const wire::InvertedView> headings, meta::Bm25Params params,
                           meta::Alive alive)
    : texts_(texts),
      headings_(headings),
      params_(params),
      alive_(alive),
      plain_(texts, params, std::move(alive)),
      average_length_(plain_.average_length()) {
  if (!headings_.empty()) place_headings();
}

void PassageWords::place_headings() {
  double total = 0;
  for (const wire::InvertedView& v : texts_) {
    first_.push_back(static_cast<uint32_t>(lengths_.size()));
    for (uint64_t i = 0; i < v.doc_count(); ++i) lengths_.push_back(v.doc(i).length);
    total += static_cast<double>(v.total_length());
  }
  for (const wire::InvertedView& v : headings_) {
    std::vector<uint32_t>& places = places_.emplace_back(v.doc_count(), kNowhere);
    // Documents ascend on both sides, so most are found a few steps on.
    constexpr uint64_t kSteps = 64;
    size_t segment = 0;
    uint64_t at = 0;
    for (uint64_t i = 0; i < v.doc_count(); ++i) {
      const wire::InvertedDoc doc = v.doc(i);
      const uint64_t end = texts_.empty() ? 0 : std::min(at + kSteps, texts_[segment].doc_count());
      while (at < end && texts_[segment].doc(at).id < doc.id) ++at;
      bool found = at < end && texts_[segment].doc(at).id == doc.id;
      for (size_t s = 0; s < texts_.size() && !found; ++s) {
        const auto ordinal = texts_[s].ordinal_of(doc.id);
        if (!ordinal) continue;
        segment = s;
        at = *ordinal;
        found = true;
      }
      if (!found) continue;
      places[i] = first_[segment] + static_cast<uint32_t>(at);
      lengths_[places[i]] += doc.length;
      total += doc.length;
    }
  }
  if (!lengths_.empty() && total > 0)
    average_length_ = total / static_cast<double>(lengths_.size());
}

Status PassageWords::count(std::string_view term, std::vector<uint32_t>& counts,
                           std::vector<uint32_t>& touched) const {
  const auto add = [&](uint32_t passage, uint32_t frequency) {
    if (counts[passage] == 0) touched.push_back(passage);
    counts[passage] += frequency;
  };
  wire::InvertedPosting p;
  for (size_t s = 0; s < texts_.size(); ++s) {
    RVF_ASSIGN(const auto found, texts_[s].find(term));
    if (!found) continue;
    wire::PostingCursor postings = texts_[s].postings(*found);
    while (postings.next(p)) add(first_[s] + p.ordinal, p.frequency);
    if (postings.failed()) return damaged();
  }
  for (size_t s = 0; s < headings_.size(); ++s) {
    RVF_ASSIGN(const auto found, headings_[s].find(term));
    if (!found) continue;
    wire::PostingCursor postings = headings_[s].postings(*found);
    while (postings.next(p)) {
      if (places_[s][p.ordinal] != kNowhere) add(places_[s][p.ordinal], p.frequency);
    }
    if (postings.failed()) return damaged();
  }
  return {};
}

Result<double> PassageWords::idf(std::string_view term) const {
  std::vector<uint32_t> headed;  // passages that have the term above them
  wire::InvertedPosting p;
  for (size_t s = 0; s < headings_.size(); ++s) {
    RVF_ASSIGN(const auto found, headings_[s].find(term));
    if (!found) continue;
    wire::PostingCursor postings = headings_[s].postings(*found);
    while (postings.next(p)) {
      if (places_[s][p.ordinal] != kNowhere) headed.push_back(places_[s][p.ordinal]);
    }
    if (postings.failed()) return damaged();
  }
  if (headed.empty()) return plain_.idf(term);
  std::sort(headed.begin(), headed.end());
  headed.erase(std::unique(headed.begin(), headed.end()), headed.end());
  uint64_t holding = headed.size();
  auto next = headed.cbegin();
  for (size_t s = 0; s < texts_.size(); ++s) {
    RVF_ASSIGN(const auto found, texts_[s].find(term));
    if (!found) continue;
    wire::PostingCursor postings = texts_[s].postings(*found);
    while (postings.next(p)) {
      while (next != headed.cend() && *next < first_[s] + p.ordinal) ++next;
      const bool both = next != headed.cend() && *next == first_[s] + p.ordinal;
      holding += both ? 0 : 1;
    }
    if (postings.failed()) return damaged();
  }
  return plain_.idf_of(holding);
}

Result<std::vector<meta::ScoredId>> PassageWords::search(std::span<const meta::WeightedTerm> terms,
                                                         size_t n) const {
  if (headings_.empty()) return plain_.search(terms, n);
  std::vector<uint32_t> counts(lengths_.size());
  std::vector<uint32_t> touched;
  std::vector<double> scores(lengths_.size());
  std::vector<uint32_t> found;
  for (const meta::WeightedTerm& t : terms) {
    touched.clear();
    RVF_TRY(count(t.term, counts, touched));
    const double weight = t.weight * plain_.idf_of(touched.size());
    for (const uint32_t passage : touched) {
      const double tf = counts[passage];
      counts[passage] = 0;
      if (weight <= 0) continue;
      const double length = lengths_[passage] / average_length_;
      if (scores[passage] == 0) found.push_back(passage);
      scores[passage] +=
          weight * tf * (params_.k1 + 1) / (tf + params_.k1 * (1 - params_.b + params_.b * length));
    }
  }
  std::vector<meta::ScoredId> hits;
  for (const uint32_t passage : found) {
    const auto after = std::upper_bound(first_.begin(), first_.end(), passage);
    const auto segment = static_cast<size_t>(after - first_.begin()) - 1;
    const uint64_t id = texts_[segment].doc(passage - first_[segment]).id;
    if (!alive_ || alive_(segment, id)) hits.push_back({id, scores[passage]});
  }
  meta::order_by_score(hits, n);
  return hits;
}

}  // namespace rvf::text
