#include "concurrency/versions.hpp"

#include <algorithm>

#include "types/splitmix.hpp"

namespace rvf::testing {
namespace {

uint64_t group_of(uint64_t v) { return splitmix64(v * kSplitmixStep) % kGroups; }
bool deletes(uint64_t v) { return splitmix64(v * kSplitmixStep) / kGroups % 4 == 0; }

// Values of a vector from a number, exact in a float.
void put_values(uint64_t number, float* out) {
  for (uint32_t i = 0; i < kVersionDim; ++i) {
    out[i] = static_cast<float>(splitmix64(number + i) & 0xFFFF);
  }
}

std::array<uint64_t, kGroup> ids_of(uint64_t group) {
  std::array<uint64_t, kGroup> ids{};
  for (uint64_t i = 0; i < kGroup; ++i) ids[i] = group * kGroup + i;
  return ids;
}

std::string number(uint64_t n) { return std::to_string(n); }

}  // namespace

Status write_version(Store& store, uint64_t v) {
  const bool removal = deletes(v);
  std::vector<uint64_t> ids = {kClock};
  std::vector<float> values(kVersionDim);
  // 2^24 is the last whole number that a float counts to.
  values[0] = static_cast<float>(v & 0xFFF);
  values[1] = static_cast<float>(v >> 12 & 0xFFF);
  values[2] = static_cast<float>(v >> 24);
  const auto group = ids_of(group_of(v));
  if (!removal) {
    ids.insert(ids.end(), group.begin(), group.end());
    values.resize(kVersionDim * ids.size());
    for (size_t i = 1; i < ids.size(); ++i) put_values(v, values.data() + i * kVersionDim);
  }
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(values, kVersionDim);
  batch.ids = ids;
  if (removal) batch.delete_ids = group;
  auto done = store.write(batch);
  if (!done) return std::move(done).error();
  return {};
}

Result<uint64_t> version_of(const Snapshot& snapshot) {
  RVF_ASSIGN(const auto clock, snapshot.get(kClock));
  // Another row in its place must not be taken for a version, to which the checker would count on.
  const bool is_clock = clock[0] <= 0xFFF && clock[1] <= 0xFFF &&
                        std::all_of(clock.begin() + 3, clock.end(), [](float x) { return x == 0; });
  if (!is_clock) return Error(ErrorCode::kCorrupt, "the row of the version is another row");
  return static_cast<uint64_t>(clock[0]) | static_cast<uint64_t>(clock[1]) << 12 |
         static_cast<uint64_t>(clock[2]) << 24;
}

void VersionChecker::advance(uint64_t to) {
  while (version_ < to) {
    ++version_;
    uint64_t& written = written_[group_of(version_)];
    const uint64_t now = deletes(version_) ? 0 : version_;
    groups_there_ += now != 0;
    groups_there_ -= written != 0;
    written = now;
  }
}

std::string VersionChecker::check_group(const Snapshot& snapshot, uint64_t group) const {
  std::vector<float> expected(kVersionDim);
  put_values(written_[group], expected.data());
  for (const uint64_t id : ids_of(group)) {
    const auto found = snapshot.get(id);
    if (found.ok() != (written_[group] != 0)) {
      return "version " + number(version_) + ": id " + number(id) +
             (found.ok() ? " is there, which was deleted" : " is missing");
    }
    if (found.ok() && *found != expected) {
      return "version " + number(version_) + ": id " + number(id) + " is of another version";
    }
  }
  return {};
}

std::string VersionChecker::check(const Snapshot& snapshot, uint64_t seed) {
  const auto version = version_of(snapshot);
  if (!version) return "no version: " + version.error().message;
  if (*version < version_) {
    return "version " + number(*version) + " came after version " + number(version_);
  }
  advance(*version);
  const auto ids = *snapshot.ids();
  const uint64_t rows = groups_there_ * kGroup + 1;
  if (ids.size() != rows || *snapshot.size() != rows) {
    return "version " + number(version_) + " has " + number(ids.size()) + " rows instead of " +
           number(rows);
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i > 0 && ids[i] == ids[i - 1]) return "id " + number(ids[i]) + " is there twice";
    if (ids[i] != kClock && written_[ids[i] / kGroup] == 0) return "a deleted id is there";
  }
  for (uint64_t i = 0; i < 4; ++i) {
    const uint64_t group = splitmix64(seed + i) % kGroups;
    std::string wrong = check_group(snapshot, group);
    if (!wrong.empty()) return wrong;
  }
  std::vector<float> query(kVersionDim);
  put_values(seed, query.data());
  const auto found = snapshot.query(query, {.k = 10, .exact = seed % 2 == 0});
  if (!found) return "a query failed: " + found.error().message;
  if (found->neighbors.size() != std::min<uint64_t>(10, rows)) return "an answer is incomplete";
  for (const Neighbor& n : found->neighbors) {
    if (!*snapshot.contains(n.id)) return "a query found what is not there";
  }
  return {};
}

}  // namespace rvf::testing
