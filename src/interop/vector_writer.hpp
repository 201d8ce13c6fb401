// Writes vectors as npy, jsonl or fvecs, into an OutputFile: the whole file or nothing.
//
//   npy     the rows' own dtype (f32, f16, u8, i8); ids are not part of it
//   jsonl   {"id":7,"vector":[...]}, numbers in the shortest form that reads back to the same
//   float;
//           `extra` (the inside of a JSON object) is appended to the object
//   fvecs   f32 only; ids are not part of it
//
// Thread-safety: one thread a writer. Errors: kBadArgument, kUnsupported, kPermission, kNoSuchFile,
// kDiskFull, kIo.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "interop/output_file.hpp"
#include "interop/vector_file.hpp"
#include "rvf/result.hpp"
#include "rvf/types.hpp"

namespace rvf::interop {

class VectorWriter {
 public:
  // `rows` will be written: npy says so in front of them.
  static Result<std::unique_ptr<VectorWriter>> create(const std::string& path, Format format,
                                                      DType dtype, uint32_t dim, uint64_t rows);
  VectorWriter(const VectorWriter&) = delete;
  VectorWriter& operator=(const VectorWriter&) = delete;

  // dtype and dim must be those of create(); ids, string_ids and extra may be empty.
  Status append(const VectorChunk& rows);
  Status finish();
  uint64_t rows() const noexcept { return rows_; }

 private:
  VectorWriter() = default;
  Status put(const void* data, size_t n);
  Status append_jsonl(const VectorChunk& rows);

  std::unique_ptr<OutputFile> file_;
  Format format_ = Format::kNpy;
  DType dtype_ = DType::kF32;
  uint32_t dim_ = 0;
  uint64_t rows_ = 0;
  uint64_t promised_ = 0;
};

}  // namespace rvf::interop
