#include "support/crash_images.hpp"

#include <algorithm>
#include <cstring>

namespace rvf::testing {
namespace {

using Kind = TraceEvent::Kind;

// Which events a barrier among the first `count` made durable. What was written before a failed
// barrier stays uncertain for good: the system may have dropped it and marked it clean.
std::vector<bool> safe_events(const std::vector<TraceEvent>& events, size_t count, DiskLie lie) {
  std::vector<bool> safe(count, false);
  std::map<uint64_t, std::vector<size_t>> waiting;  // by inode; names wait under kNames
  std::map<uint64_t, std::vector<size_t>> lagging;  // for the barrier after the next
  constexpr uint64_t kNames = ~0ULL;
  for (size_t i = 0; i < count; ++i) {
    const TraceEvent& e = events[i];
    switch (e.kind) {
      case Kind::kWrite:
      case Kind::kTruncate: waiting[e.inode].push_back(i); break;
      case Kind::kSyncFailed: waiting[e.inode].clear(); break;
      case Kind::kSync:
      case Kind::kSyncParent: {
        const uint64_t what = e.kind == Kind::kSync ? e.inode : kNames;
        auto& covered = lie == DiskLie::kBarriersLag ? lagging[what] : waiting[what];
        for (const size_t c : covered) safe[c] = true;
        covered.clear();
        std::swap(lagging[what], waiting[what]);
        break;
      }
      default: waiting[kNames].push_back(i); break;
    }
  }
  return safe;
}

}  // namespace

Disk::Disk(const Image& start) {
  uint64_t inode = 1;  // numbered as TraceFileSystem does
  for (const auto& [path, bytes] : start) {
    names[path] = inode;
    files[inode++] = bytes;
  }
}

void Disk::put(uint64_t inode, uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  std::vector<std::byte>& file = files[inode];
  if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
  std::memcpy(file.data() + offset, bytes.data(), bytes.size());
}

void Disk::apply(const TraceEvent& e, uint64_t limit) {
  switch (e.kind) {
    case Kind::kCreate:
      names[e.path] = e.inode;
      files[e.inode];
      break;
    case Kind::kWrite:
      put(e.inode, e.offset, std::span(e.bytes).first(std::min<uint64_t>(limit, e.bytes.size())));
      break;
    case Kind::kTruncate:
      if (files[e.inode].size() > e.offset) cut[e.inode] = files[e.inode];
      files[e.inode].resize(e.offset);
      break;
    case Kind::kRename:
      names[e.to] = e.inode;
      names.erase(e.path);
      break;
    case Kind::kRemove: names.erase(e.path); break;
    case Kind::kSync:
    case Kind::kSyncFailed:
    case Kind::kSyncParent: break;
  }
}

Image Disk::image() const {
  Image out;
  for (const auto& [path, inode] : names) {
    const auto file = files.find(inode);
    if (file != files.end()) out[path] = file->second;
  }
  return out;
}

Image killed_after(const TraceFileSystem& fs, size_t count, uint64_t last_bytes) {
  Disk disk(fs.start());
  for (size_t i = 0; i < count; ++i) {
    disk.apply(fs.events()[i], i + 1 == count ? last_bytes : ~0ULL);
  }
  return disk.image();
}

PowerLoss::PowerLoss(const TraceFileSystem& fs, size_t count, uint64_t sector_bytes)
    : events_(fs.events()),
      count_(count),
      sector_bytes_(sector_bytes),
      safe_(safe_events(fs.events(), count, fs.lie())),
      base_(fs.start()) {
  Disk seen(fs.start());
  for (size_t i = 0; i < count; ++i) seen.apply(events_[i]);
  for (const auto& [inode, bytes] : seen.files) sizes_[inode] = bytes.size();

  first_loose_ = count;
  for (size_t i = 0; i < count; ++i) {
    const TraceEvent& e = events_[i];
    const bool barrier =
        e.kind == Kind::kSync || e.kind == Kind::kSyncFailed || e.kind == Kind::kSyncParent;
    if (safe_[i] || barrier) {
      if (first_loose_ == count) base_.apply(e);
      continue;
    }
    first_loose_ = std::min(first_loose_, i);
    if (e.kind != Kind::kWrite) {
      units_.push_back({i, 0, 0});
      continue;
    }
    for (uint64_t at = 0; at < e.bytes.size();) {
      const uint64_t to_border = sector_bytes - (e.offset + at) % sector_bytes;
      const uint64_t length = std::min(to_border, e.bytes.size() - at);
      units_.push_back({i, at, length});
      at += length;
    }
  }
}

std::vector<std::byte> PowerLoss::stale_bytes(const Disk& disk, uint64_t inode, uint64_t offset,
                                              uint64_t length, std::mt19937_64& random) const {
  std::vector<const std::vector<std::byte>*> sources;
  if (const auto cut = disk.cut.find(inode); cut != disk.cut.end()) {
    sources.push_back(&cut->second);
  }
  for (const auto& [other, bytes] : disk.files) {
    if (other != inode && bytes.size() > offset) sources.push_back(&bytes);
  }
  std::vector<std::byte> out(length);
  if (sources.empty()) return out;
  const std::vector<std::byte>& source = *sources[random() % sources.size()];
  if (source.size() > offset) {
    std::memcpy(out.data(), source.data() + offset, std::min(length, source.size() - offset));
  }
  return out;
}

void PowerLoss::apply(Disk& disk, const Unit& unit, Fate fate, std::mt19937_64* random) const {
  const TraceEvent& e = events_[unit.event];
  if (fate == Fate::kLost) return;
  if (e.kind == Kind::kRename && fate != Fate::kWritten) {
    disk.names[e.to] = e.inode;  // the old name is still there
    return;
  }
  if (e.kind != Kind::kWrite) return disk.apply(e);
  const uint64_t begin = e.offset + unit.at;
  const auto whole = std::span(e.bytes).subspan(unit.at, unit.length);
  std::vector<std::byte> other(unit.length);
  switch (fate) {
    case Fate::kWritten: return disk.put(e.inode, begin, whole);
    case Fate::kTorn: {
      // The first half of the sector, of which the write may have only a part.
      const uint64_t middle = begin / sector_bytes_ * sector_bytes_ + sector_bytes_ / 2;
      const uint64_t there = middle > begin ? std::min(middle - begin, unit.length) : 0;
      return disk.put(e.inode, begin, whole.first(there));
    }
    case Fate::kStale: other = stale_bytes(disk, e.inode, begin, unit.length, *random); break;
    case Fate::kGarbage:
      for (std::byte& b : other) b = static_cast<std::byte>((*random)());
      break;
    default: break;
  }
  disk.put(e.inode, begin, other);
}

template <class FateOf>
Image PowerLoss::play(FateOf fate_of, bool size_ahead, std::mt19937_64* random) const {
  Disk disk = base_;
  size_t next = 0;
  for (size_t i = first_loose_; i < count_; ++i) {
    if (safe_[i]) disk.apply(events_[i]);
    for (; next < units_.size() && units_[next].event == i; ++next) {
      apply(disk, units_[next], fate_of(next), random);
    }
  }
  if (size_ahead) {
    for (const auto& [inode, size] : sizes_) {
      if (disk.files[inode].size() < size) disk.files[inode].resize(size);
    }
  }
  return disk.image();
}

Image PowerLoss::subset(uint64_t reached) const {
  const auto fate = [&](size_t i) {
    return i < 64 && (reached >> i & 1) != 0 ? Fate::kWritten : Fate::kLost;
  };
  return play(fate, false, nullptr);
}

Image PowerLoss::random_subset(std::mt19937_64& random) const {
  const auto fate = [&](size_t) { return random() % 2 != 0 ? Fate::kWritten : Fate::kLost; };
  return play(fate, random() % 4 == 0, &random);
}

Image PowerLoss::damaged(std::mt19937_64& random) const {
  // From mostly intact to mostly broken: one bad sector is as telling as many.
  const uint64_t intact = random() % 4 * 4;
  const auto fate = [&](size_t) {
    if (random() % 16 < intact) return Fate::kWritten;
    return static_cast<Fate>(random() % 6);
  };
  return play(fate, random() % 4 == 0, &random);
}

}  // namespace rvf::testing
