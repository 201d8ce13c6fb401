// The n-th allocation fails, for every n of everything a store does: the call says kOutOfMemory, or
// manages without; the store holds what it held, or what the call was to make of it, in memory as in
// its file; and it goes on working.
#include <functional>

#include "../api/store_fixture.hpp"
#include "corruption/failing_memory.hpp"
#include "corruption/stopwatch.hpp"
#include "support/plant_bug.hpp"
#include "support/reliability_line.hpp"
#include "support/rich_store.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

// One thing that a program does with an open store.
struct Operation {
  const char* name;
  std::function<Status(Store&)> run;
  bool writes = true;
  const RichStore* store = nullptr;  // null: the small one
  uint64_t stride = 1;  // of the allocations that fail, in the short form
};

template <class T>
Status status_of(const Result<T>& r) {
  return r ? Status() : Status(r.error());
}

Status ingest(Store& s, std::span<const std::string> keys) {
  static const auto values = values_of(5, 8, kRichDim);
  return status_of(s.ingest(Vectors{values.data(), DType::kF32, keys.size(), kRichDim}, keys, {}));
}

Status ingest_with_fields(Store& s) {
  static const auto values = values_of(6, 3, kRichDim);
  static const std::vector<std::string> keys = {"new 1", "key 3", "new 2"};
  static const std::vector<Column> columns = {
      {"year", FieldType::kI64, {int64_t{1}, int64_t{2}, int64_t{3}}},
      {"text", FieldType::kString, {std::string("a storm"), std::string("b"), std::string("c")}},
      {"another", FieldType::kF64, {1.0, 2.0, std::monostate{}}}};
  return status_of(s.ingest(Vectors::from_f32(values, kRichDim), keys, columns));
}

Status attach(Store& s) {
  static const std::vector<Attachment> list = {
      {0xF3, 0, true, std::vector<std::byte>(3000, std::byte{7})}};
  WriteBatch batch;
  batch.attach = list;
  return status_of(s.write(batch));
}

Status ask(Store& s, const QueryOptions& options) {
  static const auto vector = values_of(3, 1, kRichDim);
  const auto snapshot = s.snapshot();
  if (!snapshot) return Status(snapshot.error());
  return status_of(snapshot->query(std::span(vector).first(snapshot->dimension()), options));
}

std::vector<Operation> operations() {
  std::vector<Operation> all;
  all.push_back({"ingest", [](Store& s) {
                   static const std::vector<std::string> keys = {"new 1", "new 2"};
                   return ingest(s, keys);
                 }});
  all.push_back({"ingest, replacing", [](Store& s) {
                   static const std::vector<std::string> keys = {"key 9", "key 3", "late 6", "new"};
                   return ingest(s, keys);
                 }});
  all.push_back({"ingest with fields", ingest_with_fields});
  all.push_back({"remove", [](Store& s) {
                   static const std::vector<std::string> keys = {"key 1", "key 2", "late 10"};
                   return status_of(s.remove(keys));
                 }});
  all.push_back(
      {"remove where", [](Store& s) { return status_of(s.remove_where("tag = 'red'")); }});
  all.push_back({"update", [](Store& s) {
                   static const std::vector<std::string> keys = {"key 11", "key 12"};
                   static const std::vector<Column> c = {{"score", FieldType::kF64, {1.5, 2.5}}};
                   return status_of(s.update_metadata(keys, c));
                 }});
  all.push_back({"define a field", [](Store& s) {
                   static const std::vector<Field> f = {{"colour", FieldType::kEnum, kIndexValues}};
                   return s.define_fields(f);
                 }});
  all.push_back({"attach", attach});
  all.push_back({"rollback", [](Store& s) {
                   const auto epochs = s.epochs();
                   if (!epochs) return Status(epochs.error());
                   return status_of(s.rollback((*epochs)[2].epoch));
                 }});
  all.push_back({"compact", [](Store& s) { return status_of(s.compact()); }, true, nullptr, 3});
  all.push_back({"compact to tiers",
                 [](Store& s) {
                   CompactOptions o;
                   o.tiers = true;
                   return status_of(s.compact(o));
                 },
                 true, nullptr, 7});
  all.push_back({"query", [](Store& s) { return ask(s, {.k = 5}); }, false});
  all.push_back({"query, filtered",
                 [](Store& s) {
                   static const QueryOptions o = {.k = 5,
                                                  .filter = "year > 2000 and text match 'storm'"};
                   return ask(s, o);
                 },
                 false});
  all.push_back({"query, grouped",
                 [](Store& s) {
                   static const QueryOptions o = {.k = 3, .group_by = "tag"};
                   return ask(s, o);
                 },
                 false});
  all.push_back({"words and vector",
                 [](Store& s) {
                   static const HybridOptions o = [] {
                     HybridOptions made;
                     made.words = "storm harbour";
                     return made;
                   }();
                   static const auto vector = values_of(2, 1, kRichDim);
                   const auto snapshot = s.snapshot();
                   if (!snapshot) return Status(snapshot.error());
                   return status_of(snapshot->hybrid(vector, o));
                 },
                 false});
  all.push_back({"record, key, count by",
                 [](Store& s) -> Status {
                   RVF_ASSIGN(const Snapshot snapshot, s.snapshot());
                   RVF_ASSIGN(const uint64_t handle, snapshot.id_of("key 17"));
                   RVF_TRY(status_of(snapshot.record(handle)));
                   RVF_TRY(status_of(snapshot.key(handle)));
                   static const std::string tag = "tag";
                   static const ScanOptions scan = {.filter = "year > 2000"};
                   RVF_TRY(status_of(snapshot.count_by(tag)));
                   return status_of(snapshot.scan(scan));
                 },
                 false});
  all.push_back(
      {"verify", [](Store& s) { return status_of(s.verify({.deep = true})); }, false, nullptr, 11});
  all.push_back({"query a graph", [](Store& s) { return ask(s, {.k = 5}); }, false, &graph()});
  all.push_back({"extend a graph", [](Store& s) { return s.build_index(); }, true, &graph(), 97});
  all.push_back(
      {"compact a graph", [](Store& s) { return status_of(s.compact()); }, true, &graph(), 151});
  return all;
}

// A store of its own for every allocation that fails.
struct Fresh {
  std::shared_ptr<io::FileSystem> fs = io::memory_file_system();
  std::string path;
  explicit Fresh(const RichStore& store) : path(store.path) { put_bytes(*fs, path, store.bytes); }
  OpenOptions options() const {
    OpenOptions o;
    o.file_system = fs;
    o.index_policy = IndexPolicy::kManual;
    return o;
  }
};

Answers now(const Store& s) {
  const auto snapshot = s.snapshot();
  return snapshot ? answers_of(s, *snapshot) : Answers{{"snapshot", "!"}};
}

// Which error a call may end with while memory fails; empty if this one.
std::string unfit(const Status& s) {
  if (s || s.error().code == ErrorCode::kOutOfMemory) return {};
  return std::string("another error: ") + error_name(s.error().code) + " " + s.error().message;
}

// Empty, or what went wrong when the n-th allocation failed.
std::string attempt(const Operation& op, uint64_t nth, bool sticky, const Answers& after,
                    bool& fired) {
  const RichStore& origin = op.store != nullptr ? *op.store : rich();
  const Fresh fresh(origin);
  auto store = Store::open(fresh.path, fresh.options());
  if (!store) return "the store does not open";
  Status done;
  FailingMemory::arm(nth, sticky);
  try {
    done = op.run(*store);
  } catch (const std::exception& e) {
    FailingMemory::disarm();
    return std::string("an exception: ") + e.what();
  }
  FailingMemory::disarm();
  fired = FailingMemory::fired();
  if (const std::string other = unfit(done); !other.empty()) return other;

  const Answers here = now(*store);
  const Answers& before = origin.newest();
  const bool old_state = here == before;
  const bool new_state = here == after;
  if (!old_state && !new_state)
    return "neither the old state nor the new: " + contradiction(before, here) + " / " +
           contradiction(after, here);
  if (done && op.writes && !new_state) return "says that it is done, and is not";
  if (!op.run(*store) && old_state) return "does not work afterwards";
  const Answers last = now(*store);
  if (!store->close()) return "does not close";
  auto again = Store::open(fresh.path, fresh.options());
  if (!again) return "does not open afterwards: " + again.error().message;
  if (again->status().recovery.recovered) return "has to recover afterwards";
  if (now(*again) != last) return "the file holds something else than memory did";
  const auto report = again->verify({.deep = true});
  if (!report) return "cannot be verified";
  if (!report->problems.empty()) return "is damaged: " + report->problems.front().message;
  return {};
}

Answers after_of(const Operation& op) {
  const Fresh fresh(op.store != nullptr ? *op.store : rich());
  auto store = Store::open(fresh.path, fresh.options());
  const Status done = op.run(*store);
  EXPECT_TRUE(done.ok()) << op.name << (done ? "" : done.error().message);
  return now(*store);
}

struct Figures {
  uint64_t runs = 0;
  uint64_t failures = 0;
  std::string first;
};

void fail_all(const Operation& op, uint64_t stride, Figures& figures) {
  const Answers after = after_of(op);
  const uint64_t begun = figures.failures;
  for (const bool sticky : {false, true}) {
    uint64_t reached = 0;
    for (uint64_t n = 1;; n += stride) {
      bool fired = false;
      const std::string problem = attempt(op, n, sticky, after, fired);
      ++figures.runs;
      if (!problem.empty()) {
        if (figures.failures - begun < 3) {
          std::printf("%s, allocation %llu%s: %s\n", op.name, static_cast<unsigned long long>(n),
                      sticky ? " and on" : "", problem.c_str());
        }
        if (figures.failures++ == 0) {
          figures.first = std::string(op.name) + ", allocation " + std::to_string(n) +
                          (sticky ? " and all after it: " : ": ") + problem;
        }
      }
      if (!fired && problem.empty()) break;
      ++reached;
      if (n > 3'000'000) break;
    }
    EXPECT_GT(reached, 0U) << op.name;
  }
}

class FailingAllocations : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!FailingMemory::works()) GTEST_SKIP() << "a sanitizer has the allocation functions";
  }
};

TEST_F(FailingAllocations, NoOperationCrashesOrLosesAnythingWhereMemoryRunsOut) {
  const Stopwatch watch;
  Figures figures;
  for (const Operation& op : operations()) {
    const Figures before = figures;
    fail_all(op, long_form() ? (op.store != nullptr ? 7 : 1) : op.stride, figures);
    std::printf("%s: %llu runs, %llu failures\n", op.name,
                static_cast<unsigned long long>(figures.runs - before.runs),
                static_cast<unsigned long long>(figures.failures - before.failures));
  }
  print_reliability("memory faults", figures.runs, figures.failures, 0, watch.seconds(),
                    "20 operations, once and for ever");
  EXPECT_EQ(figures.failures, 0U) << figures.first;
}

TEST_F(FailingAllocations, OpeningAndCreatingSayThatMemoryRanOut) {
  const Stopwatch watch;
  Figures figures;
  for (int kind = 0; kind < 4; ++kind) {
    for (const bool sticky : {false, true}) {
      for (uint64_t n = 1;; ++n) {
        const Fresh fresh(kind == 3 ? graph() : rich());
        const OpenOptions o = fresh.options();
        CreateOptions c;
        c.dimension = 3;
        const std::string path = kind == 2 ? "new.rvf" : fresh.path;
        Status done;
        bool thrown = false;
        FailingMemory::arm(n, sticky);
        try {
          done = status_of(kind == 0   ? Store::open(path, o)
                           : kind == 2 ? Store::create(path, c, o)
                                       : Store::open_readonly(path, o));
        } catch (...) {
          thrown = true;
        }
        FailingMemory::disarm();
        std::string problem = thrown ? "an exception" : unfit(done);
        if (problem.empty() && kind == 2 && !done) {
          // Nothing is left that would keep the next try from working.
          if (!Store::create(path, c, o)) problem = "cannot be created afterwards";
        } else if (problem.empty()) {
          const auto again = Store::open(path, o);
          if (!again) problem = "does not open afterwards";
          if (again && kind != 2 && now(*again) != (kind == 3 ? graph() : rich()).newest()) {
            problem = "holds something else afterwards";
          }
        }
        ++figures.runs;
        if (!problem.empty() && figures.failures++ == 0) {
          figures.first =
              "kind " + std::to_string(kind) + ", allocation " + std::to_string(n) + ": " + problem;
        }
        if (!FailingMemory::fired()) break;
      }
    }
  }
  print_reliability("memory faults, open and create", figures.runs, figures.failures, 0,
                    watch.seconds(), "every allocation, once and for ever");
  EXPECT_EQ(figures.failures, 0U) << figures.first;
}

// The largest piece of memory asked for by whoever opens and reads the store with these bits other.
uint64_t largest_piece(uint64_t stride, uint64_t& runs) {
  const Fresh fresh(rich());
  auto file = std::move(*fresh.fs->open(fresh.path, io::OpenMode::kReadWrite));
  OpenOptions o = fresh.options();
  o.verify_at_open = 0;  // so that damaged fields reach their decoders
  uint64_t largest = 0;
  for (uint64_t bit = 0; bit < rich().bytes.size() * 8; bit += stride, ++runs) {
    const std::byte was = rich().bytes[bit / 8];
    const std::byte now_it_is = was ^ std::byte(1U << bit % 8);
    EXPECT_TRUE(file->write(bit / 8, std::span(&now_it_is, 1)).ok());
    FailingMemory::arm(0, false);
    {
      const auto store = Store::open_readonly(fresh.path, o);
      if (store) (void)now(*store);
    }
    FailingMemory::disarm();
    largest = std::max(largest, FailingMemory::largest());
    EXPECT_TRUE(file->write(bit / 8, std::span(&was, 1)).ok());
  }
  return largest;
}

TEST_F(FailingAllocations, NoDamagedSizeIsAllocatedBeforeItIsChecked) {
  const Stopwatch watch;
  uint64_t runs = 0;
  // Directories are decoded as they lie there, as a forger's would be, whose hashes fit.
  const uint64_t bound = rich().bytes.size() * 16;
  (void)graph();
  const PlantBug bug(PlantedBug::kIgnoreManifestHash);
  const uint64_t largest = largest_piece(long_form() ? 1 : 41, runs);
  print_reliability("memory taken for damaged sizes", runs, largest > bound, 0, watch.seconds(),
                    "at most " + std::to_string(largest) + " bytes at once");
  EXPECT_LE(largest, bound);
}

TEST_F(FailingAllocations, ALibraryThatKeepsAFailedBatchIsCaught) {
  const Stopwatch watch;
  (void)rich();
  Figures figures;
  const auto all = operations();
  {
    const PlantBug bug(PlantedBug::kKeepFailedBatch);
    fail_all(all[2], 5, figures);
  }
  print_reliability("planted: failed batch kept", 1, figures.failures == 0, 0, watch.seconds(),
                    figures.first);
  EXPECT_GT(figures.failures, 0U);
}

}  // namespace
}  // namespace rvf::testing
