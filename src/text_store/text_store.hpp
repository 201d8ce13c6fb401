// A searchable collection of text files in one store: passages with path and lines, ranked by words
// and by the built-in embedder together (text/ranker.hpp). A passage is a row of the store: a vector
// and the fields path, title, heading, text, mtime, size, first_line and last_line, so that all of
// the store's own functions know them too. Beside the rows lie the list of files and the embedder's
// table.
// Ownership: owns its store. Thread-safety: one thread at a time. Durability: that of the store; an
// add() is committed in batches, each whole. Errors: those of the store, kBadMetadata for a store
// that holds no text, or text in an earlier layout.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/text_embedder.hpp"
#include "runtime/word_indexes.hpp"
#include "rvf/store.hpp"
#include "text/folder_walk.hpp"
#include "text/ranker.hpp"
#include "text/text_file.hpp"
#include "text_store/catalog.hpp"
#include "text_store/passage_rows.hpp"

namespace rvf::text_store {

struct AddOptions {
  text::ReadOptions read;  // with an encoding, unchanged files are read again too
  // Lets a folder that holds no text any more, or is gone itself, lose all its files. Else it is an
  // error: more often a disk is not mounted.
  bool allow_empty = false;
  const Progress* files_progress = nullptr;  // counts files
  const Progress* index_progress = nullptr;
};

struct AddReport {
  uint64_t files_added = 0, files_changed = 0, files_removed = 0, files_unchanged = 0;
  uint64_t files_kept = 0;  // are in the store, and were skipped or not seen
  // Absolute paths. What the store has of them stays, unless it is kNoText.
  std::vector<text::LeftOut> skipped;
  uint64_t passages_added = 0, passages_removed = 0;
  uint64_t text_bytes = 0;  // of added and changed files, unpacked
};

struct SearchHit {
  uint64_t id = 0;
  double score = 0;  // more is better
  StoredPassage passage;
  uint32_t duplicates = 0;  // further passages with the same text that were left out
};

// The absolute path of a file or folder without links; kNoSuchFile where there is none, unless it
// may be gone.
Result<std::string> resolve_root(const std::string& given, bool may_be_gone = false);

class TextStore {
 public:
  static Result<TextStore> create(const std::string& path, const OpenOptions& options = {});
  static Result<TextStore> open(const std::string& path, const OpenOptions& options = {});
  static Result<TextStore> open_readonly(const std::string& path, const OpenOptions& options = {});

  // Takes in files and folders: what is new or changed is read, what vanished from a folder that
  // was added before is removed, the rest is left alone. A folder is itself whatever names and links
  // lead to it. What cannot be read is named and stays as it was.
  Result<AddReport> add(const std::vector<std::string>& paths, const AddOptions& options = {});
  // The best k passages among those that pass the filter (docs/filters.md; empty: all).
  Result<std::vector<SearchHit>> search(std::string_view words, size_t k,
                                        const std::string& filter = {});

  uint64_t files() const noexcept { return catalog_.files.size(); }
  const Snapshot& snapshot() const noexcept { return *snapshot_; }  // what search() searches
  const Store& store() const noexcept { return store_; }
  Store& store() noexcept { return store_; }

 private:
  explicit TextStore(Store store) : store_(std::move(store)) {}
  static Result<TextStore> load(Store store);
  Status reload();
  class Adding;
  Status tidy(const Progress* index_progress);

  Store store_;
  Executor* executor_ = nullptr;
  std::shared_ptr<Executor> keep_executor_;
  Catalog catalog_;
  std::optional<uint64_t> catalog_segment_;
  std::optional<embed::TextEmbedder> embedder_;
  std::optional<Snapshot> snapshot_;
  std::optional<runtime::WordIndexes> texts_, headings_;  // of snapshot_
};

}  // namespace rvf::text_store
