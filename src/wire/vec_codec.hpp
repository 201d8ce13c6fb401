// VEC_SEG: blocks of vectors with their ids. Three block forms: row-major (bit 7 of the dtype byte;
// rows start on 64 bytes, so they are searched straight from the mapped file), row-major codes (one
// row decodes without its neighbours) and columnar (dimension after dimension). docs/format.md,
// "VEC".
// Parsing keeps spans into the payload: a view lives no longer than the bytes it was made from.
#pragma once
#include <span>
#include <vector>

#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "types/limits.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

enum class IdEncoding : uint8_t { kRaw = 0, kDelta = 1, kRun = 2 };

// The ids of one block. at(i) is O(1) for raw and run, O(restart interval) for delta.
class IdColumn {
 public:
  size_t size() const noexcept { return count_; }
  uint64_t at(size_t i) const noexcept;
  void copy_to(std::vector<uint64_t>& out) const;  // appends all ids
  IdEncoding encoding() const noexcept { return encoding_; }
  uint64_t first() const noexcept { return first_; }  // of a run

  static Result<IdColumn> parse(ByteReader& in);

 private:
  IdEncoding encoding_ = IdEncoding::kRun;
  uint16_t interval_ = 0;
  size_t count_ = 0;
  uint64_t first_ = 0;
  ByteSpan data_;  // raw ids, or the delta varints
  ByteSpan restarts_;  // u32 offsets into data_, one every interval_ ids
};

struct VecBlock {
  uint32_t offset = 0;  // from the start of the payload, a multiple of 64
  uint32_t count = 0;
  uint16_t dim = 0;
  DType dtype = DType::kF32;
  bool row_major = false;
  uint8_t tier = 0;  // 0 hot, 1 warm, 2 cold
  uint64_t quant_segment = 0;  // dtype 7 and 8: the QUANT_SEG that decodes them
  DType code_dtype = DType::kI8;  // dtype 8: how one code is stored
  size_t stride = 0;  // bytes from row to row, row-major only
  bool is_row_codes() const noexcept { return row_major && dtype == DType::kCustom; }
  ByteSpan values;
  IdColumn ids;
  uint32_t crc = 0;  // as stored
  ByteSpan checked;  // the bytes it covers
};

// Checks every offset and count against the payload; the block checksums only if asked.
Result<std::vector<VecBlock>> parse_vec(ByteSpan payload, bool verify_blocks);

// Rows that one checksum of a payload's units covers: what a hole in a large block costs.
inline constexpr size_t kUnitRows = 1024;
// Of the blocks of a payload: whether what `unit` rows from unit * kUnitRows on hold is whole. Empty
// where the payload has no such checksums, or they are damaged.
struct BlockUnits {
  bool ids_are_whole = false;
  std::vector<bool> whole;
};
std::vector<BlockUnits> check_units(ByteSpan payload, std::span<const VecBlock> blocks);

constexpr size_t row_stride(DType dtype, size_t dim) noexcept {
  return static_cast<size_t>(align64(vector_bytes(dtype, dim)));
}

// Rows per row-major block: a block is the unit that one checksum covers.
size_t rows_per_block(DType dtype, size_t dim) noexcept;
// Exact payload size of a row-major segment of these ids, to split batches before building.
uint64_t row_major_payload_size(DType dtype, size_t dim, std::span<const uint64_t> ids) noexcept;

// Builds a row-major payload in place: the caller writes each vector into row(i).
class RowMajorBuilder {
 public:
  RowMajorBuilder(DType dtype, uint16_t dim, uint8_t tier, std::span<const uint64_t> ids);
  std::byte* row(size_t i) noexcept;  // stride() zero bytes
  size_t stride() const noexcept { return stride_; }
  Bytes finish() &&;

 private:
  struct Part {
    size_t first_row, offset, count;
  };
  std::span<const uint64_t> ids_;
  size_t stride_, per_block_;
  size_t units_at_ = 0, units_bytes_ = 0;
  std::vector<Part> parts_;
  Bytes payload_;
};

// One columnar block from rows packed without padding (vector_bytes each). For codes, dtype is kPQ
// or kCustom, code_dtype says how a code is stored and quant_segment names the QUANT_SEG.
struct ColumnarInput {
  DType dtype = DType::kF32;
  DType code_dtype = DType::kI8;
  uint64_t quant_segment = 0;
  uint16_t dim = 0;
  uint8_t tier = 1;
  ByteSpan rows;
  std::span<const uint64_t> ids;
};
Bytes encode_columnar_vec(std::span<const ColumnarInput> blocks);

// One block of row codes: `rows` holds row_bytes for each id.
struct RowCodesInput {
  DType code_dtype = DType::kI8;
  uint64_t quant_segment = 0;
  uint32_t row_bytes = 0;
  uint16_t dim = 0;
  uint8_t tier = 1;
  ByteSpan rows;
  std::span<const uint64_t> ids;
};
Bytes encode_row_codes_vec(std::span<const RowCodesInput> blocks);

// Bytes of a row in columnar_rows().
size_t columnar_row_bytes(const VecBlock& block) noexcept;
// The rows of a columnar block, packed without padding.
Result<Bytes> columnar_rows(const VecBlock& block);
// Rows [first, first + count) of them, into count * columnar_row_bytes(block) bytes of zeros.
void columnar_rows(const VecBlock& block, size_t first, size_t count, std::byte* out) noexcept;

}  // namespace rvf::wire
