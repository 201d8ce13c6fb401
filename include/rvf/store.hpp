// Store: a crash-safe set of vectors in one file, searchable the moment it is opened.
//
//   auto store = rvf::Store::create("notes.rvf", {.dimension = 384, .metric =
// rvf::Metric::kCosine});
//   if (!store) return fail(store.error());
//   store->ingest(rvf::Vectors::from_f32(values, 384));          // durable when it returns
//   auto hits = store->query(query_vector, {.k = 10});
//
// Ownership: a Store owns its file handle and, if writable, the right to write: one writer a store,
// on the whole machine, whatever names its file has; not for a process forked from the writer's.
// Readers take no lock. Snapshots stay valid and unchanged while held, whatever happens to the
// store: later commits, a compaction, closing it.
// Thread-safety: every function may be called from any thread. Writes run one after another;
// queries run on the newest snapshot and block nobody.
// Durability: see Durability and docs/durability.md. Errors: values, see rvf/error.hpp; a failed
// write leaves everything acknowledged before it in place. Where memory runs out a call returns
// kOutOfMemory and the store stays usable; functions that return neither a Result nor a Status can
// only throw std::bad_alloc then.
// Distances: l2 is squared, cosine 1 - cos, ip minus the dot product, hamming the number of
// differing bits.
#pragma once
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rvf/executor.hpp"
#include "rvf/metadata.hpp"
#include "rvf/query.hpp"
#include "rvf/result.hpp"
#include "rvf/storage.hpp"
#include "rvf/types.hpp"

namespace rvf {

namespace io {
class FileSystem;
}
namespace runtime {
struct SnapshotAccess;  // for the library's own features
}

enum class Durability : uint8_t {
  kSync,  // on stable storage when the call returns (two fsyncs)
  kFlush,  // handed to the operating system: survives the process, perhaps not a power loss
  kNone,  // kept until commit(), sync(), close(); lost if the process dies before
};

enum class IndexPolicy : uint8_t {
  kAuto,  // a commit that leaves many rows outside the index also extends it (takes its time)
  kManual,  // only build_index() and compact() do; rows outside are compared by codes, or one by one
};

struct CreateOptions {
  uint32_t dimension = 0;  // 1 to 65535
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;  // f32 f16 bf16 i8 u8 binary
  // Neighbours of a leader. Nodes of the base layer have 32, in the standard layout 20.
  uint16_t graph_m = 16;
  uint32_t ef_construction = 128;
  SearchLayout search_layout = SearchLayout::kFused;
  uint64_t seed = 0x5256465F47524148;
  IdKind ids = IdKind::kUndecided;  // the first row decides
  Storage storage = Storage::kExact;
  std::string application =
      {};  // free text kept in the file, for example an application's settings
  std::vector<Field> fields = {};  // known from the start; batches may bring more
};

struct OpenOptions {
  Durability durability = Durability::kSync;
  IndexPolicy index_policy = IndexPolicy::kAuto;
  std::shared_ptr<Executor> executor =
      nullptr;  // for building indexes and batch queries; null: the calling thread
  // Bytes that opening, and decoding every row in codes or columns, may take; 0: no limit. Rows are
  // decoded when they are asked for; a store that would take more once all were is not opened.
  // Building a graph keeps to it too: rows of which it would need more are indexed as
  // partitions.
  uint64_t memory_budget = 0;
  uint64_t verify_at_open =
      16U << 20;  // a store of at most this many live bytes has every hash checked
  // Where the newest durable commit is damaged: the newest one before it that is intact. Without
  // this opening fails (kCorrupt and its kin). What is written on top of it buries the rest for good.
  bool last_intact = false;
  // How long to wait for another writer to finish, before kLockHeld.
  std::chrono::milliseconds lock_wait{0};
  const Progress* lock_progress = nullptr;  // of that wait, in milliseconds; false: kCancelled
  // A file that is cut off by another program, or cannot be read, under its reader: an error
  // (kTruncated), in place of the signal SIGBUS that ends the process. Installs a handler for it,
  // once a process, which passes on what is not the library's.
  bool survive_lost_pages = false;
  std::shared_ptr<io::FileSystem> file_system = nullptr;  // null: the operating system's
};

// Vectors of the caller, one after another without padding. Borrowed for the call.
struct Vectors {
  const void* data = nullptr;
  DType dtype = DType::kF32;
  size_t count = 0;
  size_t dimension = 0;

  static Vectors from_f32(std::span<const float> values, size_t dimension) {
    return {values.data(), DType::kF32, dimension == 0 ? 0 : values.size() / dimension, dimension};
  }
};

// A payload that belongs to the store's content but is not a vector: metadata, text indexes,
// anything an application keeps. Committed together with the vectors of the same batch.
struct Attachment {
  uint8_t type = 0;  // a segment type, for example 0x07 META or 0xF0-0xFF
  uint16_t flags = 0;
  bool compress = false;  // store with zstd
  std::vector<std::byte> payload;
};

struct SegmentInfo {
  uint64_t segment_id = 0;
  uint8_t type = 0;
  uint8_t tier = 0;
  uint16_t flags = 0;
  uint64_t offset = 0;  // bytes from the start of the file
  uint64_t payload_bytes = 0;  // as stored
  uint64_t rows = 0;  // of a VEC segment
  uint8_t compression = 0;
  uint16_t shard = 0;  // 0: this file
  bool attachment = false;  // somebody's, see Attachment; else the store's own
};

// Everything that one commit does. Deletions and updates act on what was there before the batch.
// Numbers (`ids`, `delete_ids`, `update_ids`) are for stores of numbers, `keys` and their kin for
// stores of text ids; kWrongIdKind, and nothing is written, where the store has the other kind.
struct WriteBatch {
  Vectors vectors;
  // One a vector; an id that exists is replaced. Empty, and no keys: counted on from the highest.
  std::span<const uint64_t> ids;
  std::span<const std::string> keys = {};
  std::span<const Column> columns = {};  // of the vectors; a replaced vector keeps no old field
  std::span<const Field> fields = {};  // declared in the same commit, as define_fields() does
  std::span<const uint64_t> delete_ids;
  std::optional<std::pair<uint64_t, uint64_t>> delete_range = {};  // both included
  std::span<const std::string> delete_keys = {};
  std::string_view delete_where = {};  // a filter
  // Sets these fields of these vectors, which stay what they are; null clears a field. An id that
  // does not exist is an error (kNotFound).
  std::span<const uint64_t> update_ids = {};
  std::span<const std::string> update_keys = {};
  std::span<const Column> update_columns = {};
  std::span<const Attachment> attach;
  std::span<const uint64_t> detach;  // segment ids
};

struct WriteReport {
  uint32_t epoch = 0;
  uint64_t added = 0;
  uint64_t replaced = 0;  // of `added`, ids that existed
  uint64_t deleted = 0;  // ids that existed, of the delete lists and the filter
  uint64_t updated = 0;
  uint64_t first_id = 0;  // where numbers were given out
  std::vector<uint64_t> attached;  // segment ids of the attachments, in order
  // Why the index could not take the vectors in (IndexPolicy::kAuto). They are committed, and found
  // without it.
  std::optional<Error> index_problem = {};
};

struct RecoveryInfo {
  // The newest commit was not intact, an older one was taken. Not said of a commit that a writer is
  // in the middle of.
  bool recovered = false;
  uint32_t epoch = 0;  // of the commit that was taken
  uint32_t lost_epochs =
      0;  // commits after it that could not be read; 0 if merely an unfinished one
  bool damaged = false;  // one of these had been durable: damage, not an unfinished write
  uint64_t ignored_bytes = 0;  // after it; unfinished writes, reclaimed by compaction
  std::string reason;
};

struct StoreStatus {
  uint64_t vectors = 0;  // live, without those that have expired
  uint64_t deleted = 0;  // dead rows that compaction would reclaim
  uint32_t dimension = 0;
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  uint32_t epoch = 0;
  uint64_t file_bytes = 0;
  uint64_t live_bytes = 0;
  uint64_t segments = 0;  // live
  uint64_t next_id = 0;
  uint64_t created_ns = 0, modified_ns = 0;
  std::string index_kind;  // "none", "graph", "partitions"
  SearchLayout search_layout = SearchLayout::kFused;  // of the graph that is there
  uint64_t indexed_rows = 0;
  uint64_t index_bytes = 0;
  uint32_t index_default_ef = 0;
  uint64_t tier_rows[3] = {0, 0, 0};  // hot, warm, cold
  Storage storage = Storage::kExact;
  // Rows that lie in codes or columns, and how many of them somebody has asked for since the store
  // was opened: those take memory beside the file.
  uint64_t coded_rows = 0, decoded_rows = 0;
  std::string layout = "native";  // or "runtime", "wasm", "wire": read-only, see `rvf convert`
  std::vector<std::string> notes;  // what opening another layout could not carry over
  uint64_t fields = 0;
  IdKind id_kind = IdKind::kUndecided;
  uint64_t metadata_bytes = 0;
  std::string application;
  std::array<uint8_t, 16> file_id{};
  bool writable = false;
  RecoveryInfo recovery;
};

struct VerifyOptions {
  bool deep = false;  // also block checksums, ids against the row map, finite values, graph lists
  const Progress* progress = nullptr;
};

struct VerifyReport {
  uint64_t segments = 0;
  uint64_t bytes = 0;
  std::vector<Error> problems;  // empty: everything that was checked is right
};

struct EpochEntry {
  uint32_t epoch = 0;
  uint64_t manifest_offset = 0;
  uint64_t vectors = 0;
  uint64_t modified_ns = 0;
  bool full = false;
};

struct CompactOptions {
  uint64_t bytes_per_second = 0;  // of reading and writing; 0: as fast as it goes
  bool tiers = false;  // move rows that are seldom found to warm (8-bit) and cold (4-bit) blocks
  double hot_fraction = 0.2;  // of the rows, by access
  double warm_fraction = 0.5;  // of the rows; the rest is cold
  bool cold_shard =
      false;  // with tiers: cold rows go to "<store>.cold.<n>", which then belongs to the store
  std::optional<SearchLayout> search_layout = {};  // from now on; none: as it is
  // From now on; none: as it is. What a lossy storage has become is what another one codes, and
  // what kExact keeps. Lossy ones exclude `tiers`: kBadArgument.
  std::optional<Storage> storage = {};
  bool rebuild_index = true;  // false: drop the graph; build_index() makes it later
  const Progress* progress = nullptr;
};

struct CompactReport {
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  uint64_t rows_dropped = 0;
  bool resumed = false;  // continued what an interrupted compaction had begun
  uint64_t tier_rows[3] = {0, 0, 0};
};

// What upkeep() may do, where it is due.
struct UpkeepOptions {
  bool index = true;
  bool compact = true;
  uint64_t bytes_per_second = 0;  // of a compaction, as in CompactOptions
  const Progress* progress = nullptr;
};

struct UpkeepReport {
  bool indexed = false;
  bool compacted = false;
  uint64_t bytes_before = 0, bytes_after = 0;  // of the file, around a compaction
};

struct LoadAheadOptions {
  bool rows = false;  // the vectors too, after the index
  uint64_t most_bytes = 0;  // stop after so many; 0: all
  const Progress* progress = nullptr;
};

// Bytes that were brought into the page cache, or were there.
struct LoadAheadReport {
  uint64_t layer_a = 0;
  uint64_t layer_c = 0;
  uint64_t rows = 0;
};

// One epoch of a store, immutable. Cheap to copy; keeps the mapped file alive.
//
// Ids: where they are numbers, the functions below take and give these. Where they are texts, a
// uint64_t is a handle of a vector, given by id_of(), ids(), scan(), for_each() and queries, and good
// for the functions of snapshots of this store; key() and keys_of() tell the text. No number
// that a user may have written is a handle, and no write takes one.
class Snapshot {
 public:
  struct Impl;  // opaque
  uint32_t epoch() const noexcept;
  Result<uint64_t> size() const;  // live vectors
  uint32_t dimension() const noexcept;
  DType dtype() const noexcept;
  Metric metric() const noexcept;

  Result<QueryResult> query(std::span<const float> vector, const QueryOptions& options = {}) const;
  // One result a query vector; shared out over the executor if there is one.
  Result<std::vector<QueryResult>> query_batch(const Vectors& queries,
                                               const QueryOptions& options = {},
                                               Executor* executor = nullptr) const;

  // A store that was just opened answers at once and reads from disk what each query needs. This
  // reads the index ahead of them, what serves most queries first: layer A, then C, then the rows.
  // Meant for a thread of the caller's; queries go on meanwhile and get faster. Progress is in bytes.
  // Errors: kCancelled, kTruncated.
  Result<LoadAheadReport> load_ahead(const LoadAheadOptions& options = {}) const;

  // kTruncated, naming the file, if another program cut it off under the snapshot, or the disk could
  // not read it. Every function that returns a Result asks this itself. Without
  // OpenOptions::survive_lost_pages the signal SIGBUS ends the process instead.
  Status intact() const;
  Result<bool> contains(uint64_t id) const;
  Result<std::vector<float>> get(uint64_t id) const;  // kNotFound
  Status get_raw(uint64_t id,
                 std::span<std::byte> out) const;  // vector_bytes(dtype, dimension) bytes
  // Live ids with their vectors as stored, in row order; stops early when visit returns false.
  Status for_each(
      const std::function<bool(uint64_t id, std::span<const std::byte> vector)>& visit) const;
  Result<std::vector<uint64_t>> ids() const;  // live, ascending

  // Metadata. Filters are texts, see docs/filters.md; kBadFilter explains what is wrong with one.
  std::vector<Field> fields() const;  // without those of the library
  Result<Record> record(uint64_t id) const;  // kNotFound; text ids are under kKeyField
  // One field of many vectors, in order; null also for ids that do not exist.
  Result<std::vector<Value>> values(std::span<const uint64_t> ids, const std::string& field) const;
  IdKind id_kind() const noexcept;
  bool has_keys() const noexcept;  // id_kind() is kTexts
  Result<std::string> key(uint64_t id) const;  // the text id; kNotFound, kWrongIdKind
  // The text ids of vectors, in order; kNotFound, kWrongIdKind where ids are numbers.
  Result<std::vector<std::string>> keys_of(std::span<const uint64_t> ids) const;
  Result<uint64_t> id_of(std::string_view key) const;  // kNotFound
  Result<uint64_t> count(std::string_view filter) const;
  Result<ScanPage> scan(const ScanOptions& options) const;
  // How many matching vectors have which value, most frequent first; null counts as a value. A vector
  // counts once for every value in its list.
  Result<std::vector<ValueCount>> count_by(const std::string& field, std::string_view filter = {},
                                           size_t limit = 100) const;
  // By words of a string field (BM25), by vector, or by both. An empty vector: words alone.
  Result<HybridResult> hybrid(std::span<const float> vector, const HybridOptions& options) const;

  Result<std::vector<SegmentInfo>> segments() const;  // live ones, in file order
  // A segment's content, hash checked and decompressed.
  Result<std::vector<std::byte>> payload(uint64_t segment_id) const;
  // An uncompressed segment's content where it lies in the mapped file, valid while the snapshot is
  // held. Its hash is NOT checked, so a reader must survive any bytes. kUnsupported for a
  // compressed one.
  Result<std::span<const std::byte>> mapped(uint64_t segment_id) const;

 private:
  friend class Store;
  friend struct runtime::SnapshotAccess;
  explicit Snapshot(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

class Store {
 public:
  struct Impl;  // opaque
  // A path that is a symbolic link means the file behind it, here and below.
  // Errors: kAlreadyExists, kBadArgument (names the option), kLockHeld, kIo and its kin.
  static Result<Store> create(const std::string& path, const CreateOptions& create,
                              const OpenOptions& open = {});
  // For reading and writing. Errors: kNoSuchFile, kNotAStore, kManifestNotFound, kLockHeld,
  // kCorrupt and its kin (see last_intact), ...
  static Result<Store> open(const std::string& path, const OpenOptions& open = {});
  static Result<Store> open_readonly(const std::string& path, const OpenOptions& open = {});
  // A store in memory, from the bytes of a store file.
  static Result<Store> from_bytes(std::vector<std::byte> bytes, const OpenOptions& open = {});

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();  // close(), its error lost

  // Bad input (wrong dimension, NaN or infinity, a value the dtype cannot hold, an id twice)
  // refuses the whole batch. kPathLost from whatever writes: the file was deleted, renamed or
  // replaced since it was opened; nothing is written then.
  Result<WriteReport> ingest(const Vectors& vectors, std::span<const uint64_t> ids = {});
  Result<WriteReport> ingest(const Vectors& vectors, std::span<const std::string> keys,
                             std::span<const Column> columns);
  Result<WriteReport> remove(std::span<const uint64_t> ids);
  Result<WriteReport> remove(std::span<const std::string> keys);
  Result<WriteReport> remove_range(uint64_t first, uint64_t last);  // both included
  Result<WriteReport> write(const WriteBatch& batch);
  Result<WriteReport> remove_where(std::string_view filter);
  Result<WriteReport> update_metadata(std::span<const uint64_t> ids,
                                      std::span<const Column> columns);
  Result<WriteReport> update_metadata(std::span<const std::string> keys,
                                      std::span<const Column> columns);
  // Adds fields, widens their types or has them indexed, in one commit. Rows that are there are
  // indexed by the next compaction.
  Status define_fields(std::span<const Field> fields);
  // Makes everything written so far durable, whatever the durability mode.
  Status commit();

  Result<QueryResult> query(std::span<const float> vector, const QueryOptions& options = {}) const;
  Result<std::vector<QueryResult>> query_batch(const Vectors& queries,
                                               const QueryOptions& options = {}) const;
  Result<std::vector<float>> get(uint64_t id) const;
  Result<Snapshot> snapshot() const;
  // For readers: adopts what another process committed or compacted. True if there was something
  // new.
  Result<bool> refresh();

  StoreStatus status() const;
  Result<VerifyReport> verify(const VerifyOptions& options = {}) const;
  Result<std::vector<EpochEntry>> epochs() const;
  // Makes the state of an earlier epoch the newest one, as a new commit: it can itself be rolled
  // back.
  Result<uint32_t> rollback(uint32_t epoch);
  // Brings all rows into the index and writes it. Nothing to do below a few thousand rows.
  Status build_index(const Progress* progress = nullptr);
  // Rewrites the store into a new file that replaces the old one in one step. Queries and writes go
  // on meanwhile, from other threads. An interrupted compaction is continued by the next one.
  Result<CompactReport> compact(const CompactOptions& options = {});
  // What keeps the store fast and its file in bounds, done only where it is due: the index is made
  // when there are enough vectors, and again when an eighth as many as it has wait outside; the file
  // is compacted when more than half of it is dead (and 4 MiB). So a vector costs what a vector
  // costs, however few are written at a time. Call it after writing, for example before close().
  Result<UpkeepReport> upkeep(const UpkeepOptions& options = {});
  Status close();

 private:
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rvf
