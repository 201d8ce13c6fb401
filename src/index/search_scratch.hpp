// The inside of SearchScratch: the working memory of whichever index searches.
#pragma once
#include "index/beam.hpp"
#include "index/fused_searcher.hpp"
#include "index/index.hpp"
#include "index/key_pool.hpp"
#include "index/sign_codes.hpp"

namespace rvf::index {

struct SearchScratch::Impl {
  VisitedMarks visited;
  BeamPool pool;
  FusedSearcher fused;
  std::vector<float> vector;
  std::vector<float> placed;
  std::vector<uint64_t> candidates;
  float within = 0;  // the k-th distance of what a graph found, in its space
  KeyPool heads;
  KeyPool codes;
  std::vector<uint64_t> scanned;
  std::vector<uint64_t> open;
  std::vector<const uint64_t*> passing;
  std::vector<const uint64_t*> dead;
  SignQuery signs;
  std::vector<SignBounds> bounds;
  std::vector<uint32_t> numbers;
  std::vector<const std::byte*> rows;
  std::vector<float> distances;
};

}  // namespace rvf::index
