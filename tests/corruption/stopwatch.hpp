// What every suite needs to print its figure.
#pragma once
#include <chrono>
#include <cstdlib>
#include <string_view>

namespace rvf::testing {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

// Whether minutes and hours may be spent, not seconds.
inline bool long_form() {
  const char* form = std::getenv("RVF_RELIABILITY");
  return form != nullptr && std::string_view(form) == "long";
}

}  // namespace rvf::testing
