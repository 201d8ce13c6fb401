// Text files as UTF-8: gzip is taken off by content, HTML becomes its text, and the encoding is
// found: by a byte order mark, as asked for, as HTML or XML declare it, by the look of UTF-16; else
// it is UTF-8, with bytes that are none read as Windows-1252.
//
// Thread-safety: functions without state. Memory: the file, and its text. Errors name the file:
// kUnsupported where it is no text or in an encoding that is not read, kTooLarge, kNoSuchFile,
// kPermission, kIo, kCorrupt and kTruncated (gzip) where it could not be read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rvf/result.hpp"
#include "text/file_stamp.hpp"
#include "text/passages.hpp"
#include "unicode/encoding.hpp"

namespace rvf::text {

struct ReadOptions {
  uint64_t max_bytes = 16ULL << 20;  // of the file, and unpacked
  std::optional<unicode::Encoding> encoding;  // but a byte order mark goes before it
};

struct TextFile {
  std::string text;  // UTF-8
  std::string title;  // of an HTML document that has one
  std::vector<uint32_t> lines;  // of the file, for each line of text; empty: the same
  FileStamp stamp;  // before it was read
  // False where the file changed while it was read, or so shortly before that its times could not
  // tell a further change.
  bool settled = true;
};

Result<TextFile> read_text_file(const std::string& path, const ReadOptions& options = {});

// The passages of the text, with the lines of the file.
Result<Document> split_file(const std::string& path, const TextFile& file,
                            const SplitOptions& options = {});

// NUL bytes, many control characters, or too many bytes that are no UTF-8 even for Windows-1252.
bool looks_binary(std::string_view content) noexcept;

}  // namespace rvf::text
