// The operations that crash_writer performs and kill_test repeats on a map.
#pragma once
#include <random>
#include <string>

#include "rvf/store.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {

inline constexpr uint32_t kCrashDim = 4;

struct CrashOperation {
  std::vector<uint64_t> ids, deleted;
  std::vector<float> values;
  bool compact = false;
  bool index = false;
  bool commit = false;  // what was put off
};

// ingest: batches with upserts and deletions; single: one vector a batch; flush: as ingest, flushed
// but not synced; put off: as ingest, committed with each operation's end; compact, index: as
// ingest, every third operation a compaction, without or with an index.
inline Durability durability_of(const std::string& mode) {
  if (mode == "flush") return Durability::kFlush;
  return mode == "put off" ? Durability::kNone : Durability::kSync;
}

inline CrashOperation operation(const std::string& mode, uint64_t seed, uint64_t n) {
  std::mt19937_64 random(seed * 1'000'003 + n);
  CrashOperation op;
  if ((mode == "compact" || mode == "index") && n % 3 == 2) {
    op.compact = true;
    op.index = mode == "index";
    return op;
  }
  // An index is made of some thousand rows, which the first operation brings.
  op.commit = mode == "put off";
  const size_t count = mode == "single" ? 1 : mode == "index" && n == 0 ? 4200 : 1 + random() % 40;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t fresh = n * 10000 + i;
    op.ids.push_back(n > 0 && i == 0 && random() % 3 == 0 ? random() % n * 10000
                                                          : fresh);  // at times an upsert
  }
  op.values = values_of(random(), count, kCrashDim);
  if (n > 0 && random() % 3 == 0) {
    for (int i = 0; i < 3; ++i) op.deleted.push_back(random() % n * 10000 + random() % 20);
  }
  return op;
}

inline Status run(const CrashOperation& op, Store& store) {
  if (op.compact) {
    CompactOptions options;
    options.rebuild_index = op.index;
    auto done = store.compact(options);
    if (!done) return std::move(done).error();
    return {};
  }
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(op.values, kCrashDim);
  batch.ids = op.ids;
  batch.delete_ids = op.deleted;
  auto done = store.write(batch);
  if (!done) return std::move(done).error();
  return op.commit ? store.commit() : Status();
}

inline void run(const CrashOperation& op, Model& model) {
  for (const uint64_t id : op.deleted) model.erase(id);
  for (size_t i = 0; i < op.ids.size(); ++i) {
    const auto at = op.values.begin() + static_cast<std::ptrdiff_t>(i * kCrashDim);
    model[op.ids[i]] = std::vector<float>(at, at + kCrashDim);
  }
}

}  // namespace rvf::testing
