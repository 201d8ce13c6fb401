// A range of addresses that takes memory only where it is touched: pages of zeros that the
// operating system gives at the first access. Where there is no mmap it is plain memory.
// Thread-safety: as plain memory.
#pragma once
#include <cstddef>
#include <memory>

#include "rvf/result.hpp"

namespace rvf::io {

struct ReleaseReserved {
  size_t bytes = 0;
  void operator()(std::byte* memory) const noexcept;
};

class ReservedMemory {
 public:
  ReservedMemory() noexcept = default;
  // Starts on a page, or on 64 bytes. kOutOfMemory.
  static Result<ReservedMemory> make(size_t bytes);

  std::byte* data() const noexcept { return memory_.get(); }

 private:
  std::unique_ptr<std::byte, ReleaseReserved> memory_;
};

}  // namespace rvf::io
