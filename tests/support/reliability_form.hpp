// How long a reliability test may take, and how long it took.
#pragma once
#include <chrono>
#include <cstdlib>
#include <string_view>

namespace rvf::testing {

// RVF_RELIABILITY=long asks for hours; anything else for what fits into every run of the tests.
inline bool is_long_form() {
  const char* form = std::getenv("RVF_RELIABILITY");
  return form != nullptr && std::string_view(form) == "long";
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace rvf::testing
