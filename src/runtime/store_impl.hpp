// The inside of rvf::Store. Lock order: write_mutex, then state_mutex.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <unordered_set>

#include "index/graph.hpp"
#include "io/file.hpp"
#include "layouts/foreign.hpp"
#include "manifest/tail_scan.hpp"
#include "runtime/access_counter.hpp"
#include "runtime/batch_metadata.hpp"
#include "runtime/fair_mutex.hpp"
#include "runtime/snapshot_impl.hpp"
#include "runtime/writer.hpp"
#include "rvf/repair.hpp"

namespace rvf {

struct Store::Impl {
  OpenOptions options;
  std::string path;  // resolved
  std::shared_ptr<io::FileSystem> fs;
  std::unique_ptr<io::WriterLock> lock;  // null for readers
  std::string layout = "native";         // of the file that was opened
  std::vector<std::string> notes;        // what could not be taken from it
  bool keeps_both_ids = false;  // create_from(): batches bring ids and, new ones, string ids

  mutable runtime::FairMutex
      write_mutex;  // one write operation at a time, from first byte to new state

  std::atomic<bool> compacting = false;
  uint64_t generation =
      0;  // counts what renumbers rows: rollback, compaction; guarded by write_mutex

  mutable std::mutex state_mutex;  // everything below
  std::shared_ptr<io::File> file;  // null once closed
  std::unique_ptr<runtime::Writer> writer;  // null for readers
  manifest::ManifestLog reader_log;         // of a reader
  runtime::LiveState state;
  std::map<uint64_t, wire::DirEntry> directory;  // with what is not committed yet
  // What was learnt about the rows of this file; see forget_rows().
  std::shared_ptr<runtime::IdIndex> ids;
  std::shared_ptr<runtime::KeyIndex> keys;
  std::shared_ptr<runtime::PartCache> parts;
  std::shared_ptr<runtime::ExpiryCache> expiries;
  std::shared_ptr<runtime::ScratchPool> scratch = std::make_shared<runtime::ScratchPool>();
  std::shared_ptr<runtime::AccessCounter> access;
  RecoveryInfo recovery;
  // What readers are told of the log, which itself changes in the middle of a write.
  struct Published {
    wire::Root root;
    runtime::SegmentOwner owner;
    uint64_t live_bytes = 0;
    uint64_t next_id = 0;
    std::string application;
    IdKind id_kind = IdKind::kUndecided;
    Storage storage = Storage::kExact;
    std::vector<wire::SchemaEntry> schema_entries;
    std::shared_ptr<const meta::Schema> schema = std::make_shared<meta::Schema>();
  };
  Published published;
  mutable std::shared_ptr<const Snapshot::Impl> current;  // null when a commit made it stale
  // Memory ran out while memory was being brought to what the file holds: heal() has to read it.
  std::atomic<bool> torn = false;

  // With write_mutex held.
  const manifest::ManifestLog& log() const { return writer ? writer->log() : reader_log; }
  // With what is not committed yet.
  const manifest::Head& log_head() const { return writer ? writer->head() : reader_log.head(); }

  // store_open.cpp
  static Result<std::unique_ptr<Impl>> at(const std::string& path, const OpenOptions& open);
  Status open_for_reading();
  struct Opened {
    std::shared_ptr<io::File> file;
    manifest::Found found;
    runtime::LiveState state;
    // What is wrong with a later commit that was durable once: damage, not an unfinished write.
    std::optional<Error> damage;
    bool writer_at_work = false;  // so an unfinished end is nothing to speak of
  };
  // Of a file that nobody else writes to. Damage is an error unless the options ask for what was
  // before it.
  Result<Opened> load(std::shared_ptr<io::File> from) const;
  Result<Opened> load_beside_writers(const std::shared_ptr<io::File>& from) const;
  Result<Opened> find(std::shared_ptr<io::File> from) const;
  Result<Opened> accept_damage(Result<Opened> opened) const;
  void adopt(Opened opened);
  void publish();  // with both mutexes held
  // Brings memory to what the file holds after a commit; whatever stops that leaves `torn`.
  void show(const manifest::Change& change,
            std::vector<std::shared_ptr<const runtime::VecSegment>> segments);
  Status heal();  // with write_mutex held
  void forget_rows();  // where rows are numbered anew
  Result<std::shared_ptr<const Snapshot::Impl>> snapshot_impl() const;
  runtime::LiveState::OpenShard shard_opener() const;
  Status check_open() const;  // with state_mutex or write_mutex held
  Status check_writable() const;
  Status check_place() const;  // the path names the file that is open for writing
  Status ready_to_write();  // heals; with write_mutex held

  // open_foreign.cpp: a copy in memory of a file of another layout; a native store made of one.
  // Notes are added to `from`, which is spent.
  static Result<Store> open_foreign(io::FileSystem& fs, const std::string& path,
                                    const OpenOptions& open);
  static Result<Store> create_from(layouts::ForeignStore& from, const std::string& path,
                                   const OpenOptions& open);
  static wire::FileIdentity identity_of(const Store& store);

  // repair.cpp
  static Result<RepairReport> repair(const std::string& from, const std::string& to,
                                     const RepairOptions& options);

  // store_write.cpp
  Result<WriteReport> write(const WriteBatch& batch);
  struct NewIds {
    std::vector<uint64_t> ids;
    bool may_exist = false;
  };
  Result<NewIds> new_ids(const WriteBatch& batch) const;
  Result<std::vector<std::optional<uint64_t>>> rows_of_keys(
      std::span<const std::string> wanted) const;
  Status check_id_kind(const WriteBatch& batch) const;
  // Rows that are deleted, or have expired by now.
  Result<Snapshot::Impl::Dead> gone() const;
  Result<std::vector<uint64_t>> rows_to_update(const WriteBatch& batch) const;
  Result<std::vector<uint64_t>> ids_to_delete(const WriteBatch& batch) const;
  Result<runtime::BatchMetadata> metadata_of(const WriteBatch& batch, WriteReport& report) const;
  Status define_fields(std::span<const Field> fields);
  Status check_widening(const meta::Schema& wanted) const;  // what is stored must stay exact
  Status commit(Durability durability);
  // Keeps the access sketch in the file if queries changed it enough to matter.
  Status save_access();
  Result<uint32_t> rollback(uint32_t epoch);

  // store_index.cpp; with write_mutex held
  Status build_index(const Progress* progress);
  bool index_is_behind() const;
  // Whether what the file holds of the search layout is intact, which is read from end to end.
  bool fused_is_intact() const;
  bool lists_are_intact() const;  // the same of its neighbour lists

  // compaction.cpp, verify.cpp
  Result<CompactReport> compact(const CompactOptions& compact_options);
  Result<VerifyReport> verify(const VerifyOptions& verify_options) const;
};

}  // namespace rvf

namespace rvf::runtime {

// The rows of a batch as segment payloads; nothing is written yet.
struct EncodedRows {
  wire::Bytes payload;
  uint64_t first = 0, count = 0;  // of the batch
  uint32_t blocks = 0;
};
// kWrongDimension, kNotFinite, kOutOfRange, each naming the vector.
Result<std::vector<EncodedRows>> encode_rows(const Vectors& vectors, std::span<const uint64_t> ids,
                                             DType dtype, uint32_t dimension);

// kBadArgument where vectors of this dtype cannot be kept so.
Status check_storage(Storage storage, DType dtype);

// A graph to go on from, which may be of another state.
struct OldGraph {
  std::shared_ptr<const LoadedIndex> index;  // may be null
  std::vector<uint32_t>
      now;  // the row today of each of its nodes, or index::kNoNode; empty: as was
  bool fused_is_damaged = false;
};
// What the index of these rows is made as: what the profile asks for, or partitions where a graph
// would take more than `memory`.
SearchLayout layout_for(const LiveState& state, const wire::ProfileConfig& profile,
                        uint64_t memory);
// What building an index may take.
uint64_t build_memory(const OpenOptions& options) noexcept;
// An index over all rows of `state`.
Result<index::GraphPayloads> make_graph(const LiveState& state, const wire::ProfileConfig& profile,
                                        const OldGraph& old, uint64_t memory, Executor* executor,
                                        const Progress* progress);
// Appends the graph in place of the one that the writer's head names, and points the root at it.
Status append_graph(Writer& writer, const index::GraphPayloads& graph, uint64_t rows);

// Appends the access sketch in place of the one that the writer's head names.
Status append_sketch(Writer& writer, const wire::SketchSegment& sketch);

inline constexpr uint64_t kMinGraphRows = 4096;  // fewer are scanned faster than a graph is walked

}  // namespace rvf::runtime
