#include "text_store/text_store.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "wire/checksum.hpp"

namespace rvf::text_store {
namespace {

constexpr const char* kAnyVersion = "rvf-text ";
constexpr const char* kApplication = "rvf-text 3";

Result<std::vector<float>> unit_vector(const Snapshot& snapshot, uint64_t id) {
  auto v = snapshot.get(id);
  if (!v) {
    if (v.error().code == ErrorCode::kNotFound) return std::vector<float>();
    return std::move(v).error();
  }
  double sum = 0;
  for (const float x : *v) sum += double{x} * double{x};
  const auto scale = static_cast<float>(sum > 0 ? 1 / std::sqrt(sum) : 0);
  for (float& x : *v) x *= scale;
  return v;
}

}  // namespace

Result<TextStore> TextStore::create(const std::string& path, const OpenOptions& options) {
  CreateOptions c;
  c.dimension = embed::kDefaultTextDimension;
  c.metric = Metric::kCosine;
  c.dtype = DType::kI8;
  c.application = kApplication;
  c.fields = passage_fields();
  OpenOptions manual = options;
  manual.index_policy = IndexPolicy::kManual;
  RVF_ASSIGN(Store store, Store::create(path, c, manual));
  RVF_ASSIGN(TextStore t, load(std::move(store)));
  t.keep_executor_ = options.executor;
  t.executor_ = options.executor.get();
  return t;
}

Result<TextStore> TextStore::open(const std::string& path, const OpenOptions& options) {
  OpenOptions manual = options;
  manual.index_policy = IndexPolicy::kManual;
  RVF_ASSIGN(Store store, Store::open(path, manual));
  RVF_ASSIGN(TextStore t, load(std::move(store)));
  t.keep_executor_ = options.executor;
  t.executor_ = options.executor.get();
  return t;
}

Result<TextStore> TextStore::open_readonly(const std::string& path, const OpenOptions& options) {
  RVF_ASSIGN(Store store, Store::open_readonly(path, options));
  return load(std::move(store));
}

Result<TextStore> TextStore::load(Store store) {
  const std::string application = store.status().application;
  if (application != kApplication && application.starts_with(kAnyVersion)) {
    return Error(ErrorCode::kBadMetadata,
                 "the text collection has the layout of another version of rvf; `rvf text add` "
                 "into a new file makes it anew");
  }
  if (application != kApplication) {
    return Error(
        ErrorCode::kBadMetadata,
        "the store holds vectors but no text collection; `rvf text add` makes one in a new file");
  }
  TextStore t(std::move(store));
  RVF_TRY(t.reload());
  return t;
}

Status TextStore::reload() {
  RVF_ASSIGN(auto snapshot, store_.snapshot());
  catalog_ = {};
  catalog_segment_ = std::nullopt;
  RVF_ASSIGN(const std::vector<SegmentInfo> segments, snapshot.segments());
  for (const SegmentInfo& s : segments) {
    if (s.type == kCatalogSegment) {
      RVF_ASSIGN(const auto payload, snapshot.payload(s.segment_id));
      RVF_ASSIGN(catalog_, decode_catalog(payload));
      catalog_segment_ = s.segment_id;
    } else if (s.type == kEmbedderSegment && !embedder_) {
      RVF_ASSIGN(const auto payload, snapshot.payload(s.segment_id));
      RVF_ASSIGN(embedder_, embed::TextEmbedder::decode(payload));
    }
  }
  RVF_ASSIGN(texts_, runtime::WordIndexes::open(snapshot, kTextField));
  RVF_ASSIGN(headings_, runtime::WordIndexes::open(snapshot, kHeadingField));
  snapshot_ = std::move(snapshot);
  return {};
}

// The ranking knows passages by their rows, since word indexes do.
Result<std::vector<SearchHit>> TextStore::search(std::string_view words, size_t k,
                                                 const std::string& filter) {
  if (k == 0) return Error(ErrorCode::kBadK, "k must be at least 1");
  const Snapshot& snapshot = *snapshot_;
  RVF_ASSIGN(const auto rows, runtime::SnapshotRows::open(snapshot, filter));
  if (!embedder_) return std::vector<SearchHit>();
  text::Collection c;
  c.body = texts_->views();
  c.headings = headings_->views();
  c.body_holds_headings = false;
  c.alive_body = [&](size_t view, uint64_t row) {
    return rows.test(row) && texts_->is_current(view, row);
  };
  c.alive_headings = [&](size_t view, uint64_t row) {
    return rows.test(row) && headings_->is_current(view, row);
  };
  c.text_of = [&](uint64_t row) -> Result<std::string> {
    const uint64_t id = rows.id_of(row);
    RVF_ASSIGN(const auto values, snapshot.values(std::span(&id, 1), kTextField));
    const auto* text = std::get_if<std::string>(&values[0]);
    return text == nullptr ? std::string() : *text;
  };
  c.nearest = [&](std::span<const float> v, size_t n) -> Result<std::vector<text::Hit>> {
    RVF_ASSIGN(const QueryResult r, snapshot.query(v, {.k = static_cast<uint32_t>(n),
                                                       .ef = static_cast<uint32_t>(n + n / 2),
                                                       .filter = filter}));
    std::vector<text::Hit> hits;
    for (const Neighbor& neighbor : r.neighbors) {
      RVF_ASSIGN(const uint64_t row, rows.row_of(neighbor.id));
      hits.push_back({row, 1.0 - double{neighbor.distance}});
    }
    return hits;
  };
  c.vector_of = [&](uint64_t row) { return unit_vector(snapshot, rows.id_of(row)); };
  const std::vector<float> query = embedder_->embed(words);

  // Packages repeat each other's texts; the reader wants each once.
  RVF_ASSIGN(const auto ranked, text::rank(c, words, query, k * 4));
  std::vector<uint64_t> ids;
  for (const text::Hit& h : ranked) ids.push_back(rows.id_of(h.id));
  RVF_ASSIGN(auto passages, read_passages(snapshot, ids));
  std::vector<SearchHit> hits;
  std::unordered_map<uint64_t, size_t> seen;
  for (size_t i = 0; i < ranked.size(); ++i) {
    StoredPassage& p = passages[i];
    const auto [at, fresh] = seen.emplace(wire::xxh3_64(wire::as_bytes(p.text)), hits.size());
    if (!fresh) {
      if (at->second < hits.size()) ++hits[at->second].duplicates;
      continue;
    }
    if (hits.size() < k) hits.push_back({ids[i], ranked[i].score, std::move(p), 0});
  }
  return hits;
}

}  // namespace rvf::text_store
