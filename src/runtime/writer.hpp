// Appends segments and commits them: data, sync, manifest, sync. docs/durability.md.
// A batch is all or nothing: begin_batch(), any number of append(), then end_batch(); after an
// error abandon_batch() takes the file back to where the batch began.
// Not thread-safe: the store's write lock guards it.
#pragma once
#include <functional>
#include <memory>
#include <span>

#include "io/file.hpp"
#include "manifest/manifest_log.hpp"
#include "rvf/store.hpp"
#include "wire/segment.hpp"

namespace rvf::runtime {

uint64_t now_ns() noexcept;  // since 1970

class Writer {
 public:
  // `end` is where the next segment goes: after the newest manifest and whatever lies behind it.
  Writer(std::shared_ptr<io::File> file, manifest::ManifestLog log, uint64_t end,
         uint32_t next_epoch);

  const manifest::ManifestLog& log() const noexcept { return log_; }
  // Asked before each manifest: an error keeps it from being written.
  void set_guard(std::function<Status()> guard) { guard_ = std::move(guard); }
  uint64_t end() const noexcept { return end_; }
  uint64_t next_segment_id() const noexcept { return next_segment_id_; }
  // Never hand out an id at or below this one again.
  void raise_next_segment_id(uint64_t next) noexcept;
  bool has_uncommitted() const noexcept { return !pending_.empty() || unsynced_; }
  // Why nothing can be written any more, if so.
  Status check_usable() const;
  // Nothing is written from now on. Returns the cause.
  Error poison(Error cause) noexcept;

  struct Segment {
    SegmentType type = SegmentType::kInvalid;
    uint16_t flags = 0;
    uint8_t tier = 0;
    Compression compression = Compression::kNone;
    uint32_t uncompressed_length = 0;
    uint32_t block_count = 0;
    uint64_t segment_id = 0;  // 0: the next one
  };
  void begin_batch();
  Result<wire::DirEntry> append(const Segment& segment, wire::ByteSpan payload);
  // The header that append() would write now, for a segment that goes into a shard; the caller adds
  // the entry.
  SegmentHeader next_header(const Segment& segment, wire::ByteSpan payload) const;
  // Writes header and payload exactly as given, for segments carried over from another file.
  Result<wire::DirEntry> append_verbatim(const SegmentHeader& header, wire::ByteSpan payload,
                                         wire::ByteSpan trailer, const wire::DirEntry& old);
  manifest::Change& batch() noexcept { return batch_; }
  manifest::Head& head() noexcept { return head_; }
  const manifest::Head& head() const noexcept { return head_; }
  wire::Root& root() noexcept {
    return root_;
  }  // counts, next_id and hot pointers of the next manifest

  // Adds the batch to what the next manifest will say; with kSync or kFlush writes that manifest.
  Status end_batch(Durability durability);
  void abandon_batch() noexcept;
  // Writes a manifest if anything is uncommitted or not yet synced.
  Status commit(Durability durability);
  void force_full_manifest() noexcept { force_full_ = true; }
  // The next manifest is full, has this epoch and links to none before it.
  void begin_new_history(uint32_t epoch) noexcept {
    next_epoch_ = epoch;
    force_full_ = cut_history_ = true;
  }
  // Makes an earlier epoch's directory the newest one, as a new, full, synced manifest. `next_id` is
  // the least id that may be given out from then on.
  Status rollback_to(manifest::ManifestLog old, uint64_t next_id);

 private:
  Status write_manifest(Durability durability);
  Status put_manifest(wire::ByteSpan segment);
  Status take_back(uint64_t end) noexcept;
  // Writes at end_, or leaves the file as it was.
  Status put(std::span<const wire::ByteSpan> parts);
  Status sync();  // poisons the writer if it fails
  Status check_guard() const { return guard_ ? guard_() : Status(); }
  // The file ends where this writer left it.
  Status check_end();

  std::shared_ptr<io::File> file_;
  manifest::ManifestLog log_;
  manifest::Change pending_;  // whole batches since the last manifest
  manifest::Change batch_;
  manifest::Head head_, batch_head_;
  wire::Root root_, batch_root_;
  uint64_t end_ = 0, batch_start_ = 0;
  uint64_t next_segment_id_ = 1, batch_segment_id_ = 1;
  uint32_t next_epoch_ = 0;
  std::optional<wire::ChainLink>
      previous_;  // of the next manifest, where it is not the log's newest
  bool force_full_ = false;
  bool cut_history_ = false;
  bool unsynced_ = false;  // a manifest was written that no sync has covered
  // What was there at opening may lie in the system's memory alone: who wrote it may have died
  // before its barrier. commit() answers for that as well.
  bool found_unsynced_ = false;
  std::string poisoned_;
  std::function<Status()> guard_;
  bool foreign_ = false;  // somebody else wrote to the file: it is not to be touched
};

// A batch that is abandoned, however its scope is left, unless keep() says that it was ended.
class BatchScope {
 public:
  explicit BatchScope(Writer& writer) : writer_(writer) { writer_.begin_batch(); }
  ~BatchScope() {
    if (!kept_) writer_.abandon_batch();
  }
  BatchScope(const BatchScope&) = delete;
  BatchScope& operator=(const BatchScope&) = delete;
  void keep() noexcept { kept_ = true; }

 private:
  Writer& writer_;
  bool kept_ = false;
};

}  // namespace rvf::runtime
