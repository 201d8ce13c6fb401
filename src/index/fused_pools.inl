// The pools of the walk for the instruction sets without a form of their own.
#include "index/fused_kernels.hpp"

namespace rvf::index {
namespace {

struct PlainPools {
  static uint32_t insert(uint64_t* keys, uint32_t n, uint64_t key) {
    uint32_t low = 0;
    uint32_t high = n;
    while (low < high) {
      const uint32_t mid = (low + high) / 2;
      if (keys[mid] < key) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    for (uint32_t i = n - 1; i > low; --i) keys[i] = keys[i - 1];
    keys[low] = key;
    return low;
  }
  static void insert16(uint64_t* keys, uint64_t key) { insert(keys, 16, key); }
  static void drop(uint64_t* keys, uint32_t n) {
    for (uint32_t i = 0; i < 16; ++i) keys[i] = i + n < 16 ? keys[i + n] : kNoKey;
  }
  static uint32_t next_open(const uint64_t* keys, uint32_t from, uint32_t n) {
    while (from < n && (keys[from] & 1) != 0) ++from;
    return from;
  }
};

}  // namespace
}  // namespace rvf::index
