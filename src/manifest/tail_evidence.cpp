#include "manifest/tail_evidence.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "manifest/tail_scan.hpp"
#include "types/limits.hpp"
#include "wire/checksum.hpp"
#include "wire/segment.hpp"

namespace rvf::manifest {
namespace {

constexpr uint64_t kUnit = 256;  // half a sector of 512 bytes: what a power loss keeps or loses
constexpr uint64_t kMostTried = 1U << 20;  // a longer manifest is not searched for small damage
// Fields of a root that every commit of a store repeats, none of them across a border of 64 bytes,
// and long enough to be right by no chance: magic, created, file_id, magic of the extension.
constexpr std::pair<size_t, size_t> kConstantFields[] = {
    {0x000, 0x004}, {0x028, 0x030}, {0xF00, 0xF10}, {0xF84, 0xF88}};
constexpr size_t kFieldsEnd = 0x0A0, kIdentityAt = 0xF00;  // zeros between
constexpr size_t kTimestampAt = 0x18;  // of a segment header
constexpr size_t kLevel1HashAt = 0xFEC, kCrcAt = 0xFFC;

using RootBytes = std::array<std::byte, kRootSize>;

// The register of CRC32C before a byte of zeros, from what it is behind it.
uint32_t step_back(uint32_t crc) noexcept {
  struct Entry {
    uint32_t value, index;
  };
  static constexpr auto kTable = [] {
    std::array<Entry, 256> table{};  // by the highest byte of the value
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x82F63B78U : 0);
      table[value >> 24] = {value, i};
    }
    return table;
  }();
  const Entry& entry = kTable[crc >> 24];
  return (crc ^ entry.value) << 8 | entry.index;
}

class Judge {
 public:
  Judge(const io::File& file, uint64_t root_offset, const wire::Root& before)
      : file_(file), root_offset_(root_offset), before_(wire::encode_root(before)) {}

  Result<bool> run() {
    RVF_TRY(file_.read(root_offset_, root_));
    RVF_TRY(find_header());
    if (auto root = wire::decode_root(root_)) return with_whole_root(*root);
    if (has_right_and_wrong_bytes()) return true;
    return header_ && (root_has_stray_bytes() || root_is_nearly_right());
  }

 private:
  // The header of the manifest that ends with the root, found by its length.
  Status find_header() {
    wire::Bytes bytes(static_cast<size_t>(std::min(root_offset_, kMostTried)));
    const uint64_t begin = root_offset_ - bytes.size();
    RVF_TRY(file_.read(begin, bytes));
    for (size_t at = bytes.size() / kSegmentAlignment * kSegmentAlignment;
         at >= kSegmentAlignment;) {
      at -= kSegmentAlignment;
      uint32_t magic = 0;
      std::memcpy(&magic, bytes.data() + at, sizeof(magic));
      if (magic != kSegmentMagic) continue;
      const auto header = wire::decode_header(wire::ByteSpan(bytes).subspan(at), begin + at);
      const uint64_t level1 = bytes.size() - at - kSegmentHeaderSize;
      if (!header || header->type != SegmentType::kManifest ||
          header->payload_length != level1 + kRootSize) {
        continue;
      }
      header_ = *header;
      level1_.assign(bytes.end() - static_cast<ptrdiff_t>(level1), bytes.end());
      return {};
    }
    return {};
  }

  // What is wrong is the header or the Level 1.
  Result<bool> with_whole_root(const wire::Root& root) {
    if (!root.extension || root.level1_offset < kSegmentHeaderSize ||
        root.level1_offset > root_offset_ ||
        root.level1_length != root_offset_ - root.level1_offset ||
        root.level1_length > kMostTried) {
      return false;
    }
    level1_.resize(static_cast<size_t>(root.level1_length));
    RVF_TRY(file_.read(root.level1_offset, level1_));
    if (header_ && has_the_hash(root_)) return false;  // nothing is wrong with it
    const auto& hash = root.extension->level1_hash;
    if (wire::xxh3_128(level1_) != hash) return level1_is_nearly_right(hash, root.level1_offset);
    // What is wrong is the header. It shares its unit with bytes that are right, or says itself that
    // it was written: by its magic, or by the time that the root has too.
    const uint64_t header_at = root.level1_offset - kSegmentHeaderSize;
    if (header_at % kUnit != kUnit - kSegmentHeaderSize) return true;
    std::array<std::byte, kSegmentHeaderSize> header{};
    RVF_TRY(file_.read(header_at, header));
    uint32_t magic = 0;
    uint64_t written_ns = 0;
    std::memcpy(&magic, header.data(), sizeof(magic));
    std::memcpy(&written_ns, header.data() + kTimestampAt, sizeof(written_ns));
    return magic == kSegmentMagic || (written_ns != 0 && written_ns == root.modified_ns);
  }

  static bool is_zero(wire::ByteSpan bytes, size_t begin, size_t end) {
    const wire::ByteSpan part = bytes.subspan(begin, end - begin);
    return std::all_of(part.begin(), part.end(), [](std::byte b) { return b == std::byte{0}; });
  }

  // Of bytes that lie at `offset` in the file: those that share a unit with one of them.
  static bool unit_is_zero(wire::ByteSpan bytes, uint64_t offset, size_t at) {
    const uint64_t unit = (offset + at) / kUnit * kUnit;
    const size_t begin = unit < offset ? 0 : static_cast<size_t>(unit - offset);
    const size_t end = std::min<size_t>(bytes.size(), static_cast<size_t>(unit + kUnit - offset));
    return is_zero(bytes, begin, end);
  }

  // One other byte, or in a long one another bit, gives it the hash that the root names.
  bool level1_is_nearly_right(const std::array<uint8_t, 16>& hash, uint64_t offset) {
    constexpr size_t kBytes = 1024, kBits = 8192;
    if (level1_.size() > kBits) return false;
    for (size_t at = 0; at < level1_.size(); ++at) {
      if (unit_is_zero(level1_, offset, at)) continue;
      const std::byte was = level1_[at];
      for (unsigned change = 1; change < 256; ++change) {
        if (level1_.size() > kBytes && (change & (change - 1)) != 0) continue;
        level1_[at] = was ^ static_cast<std::byte>(change);
        if (wire::xxh3_128(level1_) == hash) return true;
      }
      level1_[at] = was;
    }
    return false;
  }

  // By unit: are the bytes that every root of the store has there right? A unit that is right in
  // part was written, and harmed later; and if all were written as they had to be, the checksum
  // would hold.
  bool has_right_and_wrong_bytes() const {
    const auto level1_hash = wire::xxh3_128(level1_);
    const bool end_is_right = header_ && std::memcmp(root_.data() + kLevel1HashAt,
                                                     level1_hash.data(), level1_hash.size()) == 0;
    bool all_right = true;
    size_t begin = 0;
    while (begin < kRootSize) {
      const size_t end = std::min<size_t>(
          kRootSize, begin + static_cast<size_t>(kUnit - (root_offset_ + begin) % kUnit));
      bool right = end == kRootSize && end_is_right;
      bool wrong = false;
      for (const auto& [first, last] : kConstantFields) {
        if (first < begin || first >= end || is_zero(before_, first, last)) continue;
        const bool same = std::memcmp(&root_[first], &before_[first], last - first) == 0;
        (same ? right : wrong) = true;
      }
      if (right && wrong) return true;
      const bool as_before = std::equal(root_.begin() + static_cast<ptrdiff_t>(begin),
                                        root_.begin() + static_cast<ptrdiff_t>(end),
                                        before_.begin() + static_cast<ptrdiff_t>(begin));
      all_right = all_right && !wrong && (right || as_before);
      begin = end;
    }
    return all_right;
  }

  // Four other bytes in a row give the root its checksum, and the manifest the hash of its header.
  bool root_is_nearly_right() const {
    uint32_t stored = 0;
    std::memcpy(&stored, root_.data() + kCrcAt, sizeof(stored));
    const uint32_t crc = wire::crc32c(wire::ByteSpan(root_).first(kCrcAt));
    if (gives_the_hash(kCrcAt, crc ^ stored)) return true;
    uint32_t change = crc ^ stored;
    for (int i = 0; i < 3; ++i) change = step_back(change);
    for (size_t at = kCrcAt - 4;; --at) {
      change = step_back(change);
      const bool is_field = at < kFieldsEnd || at + 4 > kIdentityAt;
      if (is_field && gives_the_hash(at, change)) return true;
      if (at == 0) return false;
    }
  }

  // A few bytes where a root has zeros, and nothing else is wrong. Of a torn write there would be
  // more.
  bool root_has_stray_bytes() const {
    constexpr ptrdiff_t kMostStray = 16;
    RootBytes clean = root_;
    const auto begin = clean.begin() + kFieldsEnd;
    const auto end = clean.begin() + kIdentityAt;
    if (end - begin - std::count(begin, end, std::byte{0}) > kMostStray) return false;
    std::fill(begin, end, std::byte{0});
    return has_the_hash(clean);
  }

  bool gives_the_hash(size_t at, uint32_t change) const {
    if (unit_is_zero(root_, root_offset_, at)) return false;
    RootBytes other = root_;
    for (size_t i = 0; i < 4; ++i) other[at + i] ^= static_cast<std::byte>(change >> 8 * i);
    return has_the_hash(other);
  }

  bool has_the_hash(const RootBytes& root) const {
    wire::Bytes payload = level1_;
    payload.insert(payload.end(), root.begin(), root.end());
    return wire::hash_matches(*header_, payload);
  }

  const io::File& file_;
  uint64_t root_offset_;
  RootBytes before_;
  RootBytes root_{};
  std::optional<SegmentHeader> header_;
  wire::Bytes level1_;
};

}  // namespace

Result<bool> was_whole(const io::File& file, uint64_t root_offset, const wire::Root& before) {
  return Judge(file, root_offset, before).run();
}

}  // namespace rvf::manifest
