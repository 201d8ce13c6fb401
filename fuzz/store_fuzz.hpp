// What the targets of whole files share: a memory file system with the input as a file in it, and
// everything that can be asked of a store that opens.
#pragma once
#include <algorithm>
#include <string>

#include "fuzz.hpp"
#include "io/file.hpp"
#include "rvf/store.hpp"
#include "types/planted_bug.hpp"

namespace rvf::fuzz {

// Hashes would hide all that lies behind them from a fuzzer, and a forger writes ones that fit.
class BelieveHashes {
 public:
  BelieveHashes() { planted_bug_now = static_cast<uint32_t>(PlantedBug::kBelieveEveryHash); }
  ~BelieveHashes() { planted_bug_now = 0; }
  BelieveHashes(const BelieveHashes&) = delete;
  BelieveHashes& operator=(const BelieveHashes&) = delete;
};

inline std::shared_ptr<io::FileSystem> files_with(const std::string& path, wire::ByteSpan input) {
  auto fs = io::memory_file_system();
  auto file = fs->open(path, io::OpenMode::kCreateNew);
  require(file.ok() && (*file)->write(0, input).ok());
  return fs;
}

inline OpenOptions options_for(std::shared_ptr<io::FileSystem> fs) {
  OpenOptions o;
  o.file_system = std::move(fs);
  o.memory_budget = 64U << 20;
  o.index_policy = IndexPolicy::kManual;
  return o;
}

template <class T>
void explained(const Result<T>& result) {
  require(result.ok() || !result.error().message.empty());
}

inline void ask_everything(const Store& store) {
  const auto snapshot = store.snapshot();
  if (!snapshot) return explained(snapshot);
  (void)store.status();
  explained(store.epochs());
  explained(store.verify({.deep = true}));
  const auto size = snapshot->size();
  explained(size);
  // More is allowed, but nothing that a fuzzer has the time for.
  if (size && *size > 100'000) return;
  const std::vector<float> query(std::min<uint32_t>(snapshot->dimension(), kMaxDimension), 1.0F);
  explained(snapshot->query(query, {.k = 3}));
  explained(snapshot->query(query, {.k = 3, .exact = true, .filter = "id >= 1"}));
  const auto ids = snapshot->ids();
  explained(ids);
  for (size_t i = 0; ids && i < ids->size() && i < 4; ++i) {
    explained(snapshot->get((*ids)[i]));
    explained(snapshot->record((*ids)[i]));
    explained(snapshot->key((*ids)[i]));
  }
  explained(snapshot->id_of("key/1"));
  const auto fields = snapshot->fields();
  for (size_t i = 0; i < fields.size() && i < 8; ++i) {
    const std::string name = "`" + fields[i].name + "`";
    explained(snapshot->count(name + " is null"));
    explained(snapshot->count(name + " > 3"));
    explained(snapshot->count(name + " = 'red'"));
    explained(snapshot->count_by(fields[i].name));
    if ((fields[i].indexed & kIndexWords) == 0) continue;
    HybridOptions words;
    words.words = "red foxes";
    words.text_field = fields[i].name;
    explained(snapshot->hybrid({}, words));
  }
  const auto segments = snapshot->segments();
  explained(segments);
  for (size_t i = 0; segments && i < segments->size() && i < 20; ++i) {
    explained(snapshot->payload((*segments)[i].segment_id));
  }
}

}  // namespace rvf::fuzz
