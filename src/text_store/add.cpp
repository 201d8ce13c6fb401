// Taking files into a text collection.
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "text/folder_walk.hpp"
#include "text/passages.hpp"
#include "text_store/text_store.hpp"
#include "wire/checksum.hpp"

namespace rvf::text_store {
namespace {

constexpr size_t kPassagesPerCommit = 20000;
constexpr size_t kLearnFrom = 5000;  // passages of the first commit that teach the embedder
// A search looks into each part of the rows. Small collections are compacted early; a large one is
// worth it only when many additions have come together.
constexpr size_t kManyParts = 8;
constexpr size_t kTooManyParts = 48;
constexpr uint64_t kSmallCollection = 20000;  // passages
constexpr uint64_t kMaxFileBytes = 16ULL << 20;

// The embedder's unit vector in the store's 8 bits; cosine does not mind the scale.
void quantise(const std::vector<float>& v, int8_t* out) {
  float largest = 0;
  for (const float x : v) largest = std::max(largest, std::fabs(x));
  const float scale = largest > 0 ? 127.0F / largest : 0;
  for (size_t d = 0; d < v.size(); ++d) out[d] = static_cast<int8_t>(std::lround(v[d] * scale));
}

// What the embedder and the word index see of a passage.
std::string indexed_text(const StoredPassage& p) {
  return p.heading.empty() ? p.text : p.heading + "\n" + p.text;
}

struct Candidate {
  std::string path;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
};

}  // namespace

// One add(): walks, compares with the catalog, and commits batch after batch.
class TextStore::Adding {
 public:
  Adding(TextStore& store, const Progress* progress) : t_(store), progress_(progress) {
    for (const FileEntry& f : t_.catalog_.files) known_.emplace(f.path, f);
    next_id_ = t_.store_.status().next_id;
  }

  Status run(const std::vector<std::string>& paths) {
    std::vector<Candidate> candidates;
    for (const std::string& p : paths) RVF_TRY(collect(p, candidates));
    uint64_t done = 0;
    for (const Candidate& c : candidates) {
      RVF_TRY(take(c));
      if (passages_.size() >= kPassagesPerCommit) RVF_TRY(commit());
      if (progress_ != nullptr && !(*progress_)(++done, candidates.size())) {
        RVF_TRY(commit());
        return Error(ErrorCode::kCancelled, "stopped; the files read so far are in the store");
      }
    }
    return commit();
  }

  AddReport report;

 private:
  Status collect(const std::string& given, std::vector<Candidate>& out) {
    std::string root = given;
    while (root.size() > 1 && root.back() == '/') root.pop_back();
    struct stat st{};
    if (::stat(root.c_str(), &st) != 0) {
      return Error(ErrorCode::kNoSuchFile, "there is no file or folder " + given);
    }
    if (S_ISREG(st.st_mode)) {
      out.push_back({root, static_cast<uint64_t>(st.st_size),
                     int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec});
      return {};
    }
    text::WalkOptions options;
    options.max_bytes = kMaxFileBytes;
    RVF_ASSIGN(const text::WalkResult walk, text::walk_folder(root, options));
    report.files_skipped += walk.skipped + walk.unreadable;
    const std::string prefix = root == "/" ? "/" : root + "/";
    std::unordered_set<std::string> present;
    for (const text::FoundFile& f : walk.files) {
      out.push_back({prefix + f.path, f.size, f.mtime_ns});
      present.insert(prefix + f.path);
    }
    for (const auto& [path, entry] : known_) {
      if (!path.starts_with(prefix) || present.contains(path)) continue;
      ++report.files_removed;
      forget(entry);
      gone_.insert(path);
    }
    return {};
  }

  void forget(const FileEntry& entry) {
    for (uint32_t i = 0; i < entry.count; ++i) delete_ids_.push_back(entry.first_id + i);
    report.passages_removed += entry.count;
  }

  Status take(const Candidate& c) {
    const auto known = known_.find(c.path);
    if (known != known_.end() && known->second.size == c.size &&
        known->second.mtime_ns == c.mtime_ns) {
      ++report.files_unchanged;
      return {};
    }
    auto content = text::read_text_file(c.path, kMaxFileBytes);
    if (!content) {
      ++report.files_skipped;  // binary, too large or unreadable: not an error of the whole folder
      return {};
    }
    FileEntry entry{c.path, c.size, c.mtime_ns, wire::xxh3_64(wire::as_bytes(*content)), 0, 0};
    if (known != known_.end() && known->second.content_hash == entry.content_hash) {
      ++report.files_unchanged;
      entry.first_id = known->second.first_id;
      entry.count = known->second.count;
      updated_[c.path] = entry;
      touched_.push_back(entry);
      return {};
    }
    auto document = text::split_text(c.path, *content);
    if (!document) {
      ++report.files_skipped;
      return {};
    }
    if (known != known_.end()) {
      ++report.files_changed;
      forget(known->second);
    } else {
      ++report.files_added;
    }
    report.text_bytes += content->size();
    entry.first_id = next_id_ + passages_.size();
    entry.count = static_cast<uint32_t>(document->passages.size());
    for (text::Passage& p : document->passages) {
      passages_.push_back({c.path, document->title, std::move(p.heading), std::move(p.text),
                           c.mtime_ns, c.size, p.first_line, p.last_line});
    }
    updated_[c.path] = std::move(entry);
    return {};
  }

  // The first commit teaches the embedder, which is then kept: vectors made with other weights
  // would not compare.
  Status learn(std::vector<Attachment>& attach) {
    if (t_.embedder_ || passages_.empty()) return {};
    RVF_ASSIGN(auto embedder, embed::TextEmbedder::create());
    const size_t step = std::max<size_t>(1, passages_.size() / kLearnFrom);
    for (size_t i = 0; i < passages_.size(); i += step) embedder.learn(indexed_text(passages_[i]));
    attach.push_back({kEmbedderSegment, 0, true, embedder.encode()});
    t_.embedder_ = std::move(embedder);
    return {};
  }

  std::vector<int8_t> encode() const {
    const size_t dim = t_.embedder_->dimension();
    std::vector<int8_t> vectors(passages_.size() * dim);
    constexpr size_t kGroup = 128;
    const auto body = [&](size_t, uint64_t begin, uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) {
        quantise(t_.embedder_->embed(indexed_text(passages_[i])), vectors.data() + i * dim);
      }
    };
    if (t_.executor_ != nullptr) {
      t_.executor_->parallel_for(passages_.size(), kGroup, body);
    } else {
      body(0, 0, passages_.size());
    }
    return vectors;
  }

  // Files that have a new time, but the same content.
  std::vector<Column> updates(std::vector<uint64_t>& ids) const {
    std::vector<Column> columns = {{"mtime", FieldType::kTimestamp, {}},
                                   {"size", FieldType::kU64, {}}};
    for (const FileEntry& f : touched_) {
      for (uint32_t i = 0; i < f.count; ++i) {
        ids.push_back(f.first_id + i);
        columns[0].values.emplace_back(f.mtime_ns);
        columns[1].values.emplace_back(f.size);
      }
    }
    return columns;
  }

  Catalog next_catalog() const {
    Catalog c;
    std::unordered_map<std::string, FileEntry> files = known_;
    for (const std::string& path : gone_) files.erase(path);
    for (const auto& [path, entry] : updated_) files[path] = entry;
    for (auto& [path, entry] : files) c.files.push_back(std::move(entry));
    std::sort(c.files.begin(), c.files.end(),
              [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
    return c;
  }

  Status commit() {
    if (passages_.empty() && delete_ids_.empty() && updated_.empty() && gone_.empty()) return {};
    std::vector<Attachment> attach;
    RVF_TRY(learn(attach));
    Catalog catalog = next_catalog();
    attach.push_back({kCatalogSegment, 0, true, encode_catalog(catalog)});

    WriteBatch batch;
    std::vector<int8_t> vectors;
    std::vector<Column> columns;
    if (!passages_.empty()) {
      vectors = encode();
      columns = columns_of(passages_);
      batch.columns = columns;
      batch.vectors = {vectors.data(), DType::kI8, passages_.size(), t_.embedder_->dimension()};
    }
    std::vector<uint64_t> update_ids;
    const std::vector<Column> update_columns = updates(update_ids);
    if (!update_ids.empty()) {
      batch.update_ids = update_ids;
      batch.update_columns = update_columns;
    }
    std::vector<uint64_t> detach;
    if (t_.catalog_segment_) detach.push_back(*t_.catalog_segment_);
    batch.delete_ids = delete_ids_;
    batch.attach = attach;
    batch.detach = detach;
    RVF_ASSIGN(const WriteReport written, t_.store_.write(batch));
    report.passages_added += passages_.size();
    t_.catalog_ = std::move(catalog);
    t_.catalog_segment_ = written.attached.back();
    known_.clear();
    for (const FileEntry& f : t_.catalog_.files) known_.emplace(f.path, f);
    next_id_ = t_.store_.status().next_id;
    passages_.clear();
    delete_ids_.clear();
    updated_.clear();
    touched_.clear();
    gone_.clear();
    return {};
  }

  TextStore& t_;
  const Progress* progress_;
  std::unordered_map<std::string, FileEntry> known_;  // the catalog as committed
  std::unordered_map<std::string, FileEntry> updated_;  // in this batch
  std::vector<FileEntry> touched_;
  std::unordered_set<std::string> gone_;
  std::vector<StoredPassage> passages_;
  std::vector<uint64_t> delete_ids_;
  uint64_t next_id_ = 0;
};

Result<AddReport> TextStore::add(const std::vector<std::string>& paths,
                                 const Progress* files_progress, const Progress* index_progress) {
  Adding adding(*this, files_progress);
  RVF_TRY(adding.run(paths));
  RVF_TRY(reload());
  RVF_TRY(tidy(index_progress));
  RVF_TRY(reload());
  return adding.report;
}

Status TextStore::tidy(const Progress* index_progress) {
  const StoreStatus status = store_.status();
  const size_t parts = texts_->views().size();
  const bool small = status.vectors <= kSmallCollection;
  if (parts <= (small ? kManyParts : kTooManyParts) && status.deleted <= status.vectors) {
    UpkeepOptions options;
    options.progress = index_progress;
    RVF_TRY(store_.upkeep(options));
    return {};
  }
  CompactOptions options;
  options.progress = index_progress;
  RVF_TRY(store_.compact(options));
  return {};
}

}  // namespace rvf::text_store
