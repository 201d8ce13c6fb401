// A file, pipe or standard input ("-") read from front to back, gzip taken off on the way; or one
// member of an archive. Owns the descriptor and a small buffer. Thread-safety: one thread a source.
// Errors: kNoSuchFile, kPermission, kBadArgument (neither a file nor a pipe), kIo, kCorrupt and
// kTruncated (damaged gzip or archive), kTooLarge (a line over the limit).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::interop {

// Where a part of a file lies and what it holds.
struct MemberPlace {
  uint64_t offset = 0;  // of its bytes
  uint64_t packed = 0;  // bytes in the file
  uint64_t size = 0;  // bytes of the content
  uint32_t crc = 0;  // CRC-32 of the content
  bool deflated = false;
};

// How a line ended: with its last line a file may simply stop.
enum class LineEnd : uint8_t { kFeed, kReturn, kBoth, kNone };

class ByteSource {
 public:
  static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
  // `shown` stands for the path in messages.
  static Result<std::unique_ptr<ByteSource>> open_member(const std::string& path,
                                                         const std::string& shown,
                                                         const MemberPlace& place);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& path() const noexcept { return path_; }
  bool compressed() const noexcept { return inflater_ != nullptr; }
  // Whether open(path()) would begin again with the same bytes: no pipe, no member.
  bool rereadable() const noexcept { return rereadable_; }
  // Bytes of the content; empty for pipes, and for gzip, whose trailer is a claim and not a size.
  std::optional<uint64_t> size() const noexcept { return size_; }
  uint64_t consumed() const noexcept { return consumed_; }
  // The most bytes that the content can have: the file's size, or what gzip could expand it to.
  uint64_t size_bound() const noexcept;

  // The next bytes without taking them, up to n; fewer only at the end. Valid until the next call.
  Result<wire::ByteSpan> peek(size_t n);
  // What of the next bytes is at hand, and at least one; none at the end. Valid as for peek().
  Result<wire::ByteSpan> at_hand();
  // Takes n bytes of what was seen last.
  void skip(size_t n) noexcept;
  // Takes up to n bytes; fewer only at the end of the content.
  Result<size_t> read(void* out, size_t n);
  // One line without its end (\n, \r\n or \r); false at the end of the content.
  Result<bool> line(std::string& out, size_t limit, LineEnd* end = nullptr);
  // Bytes from anywhere in a plain file, up to n; nothing else is moved by it.
  Result<size_t> read_at(uint64_t offset, void* out, size_t n) const;
  Error error(ErrorCode code, const std::string& what) const;

 private:
  struct Inflater;
  struct Member;
  ByteSource();
  Status open_descriptor(const std::string& path);
  Status take_off_gzip();
  Status inflate_with(int window_bits);
  Status fill();  // appends to buffer_ or sets at_end_
  Status fill_inflated(size_t room);
  Status end_of_stream();  // of gzip or of a deflated member
  Result<size_t> read_raw(void* out, size_t n);
  Status check_member(const void* content, size_t n, bool ended);

  std::string path_;
  int fd_ = -1;
  bool rereadable_ = false;
  std::optional<uint64_t> file_size_;  // none: a pipe
  std::optional<uint64_t> size_;
  std::unique_ptr<Member> member_;
  uint64_t consumed_ = 0;
  std::unique_ptr<Inflater> inflater_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;  // of what is not yet taken in buffer_
  bool at_end_ = false;
};

}  // namespace rvf::interop
