// A file read from front to back, gzip taken off on the way. Owns the descriptor and a small
// buffer. Thread-safety: one thread a source. Errors: kNoSuchFile, kPermission, kBadArgument (not a
// regular file), kIo, kCorrupt and kTruncated (damaged gzip), kTooLarge (a line over the limit).
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

class ByteSource {
 public:
  static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& path() const noexcept { return path_; }
  bool compressed() const noexcept { return inflater_ != nullptr; }
  // Bytes of the content; empty for gzip, whose trailer is a claim and not a size.
  std::optional<uint64_t> size() const noexcept { return size_; }
  uint64_t consumed() const noexcept { return consumed_; }
  // The most bytes that the content can have: the file's size, or what gzip could expand it to.
  uint64_t size_bound() const noexcept;

  // The next bytes without taking them, up to n; fewer only at the end. Valid until the next call.
  Result<wire::ByteSpan> peek(size_t n);
  // Takes up to n bytes; fewer only at the end of the content.
  Result<size_t> read(void* out, size_t n);
  // One line without its end (\n or \r\n); false at the end of the content.
  Result<bool> line(std::string& out, size_t limit);
  Error error(ErrorCode code, const std::string& what) const;

 private:
  struct Inflater;
  ByteSource() = default;
  Status fill();  // appends to buffer_ or sets at_end_
  Status fill_from_gzip(size_t room);
  Result<size_t> read_raw(void* out, size_t n);

  std::string path_;
  int fd_ = -1;
  uint64_t file_size_ = 0;
  std::optional<uint64_t> size_;
  uint64_t consumed_ = 0;
  std::unique_ptr<Inflater> inflater_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;  // of what is not yet taken in buffer_
  bool at_end_ = false;
};

}  // namespace rvf::interop
