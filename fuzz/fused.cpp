// A payload that parses is also searched, with a row for every node that it speaks of.
#include "wire/fused_codec.hpp"

#include <algorithm>
#include <cmath>

#include "fuzz.hpp"
#include "index/graph.hpp"

namespace {

using namespace rvf;  // NOLINT: a program of one function

constexpr uint64_t kMostNodes = 4096;
constexpr uint32_t kMostDimensions = 512;

void search(const index::Index& graph, const wire::FusedHeader& h, uint32_t k, float far) {
  const std::vector<std::byte> zeros((vector_bytes(DType::kF32, h.dim) + 63) / 64 * 64);
  index::RowTable rows;
  index::RowRun run;  // without a stride: all are the same row
  run.count = h.first_row + h.total_nodes;
  run.base = zeros.data();
  fuzz::require(rows.append_run(run).ok());

  std::vector<float> vector(h.dim);
  for (size_t i = 0; i < vector.size(); ++i) vector[i] = far * std::sin(static_cast<float>(i + 1));
  const auto query = kernels::prepare(vector, h.metric, DType::kF32, h.dim);
  if (!query) return;
  index::DeadRows dead;
  dead.set(h.first_row);
  index::SearchScratch scratch;
  for (const int way : {0, 1, 2, 3}) {
    const bool by_codes = way >= 2;
    const bool with_dead = way % 2 == 1;
    index::SearchRequest request;
    request.query = &*query;
    request.vector = vector;
    request.rows = &rows;
    if (with_dead) request.dead = &dead;
    request.params.k = k;
    request.params.walk = !by_codes;
    request.params.codes = by_codes;
    index::SearchResult result;
    fuzz::require(graph.search(request, scratch, result).ok());
    fuzz::require(result.hits.size() <= k);
    std::vector<uint64_t> seen;
    for (const index::Hit& hit : result.hits) {
      fuzz::require(hit.row < rows.size());
      fuzz::require(!with_dead || !dead.test(hit.row));
      seen.push_back(hit.row);
    }
    std::sort(seen.begin(), seen.end());
    fuzz::require(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  }
}

}  // namespace

RVF_FUZZ {
  const auto view = wire::parse_fused(input);
  if (!view) return;
  const wire::FusedHeader& h = view->header;
  fuzz::require(h.calibration.size() <= wire::kMaxCalibrationPoints);
  const auto graph = index::open_fused({input});
  if (!graph || h.total_nodes > kMostNodes || h.first_row > kMostNodes) return;
  if (h.dim > kMostDimensions || h.metric == Metric::kHamming) return;
  for (const uint32_t k : {1U, 10U, 200U}) {
    for (const float far : {1.0F, 1e6F}) search(**graph, h, k, far);
  }
}
