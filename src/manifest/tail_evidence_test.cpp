#include "manifest/tail_evidence.hpp"

#include <gtest/gtest.h>

#include <random>

#include "manifest/manifest_test_util.hpp"

namespace rvf::manifest {
namespace {

using Bytes = std::vector<std::byte>;

// A log of some commits, of which the last one is harmed: it begins at `manifest`.
struct Harmed {
  Bytes bytes;
  uint64_t manifest = 0;
  wire::Root before;

  explicit Harmed(int commits) {
    LogMaker m;
    m.file_id = {9, 8, 7, 6, 5, 4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 0; i < commits; ++i) m.commit();
    before = m.log.root();
    manifest = m.size();
    m.commit();
    bytes.resize(m.size());
    EXPECT_TRUE(m.file->read(0, bytes).ok());
  }
  uint64_t root() const { return bytes.size() - kRootSize; }
  bool judged_whole(const Bytes& harmed) const {
    const auto file = io::memory_file(harmed);
    const auto whole = was_whole(*file, harmed.size() - kRootSize, before);
    EXPECT_TRUE(whole.ok());
    return whole.ok() && *whole;
  }
};

TEST(TailEvidence, AManifestThatIsWholeIsNoDamage) {
  const Harmed h(5);
  EXPECT_FALSE(h.judged_whole(h.bytes));
}

// After each number of commits the manifest stands at another place in its sectors. Some bytes of
// its header mean nothing.
TEST(TailEvidence, OneWrongByteAnywhereIsFoundOut) {
  for (const int commits : {1, 2, 3, 4, 5}) {
    const Harmed h(commits);
    for (uint64_t at = h.manifest; at < h.bytes.size(); at += 1 + at % 3) {
      Bytes harmed = h.bytes;
      harmed[at] ^= std::byte(1U << at % 8);
      const auto found = find_manifest(*io::memory_file(harmed), nullptr);
      if (found && found->at_tail) continue;
      EXPECT_TRUE(h.judged_whole(harmed)) << commits << " commits, byte " << at - h.manifest;
    }
  }
}

TEST(TailEvidence, UpToFourBytesOfTheRootAreFoundOut) {
  std::mt19937 random(7);
  const Harmed h(3);
  const uint64_t checksum = h.bytes.size() - 4;
  for (uint64_t at = h.root(); at < h.bytes.size(); ++at) {
    Bytes harmed = h.bytes;
    const uint64_t end = at < checksum ? checksum : h.bytes.size();
    for (uint64_t i = 0; i < 1 + at % 4 && at + i < end; ++i)
      harmed[at + i] ^= std::byte(1 + random() % 255);
    EXPECT_TRUE(h.judged_whole(harmed)) << at - h.root();
  }
}

// Any mixture of half-sectors that a power loss left out, zeroed or filled with garbage.
TEST(TailEvidence, WhatATornWriteMayHaveLeftIsNotTakenForDamage) {
  std::mt19937_64 random(11);
  for (const int commits : {1, 2, 3, 4, 5}) {
    const Harmed h(commits);
    for (int run = 0; run < 2000; ++run) {
      Bytes torn = h.bytes;
      bool harmed = false;
      const bool garbage = run % 2 == 1;
      for (uint64_t at = h.manifest; at < torn.size();) {
        const uint64_t end = std::min<uint64_t>(torn.size(), (at / 256 + 1) * 256);
        if (random() % 3 == 0) {
          for (uint64_t i = at; i < end; ++i) {
            torn[i] = garbage ? static_cast<std::byte>(random()) : std::byte{0};
          }
          harmed = true;
        }
        at = end;
      }
      if (harmed) {
        EXPECT_FALSE(h.judged_whole(torn)) << commits << " commits, run " << run;
      }
    }
  }
}

}  // namespace
}  // namespace rvf::manifest
