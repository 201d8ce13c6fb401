// Rewrites a store into `<store>.compact` and lets that file take the store's place in one rename.
// The new file is a store itself: its checkpoints say how far the copy has come (COMPACTION_STATE),
// so a compaction that was interrupted goes on where it stopped. Queries and writes continue
// meanwhile; what they change is caught up with under the write lock at the end.
#pragma once
#include <chrono>

#include "runtime/compaction_plan.hpp"
#include "runtime/shard_writer.hpp"
#include "runtime/store_impl.hpp"
#include "runtime/tier_encoder.hpp"

namespace rvf::runtime {

class Compaction {
 public:
  Compaction(Store::Impl& store, const CompactOptions& options)
      : store_(store), options_(options), encoder_(store.options.executor.get()) {}
  Result<CompactReport> run();

 private:
  Status run_steps();
  Status begin();
  Status choose_storage();
  // compaction_output.cpp
  Status open_output();
  Status check_names() const;
  // What an interrupted compaction left under this name: taken up again, or removed if it cannot be.
  Result<bool> resume(const std::string& path);
  bool is_leftover(io::File& file, const std::string& path) const;
  Status copy_rows();
  Status prepare_tiers();
  Status copy_chunk(uint64_t begin, uint64_t end);
  Status copy_attachments(const std::map<uint64_t, wire::DirEntry>& directory,
                          const LiveState& from);
  // compaction_meta.cpp
  Status copy_metadata();
  // Metadata of rows that are new in the source, which the output has from first_row on, and
  // updates of rows that it has already.
  Status catch_up_metadata(std::span<const uint64_t> newer, uint64_t first_row);
  Status append_metadata(const Snapshot::Impl& from, std::span<const uint64_t> rows,
                         uint64_t first_row);
  Status index_output();
  OldGraph old_graph() const;  // of the source, for the rows of the output
  Status write_hot();
  Status finish();
  Status catch_up();
  Status verify_source_of(uint64_t row);
  Status checkpoint(uint64_t next_position, bool sync);
  Result<wire::DirEntry> append_vectors(const Writer::Segment& segment, wire::ByteSpan payload);
  Status append_rows(const LiveState& from, std::span<const uint64_t> rows, uint8_t tier);
  Status report_progress(uint64_t position);
  void throttle(uint64_t bytes);

  Store::Impl& store_;
  const CompactOptions& options_;
  CompactReport report_;

  std::shared_ptr<const Snapshot::Impl> source_;
  wire::Root source_root_;
  manifest::Head source_head_;
  uint64_t generation_ = 0;
  uint64_t first_segment_id_ = 0;
  CompactionPlan plan_;
  Storage storage_ = Storage::kExact;  // of the output
  TierEncoder encoder_;
  wire::CompactionState progress_;

  std::string output_path_;
  std::shared_ptr<io::File> output_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<ShardWriter> shard_;
  bool replaced_ = false;  // the output has taken the store's place
  std::vector<uint64_t> verified_segments_;  // of the source, ascending
  std::chrono::steady_clock::time_point started_;
  uint64_t bytes_moved_ = 0;
};

}  // namespace rvf::runtime
