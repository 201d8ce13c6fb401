// BM25 over the inverted segments of a collection, and the builder and the merge of such segments.
//
// score = sum over query terms of weight * idf * tf (k1 + 1) / (tf + k1 (1 - b + b dl / avgdl)),
// with idf = ln(1 + (N - df + 0.5) / (df + 0.5)): Robertson et al., "Okapi at TREC-3", with the idf
// of Lucene, which is never negative. N, df and avgdl are sums over all segments, deleted documents
// included until a merge drops them.
//
// Ownership: a Bm25 borrows the views and through them the segments' bytes. Thread-safety: const
// functions of one Bm25 may run in many threads if the liveness predicate may.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "meta/tokenizer.hpp"
#include "rvf/result.hpp"
#include "wire/metaidx_inverted.hpp"

namespace rvf::meta {

struct Bm25Params {
  double k1 = 1.2;
  double b = 0.75;
};

struct WeightedTerm {
  std::string term;  // as the tokenizer gives it
  double weight = 1;
};

struct ScoredId {
  uint64_t id = 0;
  double score = 0;
  friend bool operator==(const ScoredId&, const ScoredId&) = default;
};

// Whether the passage in that segment (its position in the span given) is the living one.
using Alive = std::function<bool(size_t segment, uint64_t id)>;

// Higher score first, then lower id; scores are compared after rounding to 12 digits, so that an
// order does not hang on the last bit of a logarithm. Keeps the first n.
void order_by_score(std::vector<ScoredId>& hits, size_t n);

// Terms of a query with how often each stands there. Stop words are left out unless nothing else is
// left.
std::vector<WeightedTerm> query_terms(const Tokenizer& tokenizer, std::string_view text);

// Memory: about the size of the text added. Errors: kDuplicateId.
class InvertedIndexBuilder {
 public:
  // `meta_segment`: the META segment whose rows the ids are; 0 where they are ids of vectors.
  explicit InvertedIndexBuilder(uint16_t field_id, TokenizerOptions options = {},
                                uint64_t meta_segment = 0);
  void add(uint64_t id, std::string_view text);
  size_t size() const noexcept { return docs_.size(); }
  Result<wire::Bytes> finish();  // the payload of a METAIDX_SEG; the builder is spent

 private:
  uint16_t field_id_;
  uint64_t meta_segment_;
  Tokenizer tokenizer_;
  std::vector<wire::InvertedDoc> docs_;  // in the order added
  std::unordered_map<std::string, std::vector<wire::InvertedPosting>> terms_;
  std::vector<Token> tokens_;
};

// One segment of many, of the same field and flags, without the documents that are not alive.
Result<wire::Bytes> merge_inverted(std::span<const wire::InvertedView> segments,
                                   const Alive& alive = {});

class Bm25 {
 public:
  // Segments of one field. An empty `alive` means all of them.
  Bm25(std::span<const wire::InvertedView> segments, Bm25Params params = {}, Alive alive = {});

  uint64_t documents() const noexcept { return documents_; }
  double average_length() const noexcept { return average_length_; }
  Result<uint64_t> document_frequency(std::string_view term) const;
  Result<double> idf(std::string_view term) const;
  double idf_of(uint64_t document_frequency) const noexcept;

  // The n best living documents that hold at least one term.
  Result<std::vector<ScoredId>> search(std::span<const WeightedTerm> terms, size_t n) const;

 private:
  std::span<const wire::InvertedView> segments_;
  Bm25Params params_;
  Alive alive_;
  uint64_t documents_ = 0;
  double average_length_ = 0;
};

}  // namespace rvf::meta
