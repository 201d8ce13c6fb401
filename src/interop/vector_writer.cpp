#include "interop/vector_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <new>
#include <string_view>

#include "interop/json_values.hpp"

namespace rvf::interop {
namespace {

constexpr size_t kNpyHeader = 128;

const char* npy_code(DType dtype) noexcept {
  switch (dtype) {
    case DType::kF32: return "<f4";
    case DType::kF16: return "<f2";
    case DType::kU8: return "|u1";
    case DType::kI8: return "|i1";
    default: return nullptr;
  }
}

std::string npy_header(DType dtype, uint64_t rows, uint32_t dim) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                                 npy_code(dtype), rows, dim);
  text.resize(kNpyHeader - 11, ' ');
  text += '\n';
  const size_t length = text.size();
  std::string out = "\x93NUMPY";
  out += '\x01';
  out += '\0';
  out += static_cast<char>(length & 0xFF);
  out += static_cast<char>(length >> 8);
  return out + text;
}

}  // namespace

Result<std::unique_ptr<VectorWriter>> VectorWriter::create(const std::string& path, Format format,
                                                           DType dtype, uint32_t dim,
                                                           uint64_t rows) {
  const auto bad = [&](ErrorCode code, const std::string& what) {
    return Error(code, fmt::format("{}: {}", path, what));
  };
  if (dim == 0 || dim > kMaxDimension) return bad(ErrorCode::kBadArgument, "no such dimension");
  if (format != Format::kNpy && format != Format::kJsonl && format != Format::kFvecs) {
    return bad(ErrorCode::kUnsupported, "vectors are written as npy, jsonl or fvecs");
  }
  if (npy_code(dtype) == nullptr || (format == Format::kFvecs && dtype != DType::kF32)) {
    return bad(ErrorCode::kUnsupported, fmt::format("{} rows cannot be written as {}",
                                                    dtype_name(dtype), format_name(format)));
  }
  std::unique_ptr<VectorWriter> w(new VectorWriter);
  w->format_ = format;
  w->dtype_ = dtype;
  w->dim_ = dim;
  w->promised_ = rows;
  RVF_ASSIGN(w->file_, OutputFile::create(path));
  if (format == Format::kNpy) RVF_TRY(w->file_->write(npy_header(dtype, rows, dim)));
  return w;
}

Status VectorWriter::put(const void* data, size_t n) {
  return file_->write(std::string_view(static_cast<const char*>(data), n));
}

Status VectorWriter::append(const VectorChunk& rows) try {
  const size_t row_bytes = vector_bytes(dtype_, dim_);
  if (rows.dtype != dtype_ || rows.dim != dim_ || rows.bytes.size() != rows.count * row_bytes) {
    return file_->error(ErrorCode::kBadArgument, "rows of another shape than the file's");
  }
  switch (format_) {
    case Format::kNpy: RVF_TRY(put(rows.bytes.data(), rows.bytes.size())); break;
    case Format::kFvecs:
      for (size_t i = 0; i < rows.count; ++i) {
        RVF_TRY(put(&dim_, 4));
        RVF_TRY(put(rows.bytes.data() + i * row_bytes, row_bytes));
      }
      break;
    default: RVF_TRY(append_jsonl(rows)); break;
  }
  rows_ += rows.count;
  return {};
} catch (const std::bad_alloc&) {
  return file_->error(ErrorCode::kOutOfMemory, "no memory to write rows");
}

Status VectorWriter::append_jsonl(const VectorChunk& rows) {
  const bool numbers = rows.ids.size() == rows.count;
  const bool names = rows.string_ids.size() == rows.count;
  const bool extra = rows.extra.size() == rows.count;
  std::vector<float> values;
  rows.to_f32(values);
  std::string line;
  for (size_t i = 0; i < rows.count; ++i) {
    line.assign(1, '{');
    if (numbers) {
      fmt::format_to(std::back_inserter(line), "\"id\":{},", rows.ids[i]);
    } else if (names) {
      line += "\"id\":";
      append_json_text(line, rows.string_ids[i]);
      line += ',';
    }
    line += "\"vector\":[";
    for (size_t d = 0; d < dim_; ++d) {
      if (d > 0) line += ',';
      const float v = values[i * dim_ + d];
      fmt::format_to(std::back_inserter(line), "{}", v);
      if (v == 0 && std::signbit(v)) line += ".0";  // "-0" would be read as the whole number 0
    }
    line += ']';
    if (extra && rows.extra[i].size() > 2) {  // {"a":1} without its own braces
      line += ',';
      line.append(rows.extra[i], 1, rows.extra[i].size() - 2);
    }
    line += "}\n";
    RVF_TRY(file_->write(line));
  }
  return {};
}

Status VectorWriter::finish() {
  if (format_ == Format::kNpy && rows_ != promised_) {
    return file_->error(ErrorCode::kBadArgument,
                        fmt::format("{} rows of {} were written", rows_, promised_));
  }
  return file_->finish();
}

}  // namespace rvf::interop
