#include "manifest/tail_scan.hpp"

#include <algorithm>

#include "manifest/tail_evidence.hpp"

namespace rvf::manifest {
namespace {

constexpr uint64_t kChunk = 1U << 20;
// A candidate's Level 1 is hashed only while the total stays within this multiple of the file, so a
// file made of nothing but plausible roots cannot make the scan quadratic.
constexpr uint64_t kHashBudgetFactor = 4;
constexpr size_t kMostJudged = 16;

Error not_found(const io::File& file, uint64_t size, const Found& seen) {
  if (size == 0)
    return {ErrorCode::kNotAStore, "the file is empty; create a store with `rvf create`"};
  if (seen.rejected > 0) {
    return {ErrorCode::kManifestNotFound, "no intact manifest: " + std::to_string(seen.rejected) +
                                              " damaged one(s) found, the newest: " + seen.reason};
  }
  std::array<std::byte, 4> first{};
  uint32_t magic = 0;
  if (size >= 4 && file.read(0, first)) std::memcpy(&magic, first.data(), 4);
  if (magic == kSegmentMagic) {
    return {ErrorCode::kManifestNotFound,
            "the file has RVF segments but no native root; it is either cut off before its first "
            "commit "
            "or in another RVF layout"};
  }
  return {ErrorCode::kNotAStore, "this is not an RVF file"};
}

// A manifest is tried in the order of trust: root, content hash, chain, then the caller's checks.
Result<ManifestLog> try_root(const io::File& file, const wire::Root& root, const Accept& accept) {
  RVF_ASSIGN(ManifestLog log, ManifestLog::load(file, root));
  if (accept) RVF_TRY(accept(log));
  return log;
}

bool plausible(const wire::Root& root, uint64_t root_offset) {
  return root.level1_offset >= kSegmentHeaderSize && root.level1_offset % kSegmentAlignment == 0 &&
         root.level1_length <= kMaxLevel1 && root.level1_offset <= root_offset &&
         root_offset - root.level1_offset == root.level1_length;
}

class Scanner {
 public:
  Scanner(const io::File& file, uint64_t size, const Accept& accept, Found& out)
      : file_(file), size_(size), accept_(accept), out_(out) {}

  // True when a candidate was accepted.
  Result<bool> run() {
    if (size_ < kRootSize) return false;
    // A root is known by being last, whatever its magic became.
    if (size_ % kSegmentAlignment == 0) out_.not_whole.push_back(size_ - kRootSize);
    uint64_t end = (size_ - kRootSize) / kSegmentAlignment * kSegmentAlignment + kSegmentAlignment;
    wire::Bytes chunk;
    while (end > 0) {
      const uint64_t begin = end > kChunk ? end - kChunk : 0;
      chunk.resize(static_cast<size_t>(std::min(end, size_) - begin));
      RVF_TRY(file_.read(begin, chunk));
      for (uint64_t at = end; at > begin;) {
        at -= kSegmentAlignment;
        uint32_t magic = 0;
        if (at - begin + 4 > chunk.size()) continue;
        std::memcpy(&magic, chunk.data() + (at - begin), 4);
        if (magic != kRootMagic) continue;
        RVF_ASSIGN(const bool accepted, candidate(at));
        if (accepted) return true;
      }
      end = begin;
    }
    return false;
  }

 private:
  Result<bool> candidate(uint64_t root_offset) {
    std::array<std::byte, kRootSize> raw{};
    RVF_TRY(file_.read(root_offset, raw));
    auto root = wire::decode_root(raw);
    if (!root) {
      // Its checksum holds, so this is a newer format, not damage; older commits are not ours to
      // prefer.
      if (root.error().code == ErrorCode::kBadVersion) return std::move(root).error();
      reject(claimed_epoch(raw), root.error().message);
      not_whole(root_offset);
      return false;
    }
    if (!plausible(*root, root_offset)) return false;  // a root that was copied here from elsewhere
    hashed_ += root->level1_length + kRootSize;
    if (hashed_ > size_ * kHashBudgetFactor + kChunk) {
      return Error(ErrorCode::kManifestNotFound,
                   "too many damaged manifests; the file is hostile or lost");
    }
    auto log = try_root(file_, *root, accept_);
    if (!log) {
      if (!is_damage(log.error().code)) return std::move(log).error();
      reject(root->epoch, log.error().message);
      const auto itself = read_manifest(file_, root->level1_offset - kSegmentHeaderSize, size_);
      if (!itself) {
        not_whole(root_offset);
      } else if ((root->flags & wire::root_flag::kDataSynced) != 0 && !out_.damage) {
        out_.damage = std::move(log).error();
      }
      return false;
    }
    out_.log = std::move(*log);
    out_.manifest_end = root_offset + kRootSize;
    out_.at_tail = out_.manifest_end == size_;
    return true;
  }

  static uint32_t claimed_epoch(std::span<const std::byte> raw) {
    uint32_t epoch = 0;
    std::memcpy(&epoch, raw.data() + 0x24, 4);
    return epoch;
  }

  void reject(uint32_t epoch, const std::string& reason) {
    if (out_.rejected++ == 0) out_.reason = reason;
    // A damaged root's epoch is a claim; one far from its neighbours is noise, not history.
    out_.highest_seen = std::max(out_.highest_seen, epoch);
  }

  void not_whole(uint64_t root_offset) {
    auto& all = out_.not_whole;
    if (all.size() < kMostJudged && (all.empty() || all.back() != root_offset)) {
      all.push_back(root_offset);
    }
  }

  const io::File& file_;
  uint64_t size_;
  const Accept& accept_;
  Found& out_;
  uint64_t hashed_ = 0;
};

}  // namespace

Result<wire::Root> boot(const io::File& file) {
  RVF_ASSIGN(const uint64_t size, file.size());
  if (size < kRootSize) return Error(ErrorCode::kTruncated, "the file is shorter than a root");
  std::array<std::byte, kRootSize> raw{};
  RVF_TRY(file.read(size - kRootSize, raw));
  RVF_ASSIGN(wire::Root root, wire::decode_root(raw));
  if (!plausible(root, size - kRootSize)) {
    return Error(ErrorCode::kManifestInvalid, "the last root belongs to another place");
  }
  return root;
}

Result<std::optional<Error>> damage_behind(const io::File& file, const Found& found) {
  if (found.damage || found.at_tail) return found.damage;
  for (const uint64_t root_offset : found.not_whole) {
    if (root_offset < found.manifest_end) continue;
    RVF_ASSIGN(const bool was_there, was_whole(file, root_offset, found.log.root()));
    if (!was_there) continue;
    return std::optional<Error>(
        Error(ErrorCode::kCorrupt,
              "a directory that had been written whole is damaged" +
                  (found.reason.empty() ? std::string() : ": " + found.reason),
              0, root_offset));
  }
  return std::optional<Error>();
}

Result<Found> find_manifest(const io::File& file, const Accept& accept) {
  Found found;
  RVF_ASSIGN(found.file_size, file.size());
  auto root = boot(file);
  if (root) {
    auto log = try_root(file, *root, accept);
    if (log) {
      found.log = std::move(*log);
      found.manifest_end = found.file_size;
      return found;
    }
    if (!is_damage(log.error().code)) return std::move(log).error();
  } else if (!is_damage(root.error().code) || root.error().code == ErrorCode::kBadVersion) {
    return std::move(root).error();
  }
  found.at_tail = false;
  Scanner scanner(file, found.file_size, accept, found);
  RVF_ASSIGN(const bool accepted, scanner.run());
  if (!accepted) return not_found(file, found.file_size, found);
  return found;
}

}  // namespace rvf::manifest
