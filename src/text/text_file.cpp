#include "text/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <system_error>
#include <utility>

#include "text/html.hpp"
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

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Error too_large(const std::string& path, uint64_t max_bytes) {
  return Error(ErrorCode::kTooLarge,
               path + ": larger than " + std::to_string(max_bytes) + " bytes");
}

// gzread hands plain files through and takes gzip off others, several members too.
Result<std::string> read_whole(const std::string& path, uint64_t max_bytes, TextFile& file) {
  Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (d.fd < 0) return error_of(path, errno);
  struct stat st{};
  if (::fstat(d.fd, &st) != 0) return error_of(path, errno);
  if (S_ISDIR(st.st_mode)) return Error(ErrorCode::kBadArgument, path + ": is a directory");
  if (!S_ISREG(st.st_mode)) return Error(ErrorCode::kBadArgument, path + ": is not a regular file");
  if (static_cast<uint64_t>(st.st_size) > max_bytes) return too_large(path, max_bytes);
  file.stamp = stamp_of(st);
  // Two seconds are the coarsest times that a file system keeps.
  constexpr int64_t kSettles = 2'000'000'000;
  file.settled = std::max(file.stamp.mtime_ns, file.stamp.changed_ns) < now_ns() - kSettles;
  GzFile gz{gzdopen(d.fd, "rb")};
  if (gz.file == nullptr) return Error(ErrorCode::kOutOfMemory, path + ": no memory to read it");
  const int fd = std::exchange(d.fd, -1);  // gzclose closes it
  std::string out;
  for (;;) {
    const size_t at = out.size();
    out.resize(at + kBlock);
    errno = 0;
    const int got = gzread(gz.file, out.data() + at, static_cast<unsigned>(kBlock));
    if (got < 0) {
      int state = Z_OK;
      (void)gzerror(gz.file, &state);
      if (state == Z_ERRNO) return error_of(path, errno);
      return Error(ErrorCode::kCorrupt, path + ": damaged gzip data");
    }
    out.resize(at + static_cast<size_t>(got));
    if (out.size() > max_bytes) return too_large(path, max_bytes);
    if (static_cast<size_t>(got) < kBlock) break;
  }
  int state = Z_OK;
  (void)gzerror(gz.file, &state);
  if (state == Z_BUF_ERROR)
    return Error(ErrorCode::kTruncated, path + ": the gzip data ends too early");
  file.settled = file.settled && ::fstat(fd, &st) == 0 && stamp_of(st) == file.stamp;
  return out;
}

bool is_utf8(std::string_view bytes) noexcept {
  for (size_t at = 0; at < bytes.size();) {
    const size_t from = at;
    const char32_t c = unicode::next_code_point(bytes, at);
    if (unicode::is_invalid(c, at - from)) return false;
  }
  return true;
}

Result<std::string> decode(const std::string& path, std::string_view bytes,
                           const ReadOptions& options) {
  const auto no_text = [&] {
    return Error(ErrorCode::kUnsupported, path + ": binary, or text in an unknown encoding");
  };
  auto encoding = options.encoding;
  if (const auto mark = unicode::byte_order_mark(bytes)) {
    encoding = mark->encoding;
    bytes.remove_prefix(mark->bytes);
  }
  if (!encoding) {
    const std::string_view declared = declared_encoding(path, bytes);
    encoding = unicode::encoding_of_name(declared);
    if (!declared.empty() && !encoding && !is_utf8(bytes)) {
      return Error(ErrorCode::kUnsupported, path + ": the encoding '" + std::string(declared) +
                                                "' that it declares is not read");
    }
    // What was found as ASCII is not UTF-16, whatever it says.
    const bool wide = encoding && *encoding != unicode::Encoding::kUtf8 &&
                      *encoding != unicode::Encoding::kWindows1252;
    if (wide) encoding = std::nullopt;
  }
  if (!encoding) encoding = unicode::plausible_utf16(bytes);
  if (!encoding && looks_binary(bytes)) return no_text();
  std::string text = unicode::to_utf8(bytes, encoding.value_or(unicode::Encoding::kUtf8));
  if (encoding && looks_binary(text)) return no_text();
  return text;
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
    bad += unicode::next_code_point(head, at) == unicode::kReplacement;
  }
  return bad * 4 > head.size() + 32;  // a Latin-1 text has fewer, but for a few words
}

Result<TextFile> read_text_file(const std::string& path, const ReadOptions& options) {
  try {
    TextFile out;
    RVF_ASSIGN(const std::string bytes, read_whole(path, options.max_bytes, out));
    RVF_ASSIGN(out.text, decode(path, bytes, options));
    if (looks_like_html(path, out.text)) {
      HtmlText html = text_of_html(out.text);
      out.text = std::move(html.text);
      out.title = std::move(html.title);
      out.lines = std::move(html.lines);
    } else if (out.text.find('\n') == std::string::npos) {
      // Lines of an old Macintosh.
      std::replace(out.text.begin(), out.text.end(), '\r', '\n');
    }
    return out;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory to read it");
  }
}

Result<Document> split_file(const std::string& path, const TextFile& file,
                            const SplitOptions& options) {
  RVF_ASSIGN(Document out, split_text(path, file.text, options));
  if (!file.title.empty()) out.title = file.title;
  if (file.lines.empty()) return out;
  const auto line_of = [&](uint32_t line) {
    return file.lines[std::min<size_t>(line, file.lines.size()) - 1];
  };
  for (Passage& p : out.passages) {
    p.first_line = line_of(p.first_line);
    p.last_line = line_of(p.last_line);
  }
  return out;
}

}  // namespace rvf::text
