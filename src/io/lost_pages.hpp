// Mapped files whose pages vanish: another program cut the file, or the disk cannot read them. The
// system then sends SIGBUS to whoever touches such a page. For addresses of mappings that are
// guarded here a handler puts zeros in the place of what is lost, and marks the mapping; who reads
// from it asks lost() before believing what was read. Other addresses go to the handler before.
// The handler is installed with the first guard, so in no process that does not ask for one.
// Thread-safe; the handler allocates nothing and takes no lock.
#pragma once
#include <atomic>
#include <cstddef>

namespace rvf::io {

class PageGuard {
 public:
  // The bytes must stay mapped until the guard is destroyed. Without effect where there is no
  // handler, or too many mappings.
  PageGuard(const void* address, size_t length) noexcept;
  ~PageGuard();
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;

  bool lost() const noexcept;

 private:
  int slot_ = -1;
};

// Whether any mapping that is guarded now has lost a page: one load, for the common answer no.
bool any_pages_lost() noexcept;

}  // namespace rvf::io
