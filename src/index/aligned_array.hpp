// Arrays on 64-byte boundaries, without values until they are written.
#pragma once
#include <cstddef>
#include <memory>
#include <new>

namespace rvf::index {

struct AlignedFree {
  void operator()(void* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
};
template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedFree>;
template <class T>
AlignedArray<T> aligned_array(size_t n) {  // null when there is no memory
  return AlignedArray<T>(
      static_cast<T*>(::operator new[](n * sizeof(T), std::align_val_t{64}, std::nothrow)));
}

}  // namespace rvf::index
