// Ids and true neighbours, read whole.
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <new>

#include "interop/detect.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

constexpr size_t kRowsAtOnce = 4096;

// Every value of the rows; memory grows with what was really read, not with what a header claims.
Result<std::vector<uint64_t>> read_integers(ByteSource& source, const FixedLayout& layout) {
  if (!is_integer(layout.element)) {
    return source.error(ErrorCode::kUnsupported, "ids must be integers, this file holds floats");
  }
  std::vector<std::byte> raw(static_cast<size_t>(layout.header));
  RVF_ASSIGN(const size_t head, source.read(raw.data(), raw.size()));
  if (head < raw.size()) return source.error(ErrorCode::kTruncated, "the header is cut off");
  const size_t stride = static_cast<size_t>(layout.row_bytes());
  const size_t prefix = layout.row_prefix ? 4 : 0;
  const size_t at_once = std::max<size_t>(1, std::min(kRowsAtOnce, kMaxChunkBytes / stride));
  std::vector<uint64_t> out;
  uint64_t row = 0;
  while (!layout.count || row < *layout.count) {
    const size_t want = layout.count ? std::min<uint64_t>(at_once, *layout.count - row) : at_once;
    raw.resize(want * stride);
    RVF_ASSIGN(const size_t got, source.read(raw.data(), raw.size()));
    const size_t whole = got / stride;
    if (got % stride != 0 || (layout.count && got < raw.size())) {
      return source.error(ErrorCode::kTruncated, fmt::format("row {} is cut off", row + whole));
    }
    const size_t at = out.size();
    out.resize(at + whole * layout.dim);
    for (size_t i = 0; i < whole; ++i) {
      const std::byte* from = raw.data() + i * stride;
      uint32_t dim = layout.dim;
      if (prefix) std::memcpy(&dim, from, 4);
      if (dim != layout.dim) {
        return source.error(
            ErrorCode::kWrongDimension,
            fmt::format("row {} has {} values, the first has {}", row + i, dim, layout.dim));
      }
      if (auto fault = convert_ids(layout.element, layout.big_endian, from + prefix, dim,
                                   out.data() + at + i * dim)) {
        return source.error(fault->code, fmt::format("row {}: {}", row + i, fault->what));
      }
    }
    row += whole;
    if (whole < want) break;
  }
  return out;
}

// Prefers the integer reading of a file that could hold floats as well (all zero).
Format as_integers(Format f) noexcept {
  if (f == Format::kFvecs) return Format::kIvecs;
  if (f == Format::kFbin) return Format::kIbin;
  return f;
}

Result<std::vector<uint64_t>> read_text_ids(ByteSource& source) {
  std::vector<uint64_t> out;
  std::string line;
  for (uint64_t number = 1;; ++number) {
    RVF_ASSIGN(const bool any, source.line(line, 1 << 20));
    if (!any) return out;
    std::string_view s = line;
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    if (s.empty()) continue;
    uint64_t id = 0;
    const auto r = std::from_chars(s.data(), s.data() + s.size(), id);
    if (r.ec != std::errc() || r.ptr != s.data() + s.size()) {
      return source.error(ErrorCode::kCorrupt,
                          fmt::format("line {}: \"{}\" is no id", number, s.substr(0, 40)));
    }
    out.push_back(id);
  }
}

Result<std::vector<uint64_t>> ids_of(const std::string& path) {
  RVF_ASSIGN(const std::unique_ptr<ByteSource> source, ByteSource::open(path));
  RVF_ASSIGN(const Format found, detect_format(*source));
  if (found == Format::kCsv) return read_text_ids(*source);
  if (found == Format::kJsonl) {
    return source->error(ErrorCode::kUnsupported, "ids are read from npy, text or ivecs files");
  }
  RVF_ASSIGN(const FixedLayout layout, fixed_layout(*source, as_integers(found)));
  RVF_TRY(check_size(*source, layout));
  if (layout.dim != 1) {
    return source->error(ErrorCode::kWrongDimension,
                         fmt::format("ids stand one a row, this file has {} a row", layout.dim));
  }
  return read_integers(*source, layout);
}

// ids followed by as many distances, both four bytes: the size alone tells.
bool is_ids_with_distances(ByteSource& source) {
  const auto head = source.peek(8);
  if (!head || head->size() < 8 || !source.size()) return false;
  wire::ByteReader in(*head);
  const uint64_t n = in.u32();
  const uint64_t k = in.u32();
  return n > 0 && k > 0 && k <= kMaxDimension && *source.size() == 8 + n * k * 8;
}

Result<Truth> truth_of(const std::string& path) {
  RVF_ASSIGN(const std::unique_ptr<ByteSource> source, ByteSource::open(path));
  auto found = detect_format(*source);
  const bool tail = !found && is_ids_with_distances(*source);
  if (!found && !tail) return std::move(found).error();
  const Format format = tail ? Format::kIbin : as_integers(*found);
  if (!is_fixed(format)) {
    return source->error(ErrorCode::kUnsupported,
                         "true neighbours are read from npy, ivecs or ibin files");
  }
  RVF_ASSIGN(const FixedLayout layout, fixed_layout(*source, format));
  RVF_TRY(check_size(*source, layout, tail));
  if (layout.one_dimensional) {
    return source->error(ErrorCode::kWrongDimension, "true neighbours need a row for each query");
  }
  Truth truth;
  RVF_ASSIGN(truth.ids, read_integers(*source, layout));
  truth.k = layout.dim;
  truth.queries = truth.ids.size() / layout.dim;
  return truth;
}

}  // namespace

Result<std::vector<uint64_t>> read_ids(const std::string& path) {
  try {
    return ids_of(path);
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory for its ids");
  }
}

Result<Truth> read_truth(const std::string& path) {
  try {
    return truth_of(path);
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory for its ids");
  }
}

}  // namespace rvf::interop
