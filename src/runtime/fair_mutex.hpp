// A mutex that is given out in the order of asking. With std::mutex a thread that writes in a loop
// gets it back again and again, and a compaction waits for seconds.
// Satisfies Lockable as far as std::lock_guard needs it.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace rvf::runtime {

class FairMutex {
 public:
  void lock() {
    std::unique_lock guard(mutex_);
    const uint64_t ticket = next_++;
    turn_.wait(guard, [&] { return serving_ == ticket; });
  }
  void unlock() {
    {
      std::lock_guard guard(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }
  bool contended() const {  // somebody waits
    std::lock_guard guard(mutex_);
    return next_ > serving_ + 1;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable turn_;
  uint64_t next_ = 0, serving_ = 0;
};

}  // namespace rvf::runtime
