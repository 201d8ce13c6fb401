// An executor of width 1 that runs everything on the calling thread; no state, usable from any
// thread.
#pragma once
#include "rvf/executor.hpp"

namespace rvf {

class InlineExecutor final : public Executor {
 public:
  size_t width() const noexcept override { return 1; }
  void parallel_for(uint64_t n, uint64_t grain,
                    const std::function<void(size_t, uint64_t, uint64_t)>& body) override {
    const uint64_t step = grain == 0 ? 1 : grain;
    for (uint64_t at = 0; at < n; at += step) body(0, at, n - at < step ? n : at + step);
  }
};

}  // namespace rvf
