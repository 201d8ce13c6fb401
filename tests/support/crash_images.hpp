// What a disk may hold after a crash, made from a trace.
//
// A killed process leaves a prefix of its changes. A power loss leaves everything that a barrier
// covered, and of the rest any mixture: each sector of a write, each truncation and each change of
// the folder may have reached the disk or not. Besides lost, a sector may be torn (its first half
// is there), zeroed, stale (bytes that lay there before a truncation, or in another file) or
// garbage; the size of a file may be ahead of its data; a rename may have added the new name
// without removing the old one. Bytes that were durable stay: no disk is expected to harm what a
// write does not touch.
#pragma once
#include <random>

#include "support/trace_file_system.hpp"

namespace rvf::testing {

// Names and contents while events are played back.
struct Disk {
  std::map<std::string, uint64_t> names;
  std::map<uint64_t, std::vector<std::byte>> files;
  std::map<uint64_t, std::vector<std::byte>> cut;  // what truncations took away, at its place

  explicit Disk(const Image& start);
  void apply(const TraceEvent& e, uint64_t limit = ~0ULL);  // of a write only `limit` bytes
  void put(uint64_t inode, uint64_t offset, std::span<const std::byte> bytes);
  Image image() const;
};

// The process died: the first `count` events happened, the last write only up to `last_bytes`.
Image killed_after(const TraceFileSystem& fs, size_t count, uint64_t last_bytes = ~0ULL);

// The power failed after the first `count` events.
class PowerLoss {
 public:
  PowerLoss(const TraceFileSystem& fs, size_t count, uint64_t sector_bytes);

  // What no barrier covers: sectors, truncations, changes of the folder, each lost or not.
  size_t units() const { return units_.size(); }
  // Unit i reached the disk if bit i is set; those from the 64th on did not.
  Image subset(uint64_t reached) const;
  Image random_subset(std::mt19937_64& random) const;
  // Each sector also torn, zeroed, stale or garbage.
  Image damaged(std::mt19937_64& random) const;

 private:
  struct Unit {
    size_t event = 0;
    uint64_t at = 0, length = 0;  // of the event's bytes
  };
  enum class Fate { kLost, kWritten, kTorn, kZeroed, kStale, kGarbage };
  template <class FateOf>
  Image play(FateOf fate_of, bool size_ahead, std::mt19937_64* random) const;
  void apply(Disk& disk, const Unit& unit, Fate fate, std::mt19937_64* random) const;
  std::vector<std::byte> stale_bytes(const Disk& disk, uint64_t inode, uint64_t offset,
                                     uint64_t length, std::mt19937_64& random) const;

  const std::vector<TraceEvent>& events_;
  size_t count_ = 0;
  uint64_t sector_bytes_ = 0;
  std::vector<bool> safe_;  // by event: on the disk for certain
  std::vector<Unit> units_;
  size_t first_loose_ = 0;
  Disk base_;  // after the events before first_loose_
  std::map<uint64_t, uint64_t> sizes_;  // of the files as the process saw them
};

}  // namespace rvf::testing
