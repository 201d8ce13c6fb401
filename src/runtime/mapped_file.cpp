#include "runtime/mapped_file.hpp"

#include <algorithm>

namespace rvf::runtime {
namespace {
constexpr uint64_t kSlack = 64U << 20;
}

Result<wire::ByteSpan> MappedFile::view(uint64_t offset, uint64_t length) {
  std::lock_guard lock(mutex_);
  if (offset > known_size_ || length > known_size_ - offset) {
    RVF_ASSIGN(known_size_, file_->size());
    if (offset > known_size_ || length > known_size_ - offset) {
      return Error(ErrorCode::kTruncated, "the file ends before a segment that its manifest names",
                   0, offset);
    }
  }
  if (mappings_.empty() || mappings_.back()->bytes().size() < offset + length) {
    RVF_ASSIGN(auto mapping, file_->map(std::max(known_size_ + kSlack, known_size_ * 2)));
    if (mapping->bytes().size() < offset + length) {
      return Error(ErrorCode::kIo, "the mapping is shorter than the file", 0, offset);
    }
    // Rows are read here and there; a scan asks for its range ahead of itself.
    mapping->expect_random();
    mappings_.push_back(std::move(mapping));
  }
  return mappings_.back()->bytes().subspan(offset, length);
}

void MappedFile::will_need(uint64_t offset, uint64_t length) const {
  std::shared_ptr<const io::Mapping> newest;
  {
    std::lock_guard lock(mutex_);
    if (mappings_.empty()) return;
    newest = mappings_.back();
  }
  newest->will_need(offset, length);
}

std::vector<std::shared_ptr<const io::Mapping>> MappedFile::mappings() const {
  std::lock_guard lock(mutex_);
  return mappings_;
}

}  // namespace rvf::runtime
