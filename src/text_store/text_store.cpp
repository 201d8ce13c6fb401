#include "text_store/text_store.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "text_store/add.hpp"
#include "types/segment.hpp"
#include "wire/checksum.hpp"

namespace rvf::text_store {
namespace {

constexpr const char* kApplication = "rvf-text 1";

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
  if (store.status().application != kApplication) {
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
  for (const SegmentInfo& s : snapshot.segments()) {
    if (s.type == kCatalogSegment) {
      RVF_ASSIGN(const auto payload, snapshot.payload(s.segment_id));
      RVF_ASSIGN(catalog_, decode_catalog(payload));
      catalog_segment_ = s.segment_id;
    } else if (s.type == kEmbedderSegment && !embedder_) {
      RVF_ASSIGN(const auto payload, snapshot.payload(s.segment_id));
      RVF_ASSIGN(embedder_, embed::TextEmbedder::decode(payload));
    }
  }
  RVF_TRY(open_indexes(snapshot));
  RVF_ASSIGN(reader_, PassageReader::open(snapshot, catalog_));
  snapshot_ = std::move(snapshot);
  return {};
}

Status TextStore::open_indexes(const Snapshot& snapshot) {
  body_.clear();
  headings_.clear();
  for (const SegmentInfo& s : snapshot.segments()) {
    if (s.type != static_cast<uint8_t>(SegmentType::kMetaIdx)) continue;
    RVF_ASSIGN(const auto bytes, snapshot.mapped(s.segment_id));
    RVF_ASSIGN(const auto view, wire::InvertedView::open(bytes));
    (view.field_id() == kBodyField ? body_ : headings_).push_back(view);
  }
  return {};
}

Result<std::vector<SearchHit>> TextStore::search(std::string_view words, size_t k) {
  if (k == 0) return Error(ErrorCode::kBadK, "k must be at least 1");
  if (!embedder_) return std::vector<SearchHit>();
  const Snapshot& snapshot = *snapshot_;
  text::Collection c;
  c.body = body_;
  c.headings = headings_;
  if (store_.status().deleted > 0) {
    c.alive_body = c.alive_headings = [&](size_t, uint64_t id) { return snapshot.contains(id); };
  }
  c.text_of = [&](uint64_t id) -> Result<std::string> {
    RVF_ASSIGN(StoredPassage p, reader_->read(id));
    return std::move(p.text);
  };
  c.nearest = [&](std::span<const float> v, size_t n) -> Result<std::vector<text::Hit>> {
    RVF_ASSIGN(const QueryResult r, snapshot.query(v, {.k = static_cast<uint32_t>(n),
                                                       .ef = static_cast<uint32_t>(n + n / 2)}));
    std::vector<text::Hit> hits;
    for (const Neighbor& neighbor : r.neighbors)
      hits.push_back({neighbor.id, 1.0 - double{neighbor.distance}});
    return hits;
  };
  c.vector_of = [&](uint64_t id) { return unit_vector(snapshot, id); };
  const std::vector<float> query = embedder_->embed(words);

  // Packages repeat each other's texts; the reader wants each once.
  RVF_ASSIGN(const auto ranked, text::rank(c, words, query, k * 4));
  std::vector<SearchHit> hits;
  std::unordered_map<uint64_t, size_t> seen;
  for (const text::Hit& h : ranked) {
    RVF_ASSIGN(StoredPassage p, reader_->read(h.id));
    const auto [at, fresh] = seen.emplace(wire::xxh3_64(wire::as_bytes(p.text)), hits.size());
    if (!fresh) {
      if (at->second < hits.size()) ++hits[at->second].duplicates;
      continue;
    }
    if (hits.size() < k) {
      hits.push_back({h.id, h.score, std::move(p), 0});
    }
  }
  return hits;
}

}  // namespace rvf::text_store
