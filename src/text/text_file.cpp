// Reading of text files: gzip, size limits, binary content, broken UTF-8.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>

#include "text/passages.hpp"
#include "unicode/utf8.hpp"

namespace rvf::text {
namespace {

constexpr size_t kBlock = 64 << 10;

Error error_of(const std::string& path, int number) {
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOENT || number == ENOTDIR) code = ErrorCode::kNoSuchFile;
  if (number == EACCES || number == EPERM) code = ErrorCode::kPermission;
  return Error(code, path + ": " + std::generic_category().message(number));
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

struct GzFile {
  gzFile file = nullptr;
  ~GzFile() {
    if (file != nullptr) gzclose(file);
  }
};

// gzread hands plain files through and takes gzip off others, several members too.
Result<std::string> read_whole(const std::string& path, uint64_t max_bytes) {
  Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (d.fd < 0) return error_of(path, errno);
  struct stat st{};
  if (::fstat(d.fd, &st) != 0) return error_of(path, errno);
  if (S_ISDIR(st.st_mode)) return Error(ErrorCode::kBadArgument, path + ": is a directory");
  if (!S_ISREG(st.st_mode)) return Error(ErrorCode::kBadArgument, path + ": is not a regular file");
  if (static_cast<uint64_t>(st.st_size) > max_bytes) {
    return Error(ErrorCode::kTooLarge, path + ": larger than the limit for text files");
  }
  GzFile gz{gzdopen(d.fd, "rb")};
  if (gz.file == nullptr) return Error(ErrorCode::kOutOfMemory, path + ": no memory to read it");
  d.fd = -1;  // gzclose closes it
  std::string out;
  for (;;) {
    const size_t at = out.size();
    out.resize(at + kBlock);
    const int got = gzread(gz.file, out.data() + at, static_cast<unsigned>(kBlock));
    if (got < 0) return Error(ErrorCode::kCorrupt, path + ": damaged gzip data");
    out.resize(at + static_cast<size_t>(got));
    if (out.size() > max_bytes) {
      return Error(ErrorCode::kTooLarge, path + ": larger than the limit for text files");
    }
    if (static_cast<size_t>(got) < kBlock) break;
  }
  int state = Z_OK;
  (void)gzerror(gz.file, &state);
  if (state == Z_BUF_ERROR)
    return Error(ErrorCode::kTruncated, path + ": the gzip data ends too early");
  return out;
}

}  // namespace

bool looks_binary(std::string_view content) noexcept {
  const std::string_view head = content.substr(0, kBlock);
  size_t odd = 0;
  for (const char c : head) {
    const auto u = static_cast<unsigned char>(c);
    if (u == 0) return true;
    // Backspace and escape stand in manual pages and logs, form feed between pages.
    if (u < 0x20 && u != '\n' && u != '\r' && u != '\t' && u != '\f' && u != '\b' && u != 0x1B)
      ++odd;
  }
  if (odd * 50 > head.size()) return true;
  size_t bad = 0;
  for (size_t at = 0; at < head.size();) {
    const size_t from = at;
    const char32_t c = unicode::next_code_point(head, at);
    if (c == 0xFFFD && at == from + 1) ++bad;
  }
  return bad * 4 > head.size();  // a Latin-1 text has fewer
}

std::string valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const size_t from = at;
    const char32_t c = unicode::next_code_point(bytes, at);
    if (c == 0xFFFD) {
      unicode::append_utf8(out, c);
    } else {
      out.append(bytes.substr(from, at - from));
    }
  }
  return out;
}

Result<std::string> read_text_file(const std::string& path, uint64_t max_bytes) {
  try {
    RVF_ASSIGN(std::string content, read_whole(path, max_bytes));
    if (looks_binary(content)) return Error(ErrorCode::kUnsupported, path + ": binary, not text");
    return content;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory to read it");
  }
}

Result<Document> split_file(const std::string& path, const SplitOptions& options) {
  RVF_ASSIGN(const std::string content, read_text_file(path, options.max_bytes));
  return split_text(path, content, options);
}

}  // namespace rvf::text
