#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "exec/inline_executor.hpp"
#include "rvf/executor.hpp"

namespace rvf {
namespace {

using Body = std::function<void(size_t, uint64_t, uint64_t)>;

class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(size_t threads) {
    workers_.reserve(threads - 1);
    for (size_t i = 1; i < threads; ++i) {
      // A system that refuses another thread leaves a narrower pool, not an error.
      try {
        workers_.emplace_back([this, i] { serve(i); });
      } catch (const std::system_error&) {
        break;
      }
    }
  }

  ~ThreadPool() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : workers_) t.join();
  }

  size_t width() const noexcept override { return workers_.size() + 1; }

  void parallel_for(uint64_t n, uint64_t grain, const Body& body) override {
    if (n == 0) return;
    std::lock_guard turn(turn_);
    const uint64_t step = grain == 0 ? 1 : grain;
    if (n <= step || workers_.empty()) {
      InlineExecutor().parallel_for(n, step, body);
      return;
    }
    {
      std::lock_guard lock(mutex_);
      body_ = &body;
      n_ = n;
      grain_ = step;
      next_.store(0, std::memory_order_relaxed);
      busy_ = workers_.size();
      ++round_;
    }
    wake_.notify_all();
    drain(0, body, n, step);
    std::exception_ptr thrown;
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return busy_ == 0; });
      body_ = nullptr;
      thrown = std::exchange(thrown_, nullptr);
    }
    if (thrown) std::rethrow_exception(thrown);
  }

 private:
  // Chunks are claimed by number, so the counter cannot pass n by more than the count of workers.
  void drain(size_t worker, const Body& body, uint64_t n, uint64_t grain) {
    const uint64_t chunks = n / grain + (n % grain != 0 ? 1 : 0);
    for (;;) {
      const uint64_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= chunks) return;
      const uint64_t begin = chunk * grain;
      // What a body throws is the caller's, on whichever thread it ran; the other chunks run.
      try {
        body(worker, begin, n - begin < grain ? n : begin + grain);
      } catch (...) {
        std::lock_guard lock(mutex_);
        if (!thrown_) thrown_ = std::current_exception();
      }
    }
  }

  void serve(size_t worker) {
    uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stopping_ || round_ != seen; });
      if (stopping_) return;
      seen = round_;
      const Body* body = body_;
      const uint64_t n = n_;
      const uint64_t grain = grain_;
      lock.unlock();
      drain(worker, *body, n, grain);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex turn_;  // held for a whole parallel_for: later callers wait here
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const Body* body_ = nullptr;
  uint64_t n_ = 0;
  uint64_t grain_ = 1;
  uint64_t round_ = 0;
  size_t busy_ = 0;
  bool stopping_ = false;
  std::exception_ptr thrown_;  // the first of a round
  std::atomic<uint64_t> next_{0};
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_pool(size_t threads) {
  if (threads == 0) threads = std::thread::hardware_concurrency();
  if (threads <= 1) return std::make_unique<InlineExecutor>();
  return std::make_unique<ThreadPool>(threads);
}

}  // namespace rvf
