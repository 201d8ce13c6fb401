// Ids and true neighbours, read whole.
#include <fmt/format.h>

#include <cstring>
#include <new>

#include "interop/csv_text.hpp"
#include "interop/detect.hpp"
#include "interop/npz.hpp"
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

Result<IdList> read_text_ids(ByteSource& source, IdKind kind) {
  IdColumn ids(kind);
  std::string line;
  for (uint64_t number = 1;; ++number) {
    RVF_ASSIGN(const bool any, source.line(line, 1 << 20));
    if (!any) break;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    const std::string_view id = trim_blanks(line);
    if (id.empty()) continue;
    if (auto s = ids.add_written(id); !s) {
      return source.error(s.error().code, fmt::format("line {}: {}", number, s.error().message));
    }
  }
  IdList out;
  ids.give(out.numbers, out.texts);
  return out;
}

Result<IdList> ids_of(const std::string& path, IdKind kind) {
  RVF_ASSIGN(const std::unique_ptr<ByteSource> source, open_input(path));
  RVF_ASSIGN(const Format found, detect_format(*source));
  if (found == Format::kCsv) return read_text_ids(*source, kind);
  if (found == Format::kJsonl) {
    return source->error(ErrorCode::kUnsupported, "ids are read from npy, text or ivecs files");
  }
  RVF_ASSIGN(const FixedLayout layout, fixed_layout(*source, as_integers(found)));
  RVF_TRY(check_size(*source, layout));
  if (layout.dim != 1) {
    return source->error(ErrorCode::kWrongDimension,
                         fmt::format("ids stand one a row, this file has {} a row", layout.dim));
  }
  RVF_ASSIGN(const std::vector<uint64_t> numbers, read_integers(*source, layout));
  IdColumn ids(kind);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (auto s = ids.add_number(numbers[i]); !s) {
      return source->error(s.error().code, fmt::format("row {}: {}", i, s.error().message));
    }
  }
  IdList out;
  ids.give(out.numbers, out.texts);
  return out;
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
  RVF_ASSIGN(const std::unique_ptr<ByteSource> source, open_input(path));
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
  if (layout.by_column) {
    return source->error(ErrorCode::kUnsupported, "true neighbours stand in C order");
  }
  Truth truth;
  RVF_ASSIGN(truth.ids, read_integers(*source, layout));
  truth.k = layout.dim;
  truth.queries = truth.ids.size() / layout.dim;
  return truth;
}

}  // namespace

Result<std::vector<uint64_t>> read_ids(const std::string& path) {
  RVF_ASSIGN(IdList ids, read_ids(path, IdKind::kNumbers));
  return std::move(ids.numbers);
}

Result<IdList> read_ids(const std::string& path, IdKind kind) {
  try {
    return ids_of(path, kind);
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
