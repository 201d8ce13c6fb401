// The inside of rvf::Snapshot.
#pragma once
#include <mutex>

#include "kernels/kernels.hpp"
#include "runtime/expiry.hpp"
#include "runtime/id_index.hpp"
#include "runtime/key_index.hpp"
#include "runtime/live_state.hpp"
#include "runtime/no_throw.hpp"
#include "runtime/part_cache.hpp"
#include "rvf/store.hpp"

namespace rvf::runtime {

// Lends out the working memory of searches, so that queries allocate nothing in the steady state.
class ScratchPool {
 public:
  index::SearchScratch take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    index::SearchScratch s = std::move(free_.back());
    free_.pop_back();
    return s;
  }
  void give_back(index::SearchScratch&& s) {
    std::lock_guard lock(mutex_);
    if (free_.size() < kKeep) free_.push_back(std::move(s));
  }

 private:
  static constexpr size_t kKeep = 64;
  std::mutex mutex_;
  std::vector<index::SearchScratch> free_;
};

// Counts which rows queries find, for the temperature tiers. Sampled and lossy on purpose: a query
// never waits for it.
class AccessCounter;

// The live rows that pass a filter.
struct Selection {
  meta::Filter filter;
  index::RowBitmap rows;
  double micros = 0;  // to find them
  std::vector<std::string> steps;
};

// Of an object that outlives the pointer.
inline std::shared_ptr<const index::DeadRows> borrowed(const index::DeadRows& dead) {
  return {std::shared_ptr<void>(), &dead};
}

}  // namespace rvf::runtime

namespace rvf {

struct Snapshot::Impl {
  using Dead = std::shared_ptr<const index::DeadRows>;
  using Selected = std::shared_ptr<const runtime::Selection>;

  runtime::LiveState state;
  std::vector<std::shared_ptr<const io::Mapping>> pins;
  std::vector<wire::DirEntry> directory;  // by segment id
  runtime::SegmentOwner owner;
  uint32_t epoch = 0;
  std::shared_ptr<runtime::ScratchPool> scratch;
  std::shared_ptr<runtime::AccessCounter> access;
  std::shared_ptr<runtime::IdIndex> ids;
  std::shared_ptr<runtime::KeyIndex> keys;
  std::shared_ptr<runtime::PartCache> parts;
  std::shared_ptr<runtime::ExpiryCache> expiries;
  std::shared_ptr<const meta::Schema> schema;
  IdKind id_kind = IdKind::kUndecided;

  // From the number of a row, which the file has, to what stands for it outside, and back: of a
  // store of texts a handle, so that no number that somebody wrote leads to a row.
  uint64_t outside(uint64_t id) const noexcept {
    return id_kind == IdKind::kTexts ? id ^ (1ULL << 63) : id;
  }

  // What `body` answers, unless memory ran out or the file was cut off under it: every public
  // function that can fail goes through here.
  template <class Body>
  auto answer(Body&& body) const -> decltype(body()) {
    return runtime::no_throw([&]() -> decltype(body()) {
      auto answered = body();
      RVF_TRY(state.intact());
      return answered;
    });
  }

  // snapshot.cpp
  // By the number in the file. kNotFound
  Result<uint64_t> find_row(uint64_t id) const;
  Result<wire::DirEntry> entry(uint64_t segment_id) const;  // kNotFound
  // Asks for the whole file ahead of the first scan; rows are otherwise read one by one.
  void expect_scan() const;

  // snapshot_meta.cpp
  Result<const meta::Table*> table() const;  // opened at first use, lives as long as this
  Result<Dead> dead() const;                 // deleted rows, and those that have expired by now
  meta::RowIds row_ids() const;
  // The rows of numbers or handles as outside() gives them, and of text ids; those of expired
  // vectors too.
  std::vector<std::optional<uint64_t>> rows_of(std::span<const uint64_t> from) const;
  Result<std::vector<std::optional<uint64_t>>> rows_of_keys(
      std::span<const std::string_view> wanted) const;
  // The text ids of rows.
  Result<std::vector<std::string>> keys_of_rows(std::span<const uint64_t> rows) const;
  Result<meta::Filter> parse(std::string_view filter) const;
  Result<Selected> select(std::string_view filter) const;  // remembers the last few
  // "id" too, whichever kind the ids are. kBadArgument
  Result<const meta::SchemaField*> field(const std::string& name) const;
  // What rows have in a field that field() gave. Not thread-safe.
  class RowValues {
   public:
    RowValues(const Impl& snapshot, const meta::Table& table, const meta::SchemaField& field)
        : snapshot_(snapshot), field_(field), reader_(table, field) {}
    Value of(uint64_t row) {
      if (field_.id == meta::kIdField) return snapshot_.state.id_of(row);
      return reader_.value(row);
    }

   private:
    const Impl& snapshot_;
    const meta::SchemaField& field_;
    meta::FieldReader reader_;
  };

  // snapshot_query.cpp
  Result<QueryResult> query(std::span<const float> vector, const QueryOptions& options,
                            index::SearchScratch& scratch_memory) const;
  struct RowSearch {
    const kernels::PreparedQuery* query = nullptr;
    std::span<const float> vector;
    const index::DeadRows* dead = nullptr;
    const index::RowBitmap* filter = nullptr;  // may be null
    uint64_t available = 0;  // rows that can be found at all
    index::SearchParams params;
  };
  // At most params.k rows; exact where a beam would be as wide as the store.
  Result<index::SearchResult> search_rows(const RowSearch& search,
                                          index::SearchScratch& scratch_memory) const;
  // The first k rows, at most `size` of each value of a field; `complete` says whether more
  // candidates could change that.
  Result<std::vector<index::Hit>> best_of_groups(const std::vector<index::Hit>& hits,
                                                 const meta::SchemaField& field, uint32_t size,
                                                 size_t k) const;

  // What a user gets of an answer; it counts for the temperature of the vectors in it.
  void hand_out(QueryResult& result, const QueryOptions& options) const;

  // hybrid.cpp
  Result<HybridResult> hybrid(std::span<const float> vector, const HybridOptions& options) const;

 private:
  mutable std::once_flag scan_expected_;
  mutable std::mutex meta_mutex_;  // guards what follows
  mutable std::optional<meta::Table> table_;
  mutable std::optional<runtime::Expiry> expiry_;
  mutable Dead gone_;  // what is deleted, and what has expired
  struct Remembered {
    std::string filter;
    Dead dead;
    Selected selected;
  };
  mutable std::vector<Remembered> selections_;  // newest last
};

}  // namespace rvf
