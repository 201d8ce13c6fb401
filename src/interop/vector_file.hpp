// Streaming readers of vector files: npy, npz, csv, jsonl, fvecs/ivecs/bvecs, fbin/ibin/u8bin/i8bin,
// idx, and any but npz compressed with gzip or read from a pipe. A file is recognised by its content,
// never by its name alone.
//
// How a file is recognised, in this order:
//   1. bytes 1f 8b: gzip; the rules below apply to what is inside (nested gzip is refused).
//   2. "PK": npz, of which FILE.npz:NAME is one array and FILE.npz the only one.
//   3. "\x93NUMPY": npy, in C or Fortran order (which is held in memory whole). f4 f2 u1 i1 and b1 are
//      handed over as they are, f8 i2 i4 i8 u2 u4 as f32.
//   4. 00 00 type rank and big-endian sizes that multiply to the file's length: idx.
//   5. u32 d, then rows that all begin with the same d and fill the file: fvecs, ivecs (rows of 4 + 4d
//      bytes) or bvecs (4 + d). u32 n, u32 d and n*d elements that fill the file: fbin, ibin (4
//      bytes an element) or u8bin, i8bin (1 byte). Four-byte elements are integers when, read as
//      floats, they are nearly all denormal. If more than one of these fits, or nothing tells them
//      apart (all zero; u8 and i8), the file's extension (without .gz) decides among those that
//      fit; without a telling extension the first of fvecs, fbin, bvecs, u8bin, ivecs, ibin, i8bin
//      that fits.
//   6. text that begins with '{' or '[': jsonl, or one array of such rows; other text: csv.
//
// Rows: elements in C order, contiguous, native byte order, no padding. NaN and infinity are
// refused. Files come from strangers: every size is checked against the file before memory is
// taken, and an error names the file and the line or row (both counted from 1 for lines, from 0 for
// rows).
//
// Ownership: a reader owns its file descriptor; a chunk owns its bytes. Thread-safety: one thread a
// reader. Errors: kNoSuchFile, kPermission, kIo, kTruncated, kCorrupt, kUnsupported,
// kWrongDimension, kNotFinite, kOutOfRange, kBadArgument (directory, empty file), kTooLarge,
// kOutOfMemory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interop/ids.hpp"
#include "rvf/result.hpp"
#include "rvf/types.hpp"

namespace rvf::interop {

enum class Format : uint8_t {
  kNpy,
  kCsv,
  kJsonl,
  kFvecs,
  kIvecs,
  kBvecs,
  kFbin,
  kIbin,
  kU8bin,
  kI8bin,
  kIdx,
};
const char* format_name(Format format) noexcept;
// Accepts the names above in lower case, also "json" and "tsv"; empty when unknown.
std::optional<Format> parse_format(const std::string& text) noexcept;

using FormatHint = std::optional<Format>;  // empty: recognise it
inline constexpr FormatHint kAutoFormat{};

struct VectorInfo {
  DType dtype = DType::kF32;  // of the rows handed over
  uint32_t dim = 0;
  std::optional<uint64_t> count;  // rows in the file; empty when only reading it can tell
  Format format = Format::kNpy;
  bool compressed = false;  // gzip
};

struct VectorChunk {
  DType dtype = DType::kF32;
  uint32_t dim = 0;
  size_t count = 0;
  uint64_t first_row = 0;  // position of the first row in the file, from 0
  std::vector<std::byte> bytes;  // count * vector_bytes(dtype, dim)
  std::vector<uint64_t> ids;  // count of them, or none when the file has no numeric ids
  std::vector<std::string> string_ids;  // count of them, or none; never together with ids
  std::vector<std::string>
      extra;  // jsonl and csv, when asked: a JSON object of the other keys a row

  std::span<const std::byte> row(size_t i) const noexcept {
    const size_t n = vector_bytes(dtype, dim);
    return {bytes.data() + i * n, n};
  }
  // Appends count * dim floats; exact for every dtype handed over here.
  void to_f32(std::vector<float>& out) const;
  void clear() noexcept;
};

struct ReadOptions {
  FormatHint format = kAutoFormat;
  // jsonl, and csv with a header: fill VectorChunk::extra; ExtraColumns makes columns of it. Of a
  // csv the vector's components are then the longest run of columns named v0, v1, v2, ... (any
  // stem), or, where there is no longest one, the columns with a number in the first row that are
  // not among `fields`; the others are metadata, as texts.
  bool want_extra = false;
  std::vector<std::string> fields = {};
  // The key or column that holds the ids. Where a row has none, "id" is looked for, unless it must.
  std::string id_field = "id";
  bool id_required = false;
  IdKind ids = IdKind::kUndecided;  // what they have to be: interop/ids.hpp
  // The key or column that holds the vector, or of a csv what its columns v0, v1, ... begin with.
  // Empty: "vector", "embedding" or "values", whichever is there; two of them are an error.
  std::string vector_field = {};
};

class VectorReader {
 public:
  virtual ~VectorReader() = default;
  VectorReader(const VectorReader&) = delete;
  VectorReader& operator=(const VectorReader&) = delete;

  const VectorInfo& info() const noexcept { return info_; }
  // Replaces `out` with the next rows: at most max_rows and at most 64 MiB (but one row at least).
  // 0 means the end of the file, which has then been verified to end where it should.
  virtual Result<size_t> read(size_t max_rows, VectorChunk& out) = 0;

 protected:
  VectorReader() = default;
  VectorInfo info_;
};

Result<std::unique_ptr<VectorReader>> open_vectors(const std::string& path,
                                                   FormatHint hint = kAutoFormat);
Result<std::unique_ptr<VectorReader>> open_vectors(const std::string& path,
                                                   const ReadOptions& options);

// Ids of a set of rows: npy or npz of integers (1-D, or 2-D with one column), text with one id a line
// (blanks around it are not part of it), ivecs or ibin with one value a row, idx of rank 1. Negative
// numbers are refused.
Result<IdList> read_ids(const std::string& path, IdKind kind);
Result<std::vector<uint64_t>> read_ids(const std::string& path);  // numbers

// True neighbours: row i holds the ids of the k nearest of query i, nearest first.
struct Truth {
  uint64_t queries = 0;
  uint32_t k = 0;
  std::vector<uint64_t> ids;  // queries * k
};
// npy of i4, i8, u4 or u8 (2-D), ivecs, or ibin (u32 n, u32 k, i32 values; what may follow the ids,
// as the distances of the big-ann-benchmarks files do, is ignored when it is exactly n*k further
// values).
Result<Truth> read_truth(const std::string& path);

}  // namespace rvf::interop
