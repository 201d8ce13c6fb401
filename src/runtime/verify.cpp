#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "index/graph.hpp"
#include "kernels/convert.hpp"
#include "runtime/store_impl.hpp"
#include "runtime/verify_metadata.hpp"
#include "wire/vec_codec.hpp"

namespace rvf {
namespace {

class Verifier {
 public:
  Verifier(const Snapshot::Impl& snapshot, const VerifyOptions& options)
      : snapshot_(snapshot), options_(options) {}

  Result<VerifyReport> run() {
    uint64_t total = 0;
    for (const wire::DirEntry& e : snapshot_.directory) total += e.payload_length;
    for (const wire::DirEntry& e : snapshot_.directory) {
      check_segment(e);
      report_.bytes += e.payload_length;
      ++report_.segments;
      if (options_.progress != nullptr && !(*options_.progress)(report_.bytes, total)) {
        return Error(ErrorCode::kCancelled, "the verification was stopped");
      }
    }
    if (snapshot_.state.index != nullptr && snapshot_.state.index->graph == nullptr) {
      problem(Error(ErrorCode::kCorrupt,
                    "the index cannot be used: " + snapshot_.state.index->problem));
    }
    runtime::verify_metadata(snapshot_, options_.deep, report_.problems);
    if (options_.deep) {
      check_codes();
      check_rows();
      check_ids();
      check_graph();
    }
    RVF_TRY(snapshot_.state.intact());
    return std::move(report_);
  }

 private:
  void problem(Error e) { report_.problems.push_back(std::move(e)); }

  void check_segment(const wire::DirEntry& entry) {
    auto view = snapshot_.state.verified_segment(entry);
    if (!view) return problem(std::move(view).error());
    if (!options_.deep || entry.type != SegmentType::kVec) return;
    if (auto blocks = wire::parse_vec(view->payload, true); !blocks) {
      Error e = std::move(blocks).error();
      e.segment_id = entry.segment_id;
      e.file_offset = entry.offset;
      problem(std::move(e));
    }
  }

  // What stands beside the code of a row makes sense; a query takes the row for zeros otherwise.
  void check_codes() {
    for (const auto& segment : snapshot_.state.segments) {
      for (const runtime::VecSegment::Block& b : segment->blocks()) {
        if (b.lazy == nullptr) continue;
        uint64_t i = 0;
        while (i < b.wire.count && b.lazy->is_whole(i)) ++i;
        if (i == b.wire.count) continue;
        problem(Error(ErrorCode::kCorrupt,
                      "the code of the vector with id " +
                          std::to_string(b.wire.ids.at(static_cast<size_t>(i))) +
                          " names no centroid, or a length that is none",
                      segment->entry().segment_id));
      }
    }
  }

  // Every stored number is finite.
  void check_rows() {
    const runtime::LiveState& s = snapshot_.state;
    if (s.dtype != DType::kF32 && s.dtype != DType::kF16 && s.dtype != DType::kBF16) return;
    std::vector<float> values(s.dimension);
    for (uint64_t row = 0; row < s.rows.size(); ++row) {
      if (!kernels::decode_row(s.rows[row], s.dtype, values)) continue;
      for (const float v : values) {
        if (std::isfinite(v)) continue;
        problem(Error(ErrorCode::kNotFinite,
                      "the vector with id " + std::to_string(s.id_of(row)) + " is not finite",
                      s.segment_of(row).entry().segment_id));
        break;
      }
    }
  }

  // Live ids are unique, lie in the range that the row map states, and are found by the id index.
  void check_ids() {
    const runtime::LiveState& s = snapshot_.state;
    std::vector<uint64_t> all;
    std::vector<uint64_t> ids;
    for (const auto& segment : s.segments) {
      const wire::RowMapEntry& r = segment->rows();
      ids.clear();
      segment->copy_ids(ids);
      for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] < r.min_id || ids[i] > r.max_id) {
          problem(Error(ErrorCode::kCorrupt,
                        "id " + std::to_string(ids[i]) + " lies outside its segment's range",
                        r.segment_id));
          break;
        }
        if (!s.dead.test(r.first_row + i)) all.push_back(ids[i]);
      }
    }
    std::sort(all.begin(), all.end());
    const auto twice = std::adjacent_find(all.begin(), all.end());
    if (twice != all.end()) {
      problem(Error(ErrorCode::kCorrupt, "id " + std::to_string(*twice) + " is live twice"));
    }
  }

  // Walks the graph: a sample of the stored vectors has to be found by itself.
  void check_graph() {
    const runtime::LiveState& s = snapshot_.state;
    if (s.index == nullptr || s.index->graph == nullptr) return;
    const index::GraphSpans spans{s.index->layer_c, s.index->fused};
    if (Status whole = index::check_index(spans); !whole) problem(std::move(whole).error());
    constexpr uint64_t kSamples = 1000;
    const uint64_t step = std::max<uint64_t>(1, s.index->rows / kSamples);
    index::SearchScratch scratch;
    std::vector<float> vector(s.dimension);
    uint64_t asked = 0;
    uint64_t bad_lists = 0;
    uint64_t missed = 0;
    for (uint64_t row = 0; row < s.index->rows; row += step) {
      if (s.dead.test(row) || !kernels::decode_row(s.rows[row], s.dtype, vector)) continue;
      auto prepared = kernels::prepare(vector, s.metric, s.dtype, s.dimension);
      if (!prepared) continue;
      index::SearchRequest request;
      request.query = &*prepared;
      request.vector = vector;
      request.rows = &s.rows;
      request.dead = &s.dead;
      request.params.k = 10;
      request.params.walk = true;  // a scan of all rows would say nothing about the index
      index::SearchResult result;
      if (const Status done = s.index->graph->search(request, scratch, result); !done) {
        return problem(
            Error(ErrorCode::kCorrupt, "the index cannot be searched: " + done.error().message));
      }
      ++asked;
      bad_lists += result.stats.bad_lists;
      const float own = prepared->distance(s.rows[row]);
      missed += result.hits.empty() || result.hits.front().distance > own;
    }
    if (bad_lists > 0) {
      problem(
          Error(ErrorCode::kCorrupt, "the index has damaged neighbour lists; run `rvf compact`"));
    }
    if (missed * 20 > asked) {
      problem(Error(ErrorCode::kQualityDegraded, "the index misses " + std::to_string(missed) +
                                                     " of " + std::to_string(asked) +
                                                     " sampled vectors; run `rvf compact`"));
    }
  }

  const Snapshot::Impl& snapshot_;
  const VerifyOptions& options_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> Store::Impl::verify(const VerifyOptions& verify_options) const {
  RVF_ASSIGN(const auto snapshot, snapshot_impl());
  return Verifier(*snapshot, verify_options).run();
}

}  // namespace rvf
