#include "interop/detect.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace rvf::interop {
namespace {

// Holds the beginnings of four rows of the largest dimension: without a known size, rows that begin
// alike are all the evidence there is.
constexpr size_t kLook = 1 << 20;
constexpr size_t kSureRows = 3;

uint32_t u32_at(wire::ByteSpan s, size_t at) noexcept {
  uint32_t v = 0;
  std::memcpy(&v, s.data() + at, 4);
  return v;
}

uint64_t be32_at(wire::ByteSpan s, size_t at) noexcept {
  return (std::to_integer<uint64_t>(s[at]) << 24) | (std::to_integer<uint64_t>(s[at + 1]) << 16) |
         (std::to_integer<uint64_t>(s[at + 2]) << 8) | std::to_integer<uint64_t>(s[at + 3]);
}

size_t idx_element(uint8_t type) noexcept {
  switch (type) {
    case 0x08:
    case 0x09: return 1;
    case 0x0B: return 2;
    case 0x0C:
    case 0x0D: return 4;
    case 0x0E: return 8;
    default: return 0;
  }
}

// `whole` is the content's size when it is known.
bool fits_idx(wire::ByteSpan s, std::optional<uint64_t> whole) noexcept {
  if (s.size() < 8 || s[0] != std::byte{0} || s[1] != std::byte{0}) return false;
  const size_t element = idx_element(std::to_integer<uint8_t>(s[2]));
  const size_t rank = std::to_integer<uint8_t>(s[3]);
  if (element == 0 || rank == 0 || rank > 8 || s.size() < 4 + 4 * rank) return false;
  uint64_t total = element;
  for (size_t i = 0; i < rank; ++i) {
    const uint64_t d = be32_at(s, 4 + 4 * i);
    if (d == 0 || total > (1ULL << 50) / d) return false;
    total *= d;
  }
  return !whole || *whole == total + 4 + 4 * rank;
}

// Rows seen whole in `s`; 0 when a row's header differs or the size does not divide.
size_t fits_vecs(wire::ByteSpan s, std::optional<uint64_t> whole, size_t element) noexcept {
  if (s.size() < 4) return 0;
  const uint32_t d = u32_at(s, 0);
  if (d == 0 || d > kMaxDimension) return 0;
  const size_t stride = 4 + d * element;
  if (whole && *whole % stride != 0) return 0;
  size_t rows = 0;
  for (size_t at = 0; at + 4 <= s.size(); at += stride, ++rows) {
    if (u32_at(s, at) != d) return 0;
  }
  return whole || rows >= kSureRows ? rows : 0;
}

bool fits_bin(wire::ByteSpan s, std::optional<uint64_t> whole, size_t element) noexcept {
  if (s.size() < 8) return false;
  const uint64_t n = u32_at(s, 0);
  const uint64_t d = u32_at(s, 4);
  if (n == 0 || d == 0 || d > kMaxDimension) return false;
  if (whole) return *whole == 8 + n * d * element;
  return s.size() < kLook ? s.size() == 8 + n * d * element : true;
}

enum class Values { kFloats, kIntegers, kUnclear };

// What four-byte elements look like; small integers read as floats are denormal.
Values judge(wire::ByteSpan s, size_t first, size_t stride, size_t in_row) noexcept {
  size_t floats = 0;
  size_t integers = 0;
  for (size_t row = first; row + 4 <= s.size(); row += stride) {
    for (size_t i = 0; i < in_row && row + 4 * i + 4 <= s.size(); ++i) {
      const uint32_t bits = u32_at(s, row + 4 * i);
      if (bits == 0) continue;
      float f = 0;
      std::memcpy(&f, &bits, 4);
      const float a = std::fabs(f);
      if (std::isfinite(f) && a > 1e-25f && a < 1e25f) ++floats;
      // Negative ids (padding of short lists) are NaN as floats.
      else if (a < 1e-25f || bits > 0xFFFF0000u)
        ++integers;
    }
  }
  if (floats == 0 && integers == 0) return Values::kUnclear;
  return floats >= integers ? Values::kFloats : Values::kIntegers;
}

bool looks_like_text(wire::ByteSpan s) noexcept {
  return std::none_of(s.begin(), s.end(), [](std::byte b) {
    const auto c = std::to_integer<uint8_t>(b);
    return c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  });
}

struct Candidates {
  std::vector<Format> list;
  size_t vecs_rows = 0;  // headers that agreed: beyond one, no accident
};

Candidates binary_candidates(wire::ByteSpan s, std::optional<uint64_t> whole) {
  Candidates c;
  const size_t wide = fits_vecs(s, whole, 4);
  const size_t narrow = fits_vecs(s, whole, 1);
  const bool bin4 = fits_bin(s, whole, 4);
  const bool bin1 = fits_bin(s, whole, 1);
  const Values in_vecs =
      wide ? judge(s, 4, 4 + size_t{4} * u32_at(s, 0), u32_at(s, 0)) : Values::kUnclear;
  const Values in_bin = bin4 ? judge(s, 8, s.size(), s.size() / 4) : Values::kUnclear;
  c.vecs_rows = std::max(wide, narrow);
  if (wide && in_vecs != Values::kIntegers) c.list.push_back(Format::kFvecs);
  if (bin4 && in_bin != Values::kIntegers) c.list.push_back(Format::kFbin);
  if (narrow) c.list.push_back(Format::kBvecs);
  if (bin1) c.list.push_back(Format::kU8bin);
  if (wide && in_vecs != Values::kFloats) c.list.push_back(Format::kIvecs);
  if (bin4 && in_bin != Values::kFloats) c.list.push_back(Format::kIbin);
  if (bin1) c.list.push_back(Format::kI8bin);
  return c;
}

bool is_vecs(Format f) noexcept {
  return f == Format::kFvecs || f == Format::kIvecs || f == Format::kBvecs;
}

}  // namespace

std::string extension_of(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (name.size() > 3 && name.ends_with(".gz")) name.resize(name.size() - 3);
  const size_t dot = name.find_last_of('.');
  return dot == std::string::npos ? "" : name.substr(dot + 1);
}

Result<Format> detect_format(ByteSource& source) {
  auto peeked = source.peek(kLook);
  if (!peeked) return peeked.error();
  const wire::ByteSpan s = *peeked;
  std::optional<uint64_t> whole = source.size();
  if (!whole && s.size() < kLook) whole = s.size();  // small gzip content: seen to its end
  if (s.empty()) return source.error(ErrorCode::kBadArgument, "the file is empty");
  if (s.size() >= 2 && s[0] == std::byte{0x1F} && s[1] == std::byte{0x8B}) {
    return source.error(ErrorCode::kUnsupported, "gzip inside gzip");
  }
  if (s.size() >= 6 && std::memcmp(s.data(), "\x93NUMPY", 6) == 0) return Format::kNpy;
  if (fits_idx(s, whole)) return Format::kIdx;
  Candidates c = binary_candidates(s, whole);
  if (!c.list.empty()) {
    const std::string extension = extension_of(source.path());
    const bool vecs_sure = c.vecs_rows >= kSureRows;
    const std::optional<Format> named = parse_format(extension);
    for (Format f : c.list) {
      if (named == f && (!vecs_sure || is_vecs(f))) return f;
    }
    for (Format f : c.list) {
      if (!vecs_sure || is_vecs(f)) return f;
    }
  }
  if (looks_like_text(s)) {
    size_t at = s.size() >= 3 && std::memcmp(s.data(), "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < s.size() && std::to_integer<uint8_t>(s[at]) <= 0x20) ++at;
    if (at == s.size()) return source.error(ErrorCode::kBadArgument, "the file holds only blanks");
    const char first = static_cast<char>(s[at]);
    return first == '{' || first == '[' ? Format::kJsonl : Format::kCsv;
  }
  if (const auto named = parse_format(extension_of(source.path()));
      named && *named != Format::kCsv && *named != Format::kJsonl && *named != Format::kNpy) {
    return source.error(ErrorCode::kTruncated, std::string("its sizes do not fit its length: no ") +
                                                   format_name(*named) +
                                                   " file, or one that is cut off");
  }
  return source.error(
      ErrorCode::kUnsupported,
      "not a vector file (npy, npz, csv, jsonl, fvecs, ivecs, bvecs, fbin, ibin, u8bin, "
      "i8bin, idx), or one that is cut off");
}

}  // namespace rvf::interop
