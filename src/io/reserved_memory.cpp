#include "io/reserved_memory.hpp"

#if defined(__unix__) && !defined(__EMSCRIPTEN__)
#include <sys/mman.h>
#define RVF_IO_CAN_RESERVE 1
#endif

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

namespace rvf::io {

#ifdef RVF_IO_CAN_RESERVE

Result<ReservedMemory> ReservedMemory::make(size_t bytes) {
  const size_t length = std::max<size_t>(bytes, 1);
  void* at = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return Error(ErrorCode::kOutOfMemory, "no room to reserve " + std::to_string(bytes) + " bytes");
  }
  ReservedMemory r;
  r.memory_ = {static_cast<std::byte*>(at), ReleaseReserved{length}};
  return r;
}

void ReleaseReserved::operator()(std::byte* memory) const noexcept { ::munmap(memory, bytes); }

#else

Result<ReservedMemory> ReservedMemory::make(size_t bytes) {
  const size_t length = std::max<size_t>(bytes, 1);
  void* at = ::operator new(length, std::align_val_t{64}, std::nothrow);
  if (at == nullptr) {
    return Error(ErrorCode::kOutOfMemory, "no room to reserve " + std::to_string(bytes) + " bytes");
  }
  std::memset(at, 0, length);
  ReservedMemory r;
  r.memory_ = {static_cast<std::byte*>(at), ReleaseReserved{length}};
  return r;
}

void ReleaseReserved::operator()(std::byte* memory) const noexcept {
  ::operator delete(memory, std::align_val_t{64});
}

#endif

}  // namespace rvf::io
