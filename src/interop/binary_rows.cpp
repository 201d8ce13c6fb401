// Files whose rows have a fixed size: npy, idx, fvecs and its kin, fbin and its kin.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

class FixedReader final : public VectorReader {
 public:
  FixedReader(std::unique_ptr<ByteSource> source, const FixedLayout& layout, Format format)
      : source_(std::move(source)), layout_(layout) {
    info_ = {row_dtype(layout.element), layout.dim, layout.count, format, source_->compressed()};
  }

  Status skip_header() {
    std::byte scratch[4096];
    for (uint64_t left = layout_.header; left > 0;) {
      const size_t want = static_cast<size_t>(std::min<uint64_t>(left, sizeof scratch));
      RVF_ASSIGN(const size_t got, source_->read(scratch, want));
      if (got < want) return source_->error(ErrorCode::kTruncated, "the header is cut off");
      left -= got;
    }
    return {};
  }

  Result<size_t> read(size_t max_rows, VectorChunk& out) override {
    try {
      return read_rows(max_rows, out);
    } catch (const std::bad_alloc&) {
      return source_->error(ErrorCode::kOutOfMemory, "no memory for its rows");
    }
  }

 private:
  Result<size_t> read_rows(size_t max_rows, VectorChunk& out) {
    out.clear();
    out.dtype = info_.dtype;
    out.dim = info_.dim;
    out.first_row = row_;
    const size_t stride = static_cast<size_t>(layout_.row_bytes());
    uint64_t rows = std::min<uint64_t>(max_rows, std::max<size_t>(1, kMaxChunkBytes / stride));
    if (layout_.count) rows = std::min(rows, *layout_.count - row_);
    if (rows == 0) {
      if (max_rows > 0) RVF_TRY(verify_end());
      return size_t{0};
    }
    // The claimed count never sizes a buffer by itself: what the content can hold bounds it.
    rows = std::min(rows - 1, source_->size_bound() / stride) + 1;
    if (layout_.by_column) return rows_of_columns(static_cast<size_t>(rows), out);
    raw_.resize(static_cast<size_t>(rows) * stride);
    RVF_ASSIGN(const size_t got, source_->read(raw_.data(), raw_.size()));
    const size_t whole = got / stride;
    if (got < raw_.size() && (got % stride != 0 || layout_.count)) {
      return source_->error(ErrorCode::kTruncated, fmt::format("row {} is cut off", row_ + whole));
    }
    const size_t bytes = vector_bytes(info_.dtype, info_.dim);
    out.bytes.resize(whole * bytes);
    for (size_t i = 0; i < whole; ++i) {
      RVF_TRY(convert_row(raw_.data() + i * stride, row_ + i, out.bytes.data() + i * bytes));
    }
    out.count = whole;
    row_ += whole;
    return whole;
  }

  // Column after column, so that the first row is known when the last column is. Memory grows with
  // what is really there.
  Status read_columns() {
    const uint64_t total = *layout_.count * layout_.row_bytes();
    while (columns_.size() < total) {
      const size_t had = columns_.size();
      columns_.resize(static_cast<size_t>(std::min<uint64_t>(total, had + kMaxChunkBytes)));
      RVF_ASSIGN(const size_t got, source_->read(columns_.data() + had, columns_.size() - had));
      if (got < columns_.size() - had) {
        return source_->error(ErrorCode::kTruncated, "npy: the array is cut off");
      }
    }
    return {};
  }

  Result<size_t> rows_of_columns(size_t rows, VectorChunk& out) {
    if (columns_.empty()) RVF_TRY(read_columns());
    const size_t width = element_bytes(layout_.element);
    const size_t bytes = vector_bytes(info_.dtype, info_.dim);
    raw_.resize(width * layout_.dim);
    out.bytes.resize(rows * bytes);
    for (size_t i = 0; i < rows; ++i) {
      for (size_t d = 0; d < layout_.dim; ++d) {
        const size_t at = d * static_cast<size_t>(*layout_.count) + static_cast<size_t>(row_) + i;
        std::memcpy(raw_.data() + d * width, columns_.data() + at * width, width);
      }
      RVF_TRY(convert_row(raw_.data(), row_ + i, out.bytes.data() + i * bytes));
    }
    out.count = rows;
    row_ += rows;
    return rows;
  }

  Status convert_row(const std::byte* from, uint64_t row, std::byte* to) {
    if (layout_.row_prefix) {
      uint32_t dim = 0;
      std::memcpy(&dim, from, 4);
      if (dim != layout_.dim) {
        return source_->error(
            ErrorCode::kWrongDimension,
            fmt::format("row {} has {} elements, the first has {}", row, dim, layout_.dim));
      }
      from += 4;
    }
    if (auto fault = convert_elements(layout_.element, layout_.big_endian, from, layout_.dim, to)) {
      return source_->error(fault->code,
                            fmt::format("row {}, element {}: {}", row, fault->index, fault->what));
    }
    return {};
  }

  Status verify_end() {
    RVF_ASSIGN(const wire::ByteSpan rest, source_->peek(1));
    if (!rest.empty()) {
      return source_->error(ErrorCode::kCorrupt, fmt::format("data after the last row ({})", row_));
    }
    return {};
  }

  std::unique_ptr<ByteSource> source_;
  FixedLayout layout_;
  std::vector<std::byte> raw_;
  std::vector<std::byte> columns_;  // of an array by columns: all of it
  uint64_t row_ = 0;
};

}  // namespace

Result<FixedLayout> idx_layout(ByteSource& source) {
  RVF_ASSIGN(const wire::ByteSpan head, source.peek(4 + 4 * 255));
  if (head.size() < 8 || head[0] != std::byte{0} || head[1] != std::byte{0}) {
    return source.error(ErrorCode::kBadMagic, "not an idx file");
  }
  FixedLayout layout;
  layout.big_endian = true;
  switch (std::to_integer<uint8_t>(head[2])) {
    case 0x08: layout.element = Element::kU1; break;
    case 0x09: layout.element = Element::kI1; break;
    case 0x0B: layout.element = Element::kI2; break;
    case 0x0C: layout.element = Element::kI4; break;
    case 0x0D: layout.element = Element::kF4; break;
    case 0x0E: layout.element = Element::kF8; break;
    default: return source.error(ErrorCode::kUnsupported, "idx: an unknown element type");
  }
  const size_t rank = std::to_integer<uint8_t>(head[3]);
  layout.header = 4 + 4 * rank;
  if (rank == 0 || head.size() < layout.header) {
    return source.error(ErrorCode::kTruncated, "idx: the header is cut off");
  }
  auto size_at = [&](size_t i) {
    uint64_t v = 0;
    for (size_t b = 0; b < 4; ++b) v = (v << 8) | std::to_integer<uint64_t>(head[4 + 4 * i + b]);
    return v;
  };
  uint64_t dim = 1;
  for (size_t i = 1; i < rank && dim <= kMaxDimension; ++i) dim *= size_at(i);
  if (dim == 0 || dim > kMaxDimension) {
    return source.error(ErrorCode::kWrongDimension, fmt::format("idx: rows of {} elements", dim));
  }
  layout.one_dimensional = rank == 1;
  layout.count = size_at(0);
  layout.dim = static_cast<uint32_t>(dim);
  return layout;
}

Result<FixedLayout> vecs_layout(ByteSource& source, Element element) {
  RVF_ASSIGN(const wire::ByteSpan head, source.peek(4));
  if (head.size() < 4) return source.error(ErrorCode::kTruncated, "the first row is cut off");
  FixedLayout layout;
  layout.element = element;
  layout.row_prefix = true;
  layout.dim = wire::ByteReader(head).u32();
  if (layout.dim == 0 || layout.dim > kMaxDimension) {
    return source.error(ErrorCode::kWrongDimension,
                        fmt::format("its first row claims {} elements", layout.dim));
  }
  if (source.size()) {
    layout.count = *source.size() / layout.row_bytes();
    if (*source.size() % layout.row_bytes() != 0) {
      return source.error(ErrorCode::kTruncated,
                          fmt::format("{} bytes are no whole number of rows of {} elements",
                                      *source.size(), layout.dim));
    }
  }
  return layout;
}

Result<FixedLayout> bin_layout(ByteSource& source, Element element) {
  RVF_ASSIGN(const wire::ByteSpan head, source.peek(8));
  if (head.size() < 8) return source.error(ErrorCode::kTruncated, "the header is cut off");
  wire::ByteReader in(head);
  FixedLayout layout;
  layout.element = element;
  layout.header = 8;
  layout.count = in.u32();
  layout.dim = in.u32();
  if (layout.dim == 0 || layout.dim > kMaxDimension) {
    return source.error(ErrorCode::kWrongDimension,
                        fmt::format("its header claims rows of {} elements", layout.dim));
  }
  return layout;
}

Result<FixedLayout> fixed_layout(ByteSource& source, Format format) {
  switch (format) {
    case Format::kNpy: return npy_layout(source);
    case Format::kIdx: return idx_layout(source);
    case Format::kFvecs: return vecs_layout(source, Element::kF4);
    case Format::kIvecs: return vecs_layout(source, Element::kI4);
    case Format::kBvecs: return vecs_layout(source, Element::kU1);
    case Format::kFbin: return bin_layout(source, Element::kF4);
    case Format::kIbin: return bin_layout(source, Element::kI4);
    case Format::kU8bin: return bin_layout(source, Element::kU1);
    case Format::kI8bin: return bin_layout(source, Element::kI1);
    case Format::kCsv:
    case Format::kJsonl: break;
  }
  return source.error(ErrorCode::kUnsupported, "rows of no fixed size");
}

bool is_fixed(Format format) noexcept { return format != Format::kCsv && format != Format::kJsonl; }

Status check_size(const ByteSource& source, const FixedLayout& layout, bool allow_tail) {
  if (!layout.count) return {};
  const uint64_t row = layout.row_bytes();
  const uint64_t most = source.size_bound();
  if (layout.header > most || *layout.count > (most - layout.header) / row) {
    return source.error(ErrorCode::kTruncated,
                        fmt::format("its header claims {} rows of {} bytes, the file is too short",
                                    *layout.count, row));
  }
  const uint64_t total = layout.header + *layout.count * row;
  if (source.size() && *source.size() != total && !allow_tail) {
    return source.error(ErrorCode::kCorrupt,
                        fmt::format("{} bytes after the last row", *source.size() - total));
  }
  return {};
}

Result<std::unique_ptr<VectorReader>> open_fixed(std::unique_ptr<ByteSource> source,
                                                 Format format) {
  RVF_ASSIGN(const FixedLayout layout, fixed_layout(*source, format));
  if (layout.one_dimensional) {
    return source->error(ErrorCode::kWrongDimension,
                         "a one-dimensional array holds ids or labels, not vectors");
  }
  RVF_TRY(check_size(*source, layout));
  auto reader = std::make_unique<FixedReader>(std::move(source), layout, format);
  RVF_TRY(reader->skip_header());
  return std::unique_ptr<VectorReader>(std::move(reader));
}

}  // namespace rvf::interop
