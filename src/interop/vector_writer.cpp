#include "interop/vector_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <new>
#include <system_error>

namespace rvf::interop {
namespace {

constexpr size_t kFlushAt = 1 << 20;
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

// Always kNpyHeader bytes, so that the count can be filled in when it is known.
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

void append_json_text(std::string& out, std::string_view s) {
  out += '"';
  for (const char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Error VectorWriter::error(ErrorCode code, const std::string& what) const {
  return Error(code, fmt::format("{}: {}", path_, what));
}

Error VectorWriter::error_of(int number, const char* doing) const {
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::kDiskFull;
  if (number == EACCES || number == EPERM || number == EROFS) code = ErrorCode::kPermission;
  if (number == ENOENT || number == ENOTDIR) code = ErrorCode::kNoSuchFile;
  return error(code, fmt::format("{}: {}", doing, std::generic_category().message(number)));
}

Result<std::unique_ptr<VectorWriter>> VectorWriter::create(const std::string& path, Format format,
                                                           DType dtype, uint32_t dim) {
  std::unique_ptr<VectorWriter> w(new VectorWriter);
  w->path_ = path;
  w->format_ = format;
  w->dtype_ = dtype;
  w->dim_ = dim;
  if (dim == 0 || dim > kMaxDimension)
    return w->error(ErrorCode::kBadArgument, "no such dimension");
  if (format != Format::kNpy && format != Format::kJsonl && format != Format::kFvecs) {
    return w->error(ErrorCode::kUnsupported, "vectors are written as npy, jsonl or fvecs");
  }
  if (npy_code(dtype) == nullptr || (format == Format::kFvecs && dtype != DType::kF32)) {
    return w->error(ErrorCode::kUnsupported, fmt::format("{} rows cannot be written as {}",
                                                         dtype_name(dtype), format_name(format)));
  }
  for (int attempt = 0; w->fd_ < 0; ++attempt) {
    w->temporary_ = fmt::format("{}.tmp{}-{}", path, ::getpid(), attempt);
    w->fd_ = ::open(w->temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd_ < 0 && (errno != EEXIST || attempt == 100))
      return w->error_of(errno, "cannot create");
  }
  if (format == Format::kNpy) {
    const std::string header = npy_header(dtype, 0, dim);
    RVF_TRY(w->put(header.data(), header.size()));
  }
  return w;
}

VectorWriter::~VectorWriter() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
}

Status VectorWriter::flush() {
  for (size_t at = 0; at < buffer_.size();) {
    const ssize_t n = ::write(fd_, buffer_.data() + at, buffer_.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return error_of(n < 0 ? errno : ENOSPC, "cannot write");
    at += static_cast<size_t>(n);
  }
  buffer_.clear();
  return {};
}

Status VectorWriter::put(const void* data, size_t n) {
  const auto* from = static_cast<const std::byte*>(data);
  buffer_.insert(buffer_.end(), from, from + n);
  return buffer_.size() >= kFlushAt ? flush() : Status();
}

Status VectorWriter::append(const VectorChunk& rows) try {
  if (fd_ < 0) return error(ErrorCode::kBadArgument, "the writer is finished");
  const size_t row_bytes = vector_bytes(dtype_, dim_);
  if (rows.dtype != dtype_ || rows.dim != dim_ || rows.bytes.size() != rows.count * row_bytes) {
    return error(ErrorCode::kBadArgument, "rows of another shape than the file's");
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
  return error(ErrorCode::kOutOfMemory, "no memory to write rows");
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
    RVF_TRY(put(line.data(), line.size()));
  }
  return {};
}

Status VectorWriter::finish() {
  if (fd_ < 0) return error(ErrorCode::kBadArgument, "the writer is finished");
  RVF_TRY(flush());
  if (format_ == Format::kNpy) {
    const std::string header = npy_header(dtype_, rows_, dim_);
    if (::pwrite(fd_, header.data(), header.size(), 0) != static_cast<ssize_t>(header.size())) {
      return error_of(errno, "cannot write");
    }
  }
  if (::fsync(fd_) != 0) return error_of(errno, "cannot sync");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return error_of(errno, "cannot rename");
  ::close(fd_);
  fd_ = -1;
  // The name itself must survive a power loss too; a directory that cannot be synced is no failure.
  const int dir = ::open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    (void)::fsync(dir);
    ::close(dir);
  }
  return {};
}

}  // namespace rvf::interop
