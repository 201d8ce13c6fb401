// A file seen as memory, growing with it. Mappings are made larger than the file and kept, so that
// addresses handed out before stay valid and a growing store is mapped anew only O(log n) times.
// Thread-safe.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "io/file.hpp"
#include "wire/bytes.hpp"

namespace rvf::runtime {

class MappedFile {
 public:
  explicit MappedFile(std::shared_ptr<io::File> file) : file_(std::move(file)) {}

  io::File& file() const noexcept { return *file_; }
  // Bytes [offset, offset + length), which must lie inside the file as it is now: kTruncated
  // otherwise.
  Result<wire::ByteSpan> view(uint64_t offset, uint64_t length);
  // Starts reading bytes that will be read from end to end soon.
  void will_need(uint64_t offset, uint64_t length) const;
  // Keeps every address handed out so far valid.
  std::vector<std::shared_ptr<const io::Mapping>> mappings() const;

 private:
  std::shared_ptr<io::File> file_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const io::Mapping>> mappings_;
  uint64_t known_size_ = 0;
};

}  // namespace rvf::runtime
