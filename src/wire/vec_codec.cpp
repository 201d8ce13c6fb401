#include "wire/vec_codec.hpp"

#include <algorithm>
#include <string>

#include "wire/checksum.hpp"

namespace rvf::wire {
namespace {

constexpr uint8_t kRowMajorBit = 0x80;
constexpr size_t kDirectoryEntry = 12;
constexpr size_t kIdHeader = 7;
constexpr size_t kCodeHeader = 16;
// Opening reads the ids behind each block: few blocks, few pages.
constexpr size_t kBlockBytes = 64U << 20;
constexpr uint32_t kUnitsMagic = 0x55465652;  // "RVFU"
constexpr size_t kUnitsHeader = 12;

bool is_run(std::span<const uint64_t> ids) noexcept {
  for (size_t i = 1; i < ids.size(); ++i) {
    if (ids[i] != ids[0] + i) return false;
  }
  return true;
}

void put_id_header(ByteWriter& w, IdEncoding encoding, size_t count) {
  w.u8(static_cast<uint8_t>(encoding));
  w.u16(static_cast<uint16_t>(kRestartInterval));
  w.u32(static_cast<uint32_t>(count));
}

size_t quick_ids_size(std::span<const uint64_t> ids) noexcept {
  return kIdHeader + (is_run(ids) ? 8 : ids.size() * 8);
}

// Raw or run: both give the id of a row in constant time from the map.
void put_quick_ids(ByteWriter& w, std::span<const uint64_t> ids) {
  if (is_run(ids)) {
    put_id_header(w, IdEncoding::kRun, ids.size());
    w.u64(ids.empty() ? 0 : ids[0]);
    return;
  }
  put_id_header(w, IdEncoding::kRaw, ids.size());
  w.raw(ids.data(), ids.size() * 8);
}

void put_compact_ids(ByteWriter& w, std::span<const uint64_t> ids) {
  if (is_run(ids) || !std::is_sorted(ids.begin(), ids.end())) return put_quick_ids(w, ids);
  Bytes deltas;
  ByteWriter d(deltas);
  std::vector<uint32_t> restarts;
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool restart = i % kRestartInterval == 0;
    if (restart) restarts.push_back(static_cast<uint32_t>(deltas.size()));
    d.varint(restart ? ids[i] : ids[i] - ids[i - 1]);
  }
  put_id_header(w, IdEncoding::kDelta, ids.size());
  w.raw(restarts.data(), restarts.size() * 4);
  w.u32(static_cast<uint32_t>(deltas.size()));
  w.bytes(deltas);
}

// Bits one value takes in a column; 0 for types that have no columnar form of their own.
unsigned value_bits(DType dtype) noexcept {
  switch (dtype) {
    case DType::kF32: return 32;
    case DType::kF16:
    case DType::kBF16: return 16;
    case DType::kI8:
    case DType::kU8: return 8;
    case DType::kI4: return 4;
    case DType::kBinary: return 1;
    case DType::kPQ:
    case DType::kCustom: return 0;
  }
  return 0;
}

bool is_code(DType dtype) noexcept { return dtype == DType::kPQ || dtype == DType::kCustom; }

uint8_t get_bits(const std::byte* p, size_t index, unsigned bits) noexcept {
  const size_t bit = index * bits;
  const auto byte = static_cast<uint8_t>(p[bit / 8]);
  return static_cast<uint8_t>((byte >> (bit % 8)) & ((1U << bits) - 1));
}

void put_bits(std::byte* p, size_t index, unsigned bits, uint8_t value) noexcept {
  const size_t bit = index * bits;
  p[bit / 8] |= static_cast<std::byte>(value << (bit % 8));
}

void copy_value(const std::byte* from, size_t from_index, std::byte* to, size_t to_index,
                unsigned bits) noexcept {
  if (bits >= 8) {
    std::memcpy(to + to_index * (bits / 8), from + from_index * (bits / 8), bits / 8);
  } else {
    put_bits(to, to_index, bits, get_bits(from, from_index, bits));
  }
}

// Packed rows (row after row) to packed columns (dimension after dimension).
void put_columns(const std::byte* rows, std::byte* columns, size_t count, size_t dim,
                 unsigned bits) noexcept {
  const size_t row_bytes = (dim * bits + 7) / 8;
  const size_t column_bytes = (count * bits + 7) / 8;
  for (size_t r = 0; r < count; ++r) {
    for (size_t d = 0; d < dim; ++d) {
      copy_value(rows + r * row_bytes, d, columns + d * column_bytes, r, bits);
    }
  }
}

// One pass over a delta column: afterwards a look-up from a restart point and a decode from the
// start see the same ids. Ids do not descend and stay below kNoId.
bool deltas_fit(ByteSpan data, ByteSpan restarts, size_t count, size_t interval) noexcept {
  if (count > data.size()) return false;
  ByteReader in(data);
  ByteReader points(restarts);
  uint64_t id = 0;
  for (size_t i = 0; i < count; ++i) {
    const bool restart = i % interval == 0;
    if (restart && points.u32() != in.position()) return false;
    const uint64_t v = in.varint();
    const uint64_t next = restart ? v : id + v;
    if (!in.ok() || next < id || next == kNoId) return false;
    id = next;
  }
  return in.remaining() == 0;
}

Error bad_block(size_t index, const char* what) {
  return {ErrorCode::kCorrupt, "VEC block " + std::to_string(index) + ": " + what};
}

Result<VecBlock> parse_block(ByteSpan payload, VecBlock block, size_t index, bool verify) {
  if (block.offset % kSegmentAlignment != 0) return bad_block(index, "is not aligned");
  if (block.offset > payload.size()) return bad_block(index, "starts beyond the payload");
  if (block.dim == 0) return bad_block(index, "has dimension 0");
  ByteReader in(payload.subspan(block.offset));
  uint64_t value_bytes = 0;
  if (block.is_row_codes()) {
    block.quant_segment = in.u64();
    block.code_dtype = static_cast<DType>(in.u8());
    in.skip(3);
    block.stride = in.u32();
    if (value_bits(block.code_dtype) == 0)
      return Error(ErrorCode::kUnsupported, "VEC block of an unknown code type");
    if (in.ok() && block.stride == 0) return bad_block(index, "has codes without bytes");
    value_bytes = uint64_t{block.count} * block.stride;
  } else if (block.row_major) {
    block.stride = row_stride(block.dtype, block.dim);
    value_bytes = uint64_t{block.count} * block.stride;
  } else {
    DType code = block.dtype;
    if (is_code(block.dtype)) {
      block.quant_segment = in.u64();
      code = static_cast<DType>(in.u8());
      block.code_dtype = code;
      in.skip(7);
    }
    const unsigned bits = value_bits(code);
    if (bits == 0) return Error(ErrorCode::kUnsupported, "VEC block of an unknown code type");
    value_bytes = (uint64_t{block.count} * bits + 7) / 8 * block.dim;
  }
  block.values = in.bytes(value_bytes);
  if (!in.ok()) return bad_block(index, "is shorter than its vectors");
  auto ids = IdColumn::parse(in);
  if (!ids) return std::move(ids).error();
  block.ids = std::move(*ids);
  if (block.ids.size() != block.count)
    return bad_block(index, "has another number of ids than of vectors");
  block.checked = payload.subspan(block.offset, in.position());
  block.crc = in.u32();
  if (!in.ok()) return bad_block(index, "has no checksum");
  if (verify && crc32c(block.checked) != block.crc) {
    return Error(ErrorCode::kBadChecksum,
                 "VEC block " + std::to_string(index) + " fails its CRC32C");
  }
  return block;
}

}  // namespace

uint64_t IdColumn::at(size_t i) const noexcept {
  if (encoding_ == IdEncoding::kRun) return first_ + i;
  uint64_t id = 0;
  if (encoding_ == IdEncoding::kRaw) {
    std::memcpy(&id, data_.data() + i * 8, 8);
    return id;
  }
  uint32_t offset = 0;
  std::memcpy(&offset, restarts_.data() + i / interval_ * 4, 4);
  if (offset > data_.size()) return kNoId;
  ByteReader in(data_.subspan(offset));
  for (size_t k = i / interval_ * interval_; k <= i; ++k) id += in.varint();
  return in.ok() ? id : kNoId;
}

void IdColumn::copy_to(std::vector<uint64_t>& out) const {
  const size_t at_end = out.size();
  out.resize(at_end + count_);
  if (encoding_ == IdEncoding::kRaw) {
    if (count_ > 0) std::memcpy(out.data() + at_end, data_.data(), count_ * 8);
    return;
  }
  if (encoding_ == IdEncoding::kRun) {
    for (size_t i = 0; i < count_; ++i) out[at_end + i] = first_ + i;
    return;
  }
  ByteReader in(data_);
  uint64_t id = 0;
  for (size_t i = 0; i < count_; ++i) {
    id = i % interval_ == 0 ? in.varint() : id + in.varint();
    out[at_end + i] = in.ok() ? id : kNoId;
  }
}

Result<IdColumn> IdColumn::parse(ByteReader& in) {
  IdColumn c;
  const uint8_t encoding = in.u8();
  c.interval_ = in.u16();
  c.count_ = in.u32();
  if (!in.ok()) return Error(ErrorCode::kCorrupt, "an id column ends early");
  switch (encoding) {
    case 0: c.data_ = in.bytes(uint64_t{c.count_} * 8); break;
    case 1: {
      if (c.interval_ == 0)
        return Error(ErrorCode::kCorrupt, "an id column has restart interval 0");
      c.restarts_ = in.bytes((uint64_t{c.count_} + c.interval_ - 1) / c.interval_ * 4);
      c.data_ = in.bytes(in.u32());
      if (in.ok() && !deltas_fit(c.data_, c.restarts_, c.count_, c.interval_)) {
        return Error(ErrorCode::kCorrupt,
                     "an id column's differences, restart points and count do not fit together");
      }
      break;
    }
    case 2: c.first_ = in.u64(); break;
    default: return Error(ErrorCode::kUnsupported, "id encoding " + std::to_string(encoding));
  }
  c.encoding_ = static_cast<IdEncoding>(encoding);
  if (!in.ok()) return Error(ErrorCode::kCorrupt, "an id column ends early");
  if (c.encoding_ == IdEncoding::kRun && c.count_ > 0 && c.first_ > kNoId - c.count_) {
    return Error(ErrorCode::kCorrupt, "a run of ids passes the largest id");
  }
  return c;
}

Result<std::vector<VecBlock>> parse_vec(ByteSpan payload, bool verify_blocks) {
  ByteReader in(payload);
  const uint32_t count = in.u32();
  if (!in.ok() || count > in.remaining() / kDirectoryEntry) {
    return Error(ErrorCode::kCorrupt, "a VEC directory is longer than its payload");
  }
  std::vector<VecBlock> blocks(count);
  // Blocks follow one another, so that a small payload cannot stand for many times its size.
  uint64_t previous_end = 4 + uint64_t{count} * kDirectoryEntry;
  for (size_t i = 0; i < count; ++i) {
    VecBlock b;
    b.offset = in.u32();
    b.count = in.u32();
    b.dim = in.u16();
    const uint8_t dtype = in.u8();
    b.row_major = (dtype & kRowMajorBit) != 0;
    b.dtype = static_cast<DType>(dtype & ~kRowMajorBit);
    b.tier = in.u8();
    if (b.dtype > DType::kCustom || (b.row_major && b.dtype == DType::kPQ)) {
      return Error(ErrorCode::kUnsupported, "VEC block " + std::to_string(i) + " has dtype " +
                                                std::to_string(dtype) +
                                                ", unknown to this version");
    }
    if (b.offset < previous_end) return bad_block(i, "overlaps what stands before it");
    RVF_ASSIGN(blocks[i], parse_block(payload, b, i, verify_blocks));
    previous_end = blocks[i].offset + blocks[i].checked.size() + 4;
  }
  return blocks;
}

size_t rows_per_block(DType dtype, size_t dim) noexcept {
  const size_t rows = kBlockBytes / std::max<size_t>(row_stride(dtype, dim), 1);
  return std::clamp<size_t>(rows / 256 * 256, 256, 65536);
}

namespace {

constexpr size_t units_of(size_t rows) noexcept { return (rows + kUnitRows - 1) / kUnitRows; }

// Of blocks with these counts of rows; 0: one of a single unit has its own checksum.
template <class Counts>
size_t units_size(const Counts& counts) noexcept {
  size_t checks = 0;
  bool wanted = false;
  for (const size_t rows : counts) {
    checks += 1 + units_of(rows);
    wanted = wanted || rows > kUnitRows;
  }
  return wanted ? kUnitsHeader + checks * 4 : 0;
}

}  // namespace

std::vector<BlockUnits> check_units(ByteSpan payload, std::span<const VecBlock> blocks) {
  std::vector<BlockUnits> out;
  if (blocks.empty()) return out;
  size_t checks = 0;
  for (const VecBlock& b : blocks) {
    if (!b.row_major) return out;
    checks += 1 + units_of(b.count);
  }
  const VecBlock& last = blocks.back();
  const uint64_t begin = align64(last.offset + last.checked.size() + 4);
  const uint64_t size = kUnitsHeader + uint64_t{checks} * 4;
  if (begin > payload.size() || size > payload.size() - begin) return out;
  const ByteSpan section = payload.subspan(begin, size);
  ByteReader in(section);
  if (in.u32() != kUnitsMagic || in.u32() != checks) return out;
  if (in.u32() != crc32c(section.subspan(kUnitsHeader))) return out;
  for (const VecBlock& b : blocks) {
    BlockUnits& units = out.emplace_back();
    units.ids_are_whole = in.u32() == crc32c(b.checked.subspan(b.values.size()));
    for (size_t row = 0; row < b.count; row += kUnitRows) {
      const size_t rows = std::min<size_t>(kUnitRows, b.count - row);
      units.whole.push_back(in.u32() == crc32c(b.values.subspan(row * b.stride, rows * b.stride)));
    }
  }
  return out;
}

uint64_t row_major_payload_size(DType dtype, size_t dim, std::span<const uint64_t> ids) noexcept {
  const size_t per_block = rows_per_block(dtype, dim);
  const size_t blocks = (ids.size() + per_block - 1) / per_block;
  uint64_t size = align64(4 + blocks * kDirectoryEntry);
  std::vector<size_t> counts;
  for (size_t b = 0; b < blocks; ++b) {
    const auto part = ids.subspan(b * per_block, std::min(per_block, ids.size() - b * per_block));
    size = align64(size + part.size() * row_stride(dtype, dim) + quick_ids_size(part) + 4);
    counts.push_back(part.size());
  }
  return align64(size + units_size(counts));
}

RowMajorBuilder::RowMajorBuilder(DType dtype, uint16_t dim, uint8_t tier,
                                 std::span<const uint64_t> ids)
    : ids_(ids), stride_(row_stride(dtype, dim)), per_block_(rows_per_block(dtype, dim)) {
  const size_t blocks = (ids.size() + per_block_ - 1) / per_block_;
  std::vector<size_t> counts;
  ByteWriter w(payload_);
  w.u32(static_cast<uint32_t>(blocks));
  size_t offset = align64(4 + blocks * kDirectoryEntry);
  for (size_t b = 0; b < blocks; ++b) {
    const size_t first = b * per_block_;
    const auto part = ids.subspan(first, std::min(per_block_, ids.size() - first));
    parts_.push_back({first, offset, part.size()});
    counts.push_back(part.size());
    w.u32(static_cast<uint32_t>(offset));
    w.u32(static_cast<uint32_t>(part.size()));
    w.u16(dim);
    w.u8(static_cast<uint8_t>(dtype) | kRowMajorBit);
    w.u8(tier);
    offset = align64(offset + part.size() * stride_ + quick_ids_size(part) + 4);
  }
  units_at_ = offset;
  units_bytes_ = units_size(counts);
  payload_.resize(align64(units_at_ + units_bytes_));
}

std::byte* RowMajorBuilder::row(size_t i) noexcept {
  const Part& part = parts_[i / per_block_];
  return payload_.data() + part.offset + (i - part.first_row) * stride_;
}

Bytes RowMajorBuilder::finish() && {
  Bytes units;
  ByteWriter checks(units);
  for (const Part& part : parts_) {
    Bytes tail;
    ByteWriter w(tail);
    put_quick_ids(w, ids_.subspan(part.first_row, part.count));
    const size_t at = part.offset + part.count * stride_;
    std::memcpy(payload_.data() + at, tail.data(), tail.size());
    const uint32_t crc =
        crc32c(ByteSpan(payload_).subspan(part.offset, at + tail.size() - part.offset));
    std::memcpy(payload_.data() + at + tail.size(), &crc, 4);
    if (units_bytes_ == 0) continue;
    checks.u32(crc32c(tail));
    for (size_t row = 0; row < part.count; row += kUnitRows) {
      const size_t rows = std::min(kUnitRows, part.count - row);
      checks.u32(crc32c(ByteSpan(payload_).subspan(part.offset + row * stride_, rows * stride_)));
    }
  }
  if (units_bytes_ > 0) {
    Bytes header;
    ByteWriter w(header);
    w.u32(kUnitsMagic);
    w.u32(static_cast<uint32_t>(units.size() / 4));
    w.u32(crc32c(units));
    std::memcpy(payload_.data() + units_at_, header.data(), header.size());
    std::memcpy(payload_.data() + units_at_ + header.size(), units.data(), units.size());
  }
  return std::move(payload_);
}

namespace {

// The directory and the frame of blocks; put_values(w, block) writes what stands before the ids.
template <class Block, class PutValues>
Bytes encode_blocks(std::span<const Block> blocks, PutValues&& put_values) {
  Bytes payload;
  ByteWriter w(payload);
  w.u32(static_cast<uint32_t>(blocks.size()));
  w.zeros(blocks.size() * kDirectoryEntry);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& b = blocks[i];
    w.align(kSegmentAlignment);
    const size_t start = payload.size();
    const uint8_t dtype = put_values(w, b);
    put_compact_ids(w, b.ids);
    w.u32(crc32c(ByteSpan(payload).subspan(start)));
    const size_t entry = 4 + i * kDirectoryEntry;
    w.patch(entry, static_cast<uint32_t>(start));
    w.patch(entry + 4, static_cast<uint32_t>(b.ids.size()));
    w.patch(entry + 8, b.dim);
    w.patch(entry + 10, dtype);
    w.patch(entry + 11, b.tier);
  }
  w.align(kSegmentAlignment);
  return payload;
}

}  // namespace

Bytes encode_columnar_vec(std::span<const ColumnarInput> blocks) {
  return encode_blocks(blocks, [](ByteWriter& w, const ColumnarInput& b) {
    if (is_code(b.dtype)) {
      w.u64(b.quant_segment);
      w.u8(static_cast<uint8_t>(b.code_dtype));
      w.zeros(kCodeHeader - 9);
    }
    const unsigned bits = value_bits(is_code(b.dtype) ? b.code_dtype : b.dtype);
    Bytes columns((b.ids.size() * bits + 7) / 8 * b.dim);
    put_columns(b.rows.data(), columns.data(), b.ids.size(), b.dim, bits);
    w.bytes(columns);
    return static_cast<uint8_t>(b.dtype);
  });
}

Bytes encode_row_codes_vec(std::span<const RowCodesInput> blocks) {
  return encode_blocks(blocks, [](ByteWriter& w, const RowCodesInput& b) {
    w.u64(b.quant_segment);
    w.u8(static_cast<uint8_t>(b.code_dtype));
    w.zeros(3);
    w.u32(b.row_bytes);
    w.bytes(b.rows);
    return static_cast<uint8_t>(static_cast<uint8_t>(DType::kCustom) | kRowMajorBit);
  });
}

size_t columnar_row_bytes(const VecBlock& block) noexcept {
  const unsigned bits = value_bits(is_code(block.dtype) ? block.code_dtype : block.dtype);
  return (size_t{block.dim} * bits + 7) / 8;
}

Result<Bytes> columnar_rows(const VecBlock& block) {
  if (block.row_major) return Error(ErrorCode::kBadArgument, "the block is row-major");
  Bytes rows(columnar_row_bytes(block) * block.count);
  columnar_rows(block, 0, block.count, rows.data());
  return rows;
}

void columnar_rows(const VecBlock& block, size_t first, size_t count, std::byte* out) noexcept {
  const unsigned bits = value_bits(is_code(block.dtype) ? block.code_dtype : block.dtype);
  const size_t row_bytes = columnar_row_bytes(block);
  const size_t column_bytes = (size_t{block.count} * bits + 7) / 8;
  for (size_t d = 0; d < block.dim; ++d) {
    const std::byte* column = block.values.data() + d * column_bytes;
    for (size_t r = 0; r < count; ++r) {
      copy_value(column, first + r, out + r * row_bytes, d, bits);
    }
  }
}

}  // namespace rvf::wire
