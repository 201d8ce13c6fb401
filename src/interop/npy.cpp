// The header of NumPy's .npy files, versions 1 to 3 (NEP 1): a magic, a length, a Python
// dictionary.
#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

constexpr size_t kMaxHeader = 64 << 10;

void skip_blanks(std::string_view& s) {
  const size_t at = s.find_first_not_of(" \t\r\n");
  s.remove_prefix(at == std::string_view::npos ? s.size() : at);
}

// What follows the key, without blanks; empty when the key is missing.
std::string_view value_of(std::string_view header, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted = quote + std::string(key) + quote;
    const size_t at = header.find(quoted);
    if (at == std::string_view::npos) continue;
    std::string_view rest = header.substr(at + quoted.size());
    skip_blanks(rest);
    if (rest.empty() || rest[0] != ':') continue;
    rest.remove_prefix(1);
    skip_blanks(rest);
    return rest;
  }
  return {};
}

bool parse_shape(std::string_view s, std::vector<uint64_t>& shape) {
  if (s.empty() || s[0] != '(') return false;
  s.remove_prefix(1);
  for (;;) {
    skip_blanks(s);
    if (s.empty()) return false;
    if (s[0] == ')') return true;
    uint64_t v = 0;
    size_t digits = 0;
    while (digits < s.size() && s[digits] >= '0' && s[digits] <= '9') {
      if (v > (1ULL << 58)) return false;
      v = v * 10 + static_cast<uint64_t>(s[digits++] - '0');
    }
    if (digits == 0) return false;
    s.remove_prefix(digits);
    if (!s.empty() && s[0] == 'L') s.remove_prefix(1);  // written by Python 2
    shape.push_back(v);
    skip_blanks(s);
    if (!s.empty() && s[0] == ',') s.remove_prefix(1);
  }
}

std::optional<Element> element_of(std::string_view code) {
  struct Known {
    std::string_view code;
    Element element;
  };
  static constexpr Known kKnown[] = {
      {"f2", Element::kF2}, {"f4", Element::kF4}, {"f8", Element::kF8}, {"u1", Element::kU1},
      {"b1", Element::kU1}, {"?", Element::kU1},  {"i1", Element::kI1}, {"u2", Element::kU2},
      {"i2", Element::kI2}, {"u4", Element::kU4}, {"i4", Element::kI4}, {"u8", Element::kU8},
      {"i8", Element::kI8}};
  for (const Known& k : kKnown) {
    if (k.code == code) return k.element;
  }
  return std::nullopt;
}

Status parse_descr(const ByteSource& source, std::string_view value, FixedLayout& layout) {
  if (value.empty() || (value[0] != '\'' && value[0] != '"')) {
    return source.error(ErrorCode::kUnsupported, "npy: the dtype is no plain number type");
  }
  const size_t end = value.find(value[0], 1);
  std::string_view descr = end == std::string_view::npos ? "" : value.substr(1, end - 1);
  const std::string whole(descr);
  if (!descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    layout.big_endian = descr[0] == '>';
    descr.remove_prefix(1);
  }
  const std::optional<Element> element = element_of(descr);
  if (!element) {
    return source.error(
        ErrorCode::kUnsupported,
        fmt::format("npy: dtype \"{}\" is not supported; use f2, f4, f8, u1 or i1", whole));
  }
  layout.element = *element;
  return {};
}

}  // namespace

Result<FixedLayout> npy_layout(ByteSource& source) {
  RVF_ASSIGN(const wire::ByteSpan head, source.peek(12));
  if (head.size() < 10) return source.error(ErrorCode::kTruncated, "npy: the header is cut off");
  if (std::memcmp(head.data(), "\x93NUMPY", 6) != 0) {
    return source.error(ErrorCode::kBadMagic, "not an npy file");
  }
  const auto version = std::to_integer<unsigned>(head[6]);
  if (version < 1 || version > 3) {
    return source.error(ErrorCode::kUnsupported, fmt::format("npy: version {}", version));
  }
  wire::ByteReader lengths(head.subspan(8));
  const uint64_t length = version == 1 ? lengths.u16() : lengths.u32();
  const size_t start = version == 1 ? 10 : 12;
  if (!lengths.ok()) return source.error(ErrorCode::kTruncated, "npy: the header is cut off");
  if (length > kMaxHeader) {
    return source.error(ErrorCode::kCorrupt, fmt::format("npy: a header of {} bytes", length));
  }
  const size_t whole = start + static_cast<size_t>(length);
  RVF_ASSIGN(const wire::ByteSpan all, source.peek(whole));
  if (all.size() < whole) return source.error(ErrorCode::kTruncated, "npy: the header is cut off");
  const std::string_view text(reinterpret_cast<const char*>(all.data()) + start,
                              static_cast<size_t>(length));
  FixedLayout layout;
  layout.header = whole;
  RVF_TRY(parse_descr(source, value_of(text, "descr"), layout));
  const std::string_view order = value_of(text, "fortran_order");
  std::vector<uint64_t> shape;
  if (order.empty() || !parse_shape(value_of(text, "shape"), shape)) {
    return source.error(ErrorCode::kCorrupt, "npy: the header has no readable order and shape");
  }
  if (shape.empty() || shape.size() > 2) {
    return source.error(ErrorCode::kUnsupported,
                        fmt::format("npy: {} dimensions; rows need an array of 2", shape.size()));
  }
  layout.one_dimensional = shape.size() == 1;
  layout.by_column = order.starts_with("True") && shape.size() == 2 && shape[0] > 1 && shape[1] > 1;
  const uint64_t dim = shape.size() == 2 ? shape[1] : 1;
  if (dim == 0 || dim > kMaxDimension) {
    return source.error(
        ErrorCode::kWrongDimension,
        fmt::format("npy: rows of {} elements; 1 to {} can be read", dim, kMaxDimension));
  }
  layout.count = shape[0];
  layout.dim = static_cast<uint32_t>(dim);
  return layout;
}

}  // namespace rvf::interop
