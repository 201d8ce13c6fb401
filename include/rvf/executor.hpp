// Where parallel work runs. The library starts no thread by itself: a caller passes an executor, or
// nothing, and then the work runs on the calling thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace rvf {

class Executor {
 public:
  virtual ~Executor() = default;
  virtual size_t width() const noexcept = 0;  // how many workers run at once, at least 1
  // Calls body(worker, begin, end) over [0, n) in chunks of at most `grain`, worker < width(), and
  // returns when all are done. A worker index is used by one thread at a time. Bodies do not throw.
  virtual void parallel_for(uint64_t n, uint64_t grain,
                            const std::function<void(size_t, uint64_t, uint64_t)>& body) = 0;
};

// A pool of `threads` workers, the caller's thread being one of them; 0 means one a core.
// Thread-safety: one parallel_for at a time runs; others wait.
std::unique_ptr<Executor> make_thread_pool(size_t threads);

// Called now and then with how far a long operation is; returning false asks it to stop, which it
// does with ErrorCode::kCancelled and without harm to the store.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

}  // namespace rvf
