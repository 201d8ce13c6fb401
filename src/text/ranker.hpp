// Finds the passages that answer a text query: BM25 over words, vector similarity, and feedback
// from the first answers, fused into one order. One fixed program for every collection; the
// defaults of RankingParams were chosen once, over several collections together
// (bench/text_quality.cpp).
//
// The program:
//   1. BM25 with English stems, stop words left out of the query, headings as a second field.
//   2. Feedback: the strongest terms of the best passages join the query with a lower weight (after
//   RM3,
//      Lavrenko and Croft, SIGIR 2001); BM25 again. Needs text_of.
//   3. The query's vector moves towards those passages' vectors (Rocchio, 1971); similarity is
//   measured for
//      its nearest passages and for all candidates of BM25. Needs nearest, vector_of.
//   4. Both scores are scaled to [0, 1] among the candidates and added with fixed weights.
//
// Free of any store: passages are u64 ids, everything about them comes through callbacks. A
// callback that is not set leaves its step out. Ownership: all borrowed for the call.
// Thread-safety: as the callbacks. Errors: those of the callbacks and of damaged segments;
// kBadArgument when n is 0.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meta/bm25.hpp"
#include "rvf/result.hpp"

namespace rvf::text {

using Hit =
    meta::ScoredId;  // for vectors: similarity, more is nearer (cosine, or minus a distance)

struct RankingParams {
  meta::Bm25Params bm25{};
  double heading_weight = 0.2;
  size_t candidates = 400;  // taken from BM25 and from the vectors each
  size_t feedback_passages = 10;
  size_t feedback_terms = 20;
  double feedback_weight = 0.7;  // all added terms together, against the query's own
  double vector_feedback = 0.5;  // how far the query vector moves
  double vector_weight = 0.3;  // of the similarity in the fused score
};

struct Collection {
  std::span<const wire::InvertedView> body;
  std::span<const wire::InvertedView> headings;  // may be empty
  bool body_holds_headings = true;  // false: `body` is of the texts alone, see passage_words.hpp
  meta::Alive alive_body;  // empty: all are
  meta::Alive alive_headings;
  std::function<Result<std::string>(uint64_t id)> text_of;
  std::function<Result<std::vector<Hit>>(std::span<const float> query_vector, size_t n)> nearest;
  // Empty when the passage has no vector.
  std::function<Result<std::vector<float>>(uint64_t id)> vector_of;
};

// The best n, best first; ties by id. `query_vector` may be empty: words alone decide then.
Result<std::vector<Hit>> rank(const Collection& collection, std::string_view query,
                              std::span<const float> query_vector, size_t n,
                              const RankingParams& params = {});

}  // namespace rvf::text
