#include "corruption/failing_memory.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define RVF_OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define RVF_OWN_MALLOC 0
#else
#define RVF_OWN_MALLOC 1
#endif
#else
#define RVF_OWN_MALLOC 1
#endif

namespace rvf::testing {
namespace {

std::atomic<bool> armed{false};
std::atomic<uint64_t> count{0};
std::atomic<uint64_t> fail_at{0};
std::atomic<bool> for_ever{false};
std::atomic<bool> has_fired{false};

std::atomic<uint64_t> most{0};

[[maybe_unused]] bool fails(size_t bytes) noexcept {
  if (!armed.load(std::memory_order_relaxed)) return false;
  if (bytes > most.load(std::memory_order_relaxed)) most.store(bytes, std::memory_order_relaxed);
  const uint64_t n = count.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint64_t at = fail_at.load(std::memory_order_relaxed);
  const bool now = at != 0 && (n == at || (n > at && for_ever.load(std::memory_order_relaxed)));
  if (now) has_fired.store(true, std::memory_order_relaxed);
  return now;
}

}  // namespace

void FailingMemory::arm(uint64_t nth, bool sticky) {
  count = 0;
  fail_at = nth;
  for_ever = sticky;
  has_fired = false;
  most = 0;
  armed = true;
}
void FailingMemory::disarm() { armed = false; }
uint64_t FailingMemory::seen() { return count; }
bool FailingMemory::fired() { return has_fired; }
uint64_t FailingMemory::largest() { return most; }
bool FailingMemory::works() { return RVF_OWN_MALLOC != 0; }

}  // namespace rvf::testing

#if RVF_OWN_MALLOC
// operator new of the standard library comes down to these, and so do the C libraries.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t n) noexcept {
  if (!rvf::testing::fails(n)) return __libc_malloc(n);
  errno = ENOMEM;
  return nullptr;
}
void* calloc(size_t n, size_t size) noexcept {
  if (!rvf::testing::fails(n * size)) return __libc_calloc(n, size);
  errno = ENOMEM;
  return nullptr;
}
void* realloc(void* p, size_t n) noexcept {
  if (!rvf::testing::fails(n)) return __libc_realloc(p, n);
  errno = ENOMEM;
  return nullptr;
}
void* aligned_alloc(size_t alignment, size_t n) noexcept {
  if (!rvf::testing::fails(n)) return __libc_memalign(alignment, n);
  errno = ENOMEM;
  return nullptr;
}
void* memalign(size_t alignment, size_t n) noexcept { return aligned_alloc(alignment, n); }
int posix_memalign(void** out, size_t alignment, size_t n) noexcept {
  void* p = aligned_alloc(alignment, n);
  if (p == nullptr) return ENOMEM;
  *out = p;
  return 0;
}
}
#endif
