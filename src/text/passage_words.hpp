// BM25 over passages whose words lie in two word indexes, of their texts and of the headings above
// them, counted as if heading and text were one text: frequencies, lengths and document frequencies
// are those of both together. Without headings this is meta::Bm25.
//
// Ownership: borrows the views. Thread-safety: const functions may run in many threads if the
// liveness predicate may. Errors: kCorrupt for damaged indexes. Memory: 8 bytes a passage.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "meta/bm25.hpp"

namespace rvf::text {

class PassageWords {
 public:
  PassageWords(std::span<const wire::InvertedView> texts,
               std::span<const wire::InvertedView> headings, meta::Bm25Params params,
               meta::Alive alive);

  double average_length() const noexcept { return average_length_; }
  Result<double> idf(std::string_view term) const;
  // The n best living passages that hold at least one term.
  Result<std::vector<meta::ScoredId>> search(std::span<const meta::WeightedTerm> terms,
                                             size_t n) const;

 private:
  static constexpr uint32_t kNowhere = UINT32_MAX;
  void place_headings();
  // Adds the frequencies of a term to `counts`, by passage; `touched` lists those that hold it.
  Status count(std::string_view term, std::vector<uint32_t>& counts,
               std::vector<uint32_t>& touched) const;

  std::span<const wire::InvertedView> texts_;
  std::span<const wire::InvertedView> headings_;
  meta::Bm25Params params_;
  meta::Alive alive_;
  meta::Bm25 plain_;  // of the texts
  double average_length_ = 1;
  // Passages are counted through all segments of texts: first_[s] is the first of segment s.
  std::vector<uint32_t> first_;
  std::vector<uint32_t> lengths_;  // of text and heading
  std::vector<std::vector<uint32_t>> places_;  // the passage of each document of `headings`
};

}  // namespace rvf::text
