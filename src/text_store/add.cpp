// Taking files into a text collection.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <ranges>
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

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string below(const std::string& root, const std::string& relative) {
  if (relative.empty()) return root;
  return root == "/" ? root + relative : root + "/" + relative;
}

std::string bare_reason(const std::string& path, const std::string& message) {
  return message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
}

Error no_such(const std::string& given) {
  return Error(ErrorCode::kNoSuchFile, "there is no file or folder '" + given + "'");
}

struct Candidate {
  std::string path;
  text::FileStamp stamp;
};

}  // namespace

Result<std::string> resolve_root(const std::string& given, bool may_be_gone) {
  std::error_code error;
  std::string path = std::filesystem::canonical(given, error).string();
  if (error && may_be_gone) {
    path = std::filesystem::weakly_canonical(std::filesystem::absolute(given), error).string();
  }
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (!error) return path;
  if (given.empty() || error == std::errc::no_such_file_or_directory ||
      error == std::errc::not_a_directory) {
    return no_such(given);
  }
  const bool denied = error == std::errc::permission_denied;
  return Error(denied ? ErrorCode::kPermission : ErrorCode::kIo, given + ": " + error.message());
}

// One add(): walks, compares with the catalog, and commits batch after batch.
class TextStore::Adding {
 public:
  Adding(TextStore& store, const AddOptions& options)
      : t_(store), options_(options), started_ns_(now_ns()) {
    for (const FileEntry& f : t_.catalog_.files) known_.emplace(f.path, f);
    next_id_ = t_.store_.status().next_id;
  }

  Status run(const std::vector<std::string>& paths) {
    for (const std::string& p : paths) RVF_TRY(collect(p));
    for (const Candidate& c : candidates_) {
      RVF_TRY(go_on());
      RVF_TRY(take(c));
      ++done_;
      if (passages_.size() >= kPassagesPerCommit) RVF_TRY(commit());
    }
    RVF_TRY(go_on());
    return commit();
  }

  AddReport report;

 private:
  Status go_on() const {
    if (options_.files_progress == nullptr ||
        (*options_.files_progress)(done_, candidates_.size())) {
      return {};
    }
    return Error(ErrorCode::kCancelled, "stopped; the store is as the last commit left it");
  }

  // The known files below the folder.
  auto known_below(const std::string& folder) const {
    const std::string prefix = folder == "/" ? folder : folder + "/";
    const auto first = known_.lower_bound(prefix);
    auto last = first;
    while (last != known_.end() && last->first.starts_with(prefix)) ++last;
    return std::ranges::subrange(first, last);
  }

  Status collect(const std::string& given) {
    RVF_ASSIGN(const std::string root, resolve_root(given, options_.allow_empty));
    struct stat st{};
    text::WalkResult walk;
    if (::stat(root.c_str(), &st) == 0) {
      if (S_ISREG(st.st_mode)) {
        if (seen_.insert(root).second) candidates_.push_back({root, text::stamp_of(st)});
        return {};
      }
      if (!S_ISDIR(st.st_mode)) {
        return Error(ErrorCode::kBadArgument, root + ": neither a file nor a folder");
      }
      text::WalkOptions options;
      options.max_bytes = options_.read.max_bytes;
      options.progress = options_.files_progress;
      RVF_ASSIGN(walk, text::walk_folder(root, options));
    } else if (known_below(root).empty() && !known_.contains(root)) {
      return no_such(given);
    }
    RVF_TRY(forget_vanished(root, walk));
    for (text::LeftOut& l : walk.left_out) {
      skip(below(root, l.path), std::move(l.reason), l.as);
    }
    for (const text::FoundFile& f : walk.files) {
      std::string path = below(root, f.path);
      if (seen_.insert(path).second) candidates_.push_back({std::move(path), f.stamp});
    }
    return {};
  }

  // What was in the folder and is not; but what was not looked at is not gone.
  Status forget_vanished(const std::string& root, text::WalkResult& walk) {
    std::unordered_set<std::string> present;
    for (const text::FoundFile& f : walk.files) present.insert(below(root, f.path));
    if (!options_.allow_empty) keep_unmounted(root, walk);
    std::unordered_set<std::string> unseen;
    for (const text::LeftOut& l : walk.left_out) {
      if (l.as != text::LeftOutAs::kNoText) unseen.insert(below(root, l.path));
    }
    std::vector<const FileEntry*> vanished;
    const auto itself = known_.find(root);  // a file that is a folder now, or gone
    if (itself != known_.end()) vanished.push_back(&itself->second);
    for (const auto& [path, entry] : known_below(root)) {
      if (present.contains(path)) continue;
      if (is_below_one_of(unseen, path)) {
        report.files_kept += kept_.insert(path).second;
      } else {
        vanished.push_back(&entry);
      }
    }
    if (walk.files.empty() && !vanished.empty() && !options_.allow_empty) {
      return Error(ErrorCode::kNotFound,
                   root + " holds no text any more, but the store has " +
                       std::to_string(vanished.size()) +
                       " of its files; if no disk is missing, --allow-empty removes them");
    }
    for (const FileEntry* entry : vanished) remove(*entry);
    return {};
  }

  // An empty folder that nobody emptied since its files were seen: something was mounted there.
  void keep_unmounted(const std::string& root, text::WalkResult& walk) const {
    for (const text::EmptyFolder& e : walk.empty) {
      const bool had_files = !known_below(below(root, e.path)).empty();
      if (e.path.empty() || !had_files || e.mtime_ns >= t_.catalog_.looked_ns) continue;
      walk.left_out.push_back(
          {e.path, "empty, although nothing was removed from it: is a disk not mounted?",
           text::LeftOutAs::kUnreadable});
    }
  }

  static bool is_below_one_of(const std::unordered_set<std::string>& folders, std::string path) {
    while (!path.empty()) {
      if (folders.contains(path)) return true;
      path.resize(path.find_last_of('/'));
    }
    return false;
  }

  void skip(const std::string& path, std::string reason, text::LeftOutAs as) {
    if (skipped_.insert(path).second) report.skipped.push_back({path, std::move(reason), as});
  }

  void remove(const FileEntry& entry) {
    if (!gone_.insert(entry.path).second) return;
    ++report.files_removed;
    forget(entry);
  }

  void forget(const FileEntry& entry) {
    for (uint32_t i = 0; i < entry.count; ++i) delete_ids_.push_back(entry.first_id + i);
    report.passages_removed += entry.count;
  }

  // A file that did not read: it is named, and stays as it was unless it is no text any more.
  void leave(const Candidate& c, const FileEntry* known, const Error& error) {
    const bool unseen = error.code != ErrorCode::kUnsupported;
    skip(c.path, bare_reason(c.path, error.message),
         unseen ? text::LeftOutAs::kUnreadable : text::LeftOutAs::kNoText);
    if (known == nullptr) return;
    if (unseen) {
      report.files_kept += kept_.insert(c.path).second;
    } else {
      remove(*known);
    }
  }

  Status take(const Candidate& c) {
    const auto at = known_.find(c.path);
    const FileEntry* known = at == known_.end() ? nullptr : &at->second;
    if (known != nullptr && !options_.read.encoding && known->changed_ns != 0 &&
        text::FileStamp{known->size, known->mtime_ns, known->changed_ns} == c.stamp) {
      ++report.files_unchanged;
      return {};
    }
    const auto file = text::read_text_file(c.path, options_.read);
    if (!file) {
      if (file.error().code == ErrorCode::kOutOfMemory) return file.error();
      leave(c, known, file.error());
      return {};
    }
    FileEntry entry{c.path,
                    file->stamp.size,
                    file->stamp.mtime_ns,
                    file->settled ? file->stamp.changed_ns : 0,
                    wire::xxh3_64(wire::as_bytes(file->title + file->text)),
                    0,
                    0};
    if (known != nullptr && known->content_hash == entry.content_hash) {
      ++report.files_unchanged;
      entry.first_id = known->first_id;
      entry.count = known->count;
      if (entry.size != known->size || entry.mtime_ns != known->mtime_ns) touched_.push_back(entry);
      if (entry != *known) updated_[c.path] = std::move(entry);
      return {};
    }
    RVF_ASSIGN(text::Document document, text::split_file(c.path, *file));
    if (known != nullptr) {
      ++report.files_changed;
      forget(*known);
    } else {
      ++report.files_added;
    }
    report.text_bytes += file->text.size();
    entry.first_id = next_id_ + passages_.size();
    entry.count = static_cast<uint32_t>(document.passages.size());
    for (text::Passage& p : document.passages) {
      passages_.push_back({c.path, document.title, std::move(p.heading), std::move(p.text),
                           entry.mtime_ns, entry.size, p.first_line, p.last_line});
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

  Result<std::vector<int8_t>> encode() const {
    const size_t dim = t_.embedder_->dimension();
    std::vector<int8_t> vectors(passages_.size() * dim);
    constexpr size_t kGroup = 128;
    const auto body = [&](size_t, uint64_t begin, uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) {
        quantise(t_.embedder_->embed(indexed_text(passages_[i])), vectors.data() + i * dim);
      }
    };
    constexpr size_t kStep = 16 * kGroup;  // some ten milliseconds
    for (size_t from = 0; from < passages_.size(); from += kStep) {
      RVF_TRY(go_on());
      const size_t n = std::min(kStep, passages_.size() - from);
      const auto shifted = [&](size_t worker, uint64_t begin, uint64_t end) {
        body(worker, from + begin, from + end);
      };
      if (t_.executor_ != nullptr) {
        t_.executor_->parallel_for(n, kGroup, shifted);
      } else {
        shifted(0, 0, n);
      }
    }
    return vectors;
  }

  // Files that have a new time, but the same content. Passages that somebody deleted stay so.
  Result<std::vector<Column>> updates(std::vector<uint64_t>& ids) const {
    RVF_ASSIGN(const Snapshot snapshot, t_.store_.snapshot());
    std::vector<Column> columns = {{"mtime", FieldType::kTimestamp, {}},
                                   {"size", FieldType::kU64, {}}};
    for (const FileEntry& f : touched_) {
      for (uint32_t i = 0; i < f.count; ++i) {
        RVF_ASSIGN(const bool there, snapshot.contains(f.first_id + i));
        if (!there) continue;
        ids.push_back(f.first_id + i);
        columns[0].values.emplace_back(f.mtime_ns);
        columns[1].values.emplace_back(f.size);
      }
    }
    return columns;
  }

  Catalog next_catalog() const {
    Catalog c;
    c.looked_ns = started_ns_;
    std::map<std::string, FileEntry> files = known_;
    for (const std::string& path : gone_) files.erase(path);
    for (const auto& [path, entry] : updated_) files[path] = entry;
    for (auto& [path, entry] : files) c.files.push_back(std::move(entry));
    return c;
  }

  // An embedder that no commit holds must not make vectors for the next.
  Status commit() {
    const bool had_embedder = t_.embedder_.has_value();
    Status done = write();
    if (!done && !had_embedder) t_.embedder_.reset();
    return done;
  }

  Status write() {
    if (passages_.empty() && delete_ids_.empty() && updated_.empty() && gone_.empty()) return {};
    std::vector<Attachment> attach;
    RVF_TRY(learn(attach));
    Catalog catalog = next_catalog();
    attach.push_back({kCatalogSegment, 0, true, encode_catalog(catalog)});

    WriteBatch batch;
    std::vector<int8_t> vectors;
    std::vector<Column> columns;
    if (!passages_.empty()) {
      RVF_ASSIGN(vectors, encode());
      columns = columns_of(passages_);
      batch.columns = columns;
      batch.vectors = {vectors.data(), DType::kI8, passages_.size(), t_.embedder_->dimension()};
    }
    std::vector<uint64_t> update_ids;
    RVF_ASSIGN(const std::vector<Column> update_columns, updates(update_ids));
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
  const AddOptions& options_;
  const int64_t started_ns_;
  std::vector<Candidate> candidates_;
  size_t done_ = 0;
  std::unordered_set<std::string> seen_, skipped_, kept_;  // paths, each counted once
  std::map<std::string, FileEntry> known_;  // the catalog as committed
  std::unordered_map<std::string, FileEntry> updated_;  // in this batch
  std::vector<FileEntry> touched_;
  std::unordered_set<std::string> gone_;
  std::vector<StoredPassage> passages_;
  std::vector<uint64_t> delete_ids_;
  uint64_t next_id_ = 0;
};

Result<AddReport> TextStore::add(const std::vector<std::string>& paths, const AddOptions& options) {
  Adding adding(*this, options);
  RVF_TRY(adding.run(paths));
  RVF_TRY(reload());
  RVF_TRY(tidy(options.index_progress));
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
