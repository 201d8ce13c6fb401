// What a disk may hold after a crash at any moment of a store's life: each image has to open with
// everything that was acknowledged as durable, and with nothing half done.
#include <functional>
#include <string>

#include "../api/store_fixture.hpp"
#include "support/store_model.hpp"
#include "support/trace_file_system.hpp"

namespace rvf::testing {
namespace {

constexpr uint32_t kDim = 8;
constexpr uint64_t kSeed = 20261121;
const std::string kPath = "s.rvf";

// The store after an acknowledged operation.
struct State {
  size_t event = 0;  // of the trace, when the call returned
  Model model;
  bool durable = false;  // also across a power loss
};

struct History {
  std::shared_ptr<TraceFileSystem> fs;
  std::vector<State> states;  // the first is that of create()
};

// About twelve commits: ingests in three modes, upserts, deletes, a rollback and two compactions.
History live(uint64_t seed, bool drop_barriers) {
  History h;
  h.fs = std::make_shared<TraceFileSystem>(drop_barriers);
  std::mt19937_64 random(seed);
  OpenOptions o;
  o.file_system = h.fs;
  CreateOptions c;
  c.dimension = kDim;
  auto created = Store::create(kPath, c, o);
  EXPECT_TRUE(created.ok());
  Store s = std::move(*created);
  const auto done = [&](bool durable) {
    h.states.push_back({h.fs->size(), content_of(*s.snapshot()), durable});
  };
  const auto reopen = [&](Durability durability) {
    EXPECT_TRUE(s.close().ok());
    o.durability = durability;
    s = std::move(*Store::open(kPath, o));
  };
  const auto ingest = [&](size_t n, std::span<const uint64_t> ids = {}) {
    const auto values = values_of(random(), n, kDim);
    EXPECT_TRUE(s.ingest(Vectors::from_f32(values, kDim), ids).ok());
  };
  done(true);
  ingest(5 + random() % 20);
  done(true);
  ingest(3);
  done(true);
  ingest(3, std::vector<uint64_t>{1, 2, 500});
  done(true);
  EXPECT_TRUE(s.remove(std::vector<uint64_t>{0, 3}).ok());
  done(true);
  const uint32_t marked = s.status().epoch;
  reopen(Durability::kFlush);
  ingest(4);
  done(false);
  ingest(2, std::vector<uint64_t>{1, 600});
  done(false);
  EXPECT_TRUE(s.commit().ok());
  done(true);
  if (seed % 2 == 0) {
    EXPECT_TRUE(s.rollback(marked).ok());
    done(true);
  }
  EXPECT_TRUE(s.compact().ok());
  done(true);
  reopen(Durability::kSync);
  ingest(7);
  done(true);
  EXPECT_TRUE(s.remove(std::vector<uint64_t>{500}).ok());
  done(true);
  CompactOptions plain;
  plain.rebuild_index = false;
  EXPECT_TRUE(s.compact(plain).ok());
  done(true);
  ingest(2);
  done(true);
  EXPECT_TRUE(s.close().ok());
  return h;
}

// Empty if the image is as good as promised after the first `events` events.
std::string check(const Image& image, const History& h, size_t events, bool power_lost) {
  size_t floor = h.states.size();  // the newest state that must be there
  size_t ceiling = 0;  // the oldest one that had not begun
  for (size_t i = 0; i < h.states.size(); ++i) {
    if (h.states[i].event > events) break;
    ceiling = i;
    if (h.states[i].durable || !power_lost) floor = i;
  }
  if (floor == h.states.size()) return {};  // create() had not returned
  ceiling = std::min(ceiling + 1, h.states.size() - 1);

  auto fs = files_of(image);
  const Inspection once = inspect(kPath, fs);
  if (!once.problem.empty()) return once.problem;
  std::string nearest;
  bool known = false;
  for (size_t i = floor; i <= ceiling && !known; ++i) {
    nearest = difference(h.states[i].model, once.content);
    known = nearest.empty();
  }
  if (!known) return "is neither of the states it may be: " + nearest;
  const RecoveryInfo& r = once.status.recovery;
  if (r.recovered != (r.ignored_bytes > 0)) return "does not report its recovery";

  OpenOptions o;
  o.file_system = fs;
  auto again = Store::open(kPath, o);
  if (!again) return "does not open for writing: " + again.error().message;
  const std::vector<float> one(kDim, 1.0F);
  const std::vector<uint64_t> id = {77777};
  if (!again->ingest(Vectors::from_f32(one, kDim), id)) return "cannot be written";
  if (!again->remove(id)) return "cannot be written";
  if (!again->close()) return "cannot be closed";
  const Inspection twice = inspect(kPath, fs);
  if (!twice.problem.empty()) return "after recovery: " + twice.problem;
  if (twice.status.recovery.recovered) return "recovers again after a commit";
  const std::string changed = difference(once.content, twice.content);
  return changed.empty() ? changed : "recovering twice differs: " + changed;
}

TEST(CrashImage, EveryPrefixOfTheWritesAndEveryCutOfTheLastOneOpens) {
  size_t images = 0;
  const History h = live(kSeed, false);
  const auto& events = h.fs->events();
  for (size_t n = 1; n <= events.size(); ++n) {
    const bool write = events[n - 1].kind == TraceEvent::Kind::kWrite;
    const uint64_t length = write ? events[n - 1].bytes.size() : 0;
    for (uint64_t cut = 0; cut < length; cut += 64, ++images) {
      const std::string problem = check(h.fs->killed_after(n, cut), h, n - 1, false);
      ASSERT_EQ(problem, "") << "event " << n << " cut at " << cut;
    }
    const std::string problem = check(h.fs->killed_after(n), h, n, false);
    ASSERT_EQ(problem, "") << "after event " << n;
    ++images;
  }
  std::printf("images: prefixes=%zu violations=0\n", images);
  EXPECT_GT(images, 500U);
}

// Random images of several lives; returns how many break the promise, and the first reason.
size_t power_failures(size_t images, bool drop_barriers, std::string& first) {
  size_t violations = 0;
  constexpr size_t kLives = 8;
  for (uint64_t l = 0; l < kLives; ++l) {
    const History h = live(kSeed + l, drop_barriers);
    std::mt19937_64 random(kSeed * 31 + l);
    for (size_t i = 0; i < images / kLives; ++i) {
      const size_t n = 1 + random() % h.fs->size();
      const std::string problem = check(h.fs->powerless_after(n, random), h, n, true);
      if (problem.empty()) continue;
      if (violations++ == 0) {
        first = "life " + std::to_string(l) + ", event " + std::to_string(n) + ": " + problem;
      }
    }
  }
  return violations;
}

TEST(CrashImage, AnyMixtureOfUnsyncedSectorsOpensWithEverythingThatWasDurable) {
  const auto images = static_cast<size_t>(number_from_env("RVF_CRASH_IMAGES", 4000));
  std::string first;
  const size_t violations = power_failures(images, false, first);
  std::printf("images: power=%zu violations=%zu seed=%llu\n", images, violations,
              static_cast<unsigned long long>(kSeed));
  EXPECT_EQ(violations, 0U) << first;
}

TEST(CrashImage, ADiskThatOnlyClaimsToSyncIsFoundOutByTheseTests) {
  std::string first;
  EXPECT_GT(power_failures(800, true, first), 50U);
}

}  // namespace
}  // namespace rvf::testing
