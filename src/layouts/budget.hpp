// What decoding may still take. Every structure is charged before it is made.
#pragma once
#include <cstdint>
#include <string>

#include "rvf/result.hpp"

namespace rvf::layouts {

class Budget {
 public:
  Budget(uint64_t limit, uint64_t file_bytes) noexcept
      : left_(limit != 0 ? limit : file_bytes * 32 + (256ULL << 20)) {}

  Status take(uint64_t count, uint64_t bytes_each, const char* what) {
    if (bytes_each != 0 && count > left_ / bytes_each) {
      return Error(ErrorCode::kBudgetExceeded,
                   std::string("the ") + what + " would take " + std::to_string(count) + " times " +
                       std::to_string(bytes_each) + " bytes, more than the memory budget leaves");
    }
    left_ -= count * bytes_each;
    return {};
  }
  uint64_t left() const noexcept { return left_; }

 private:
  uint64_t left_;
};

}  // namespace rvf::layouts
