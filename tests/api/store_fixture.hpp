// Helpers of the store tests: a fresh memory file system a test, and vectors from a seed.
#pragma once
#include <gtest/gtest.h>

#include <random>

#include "io/file.hpp"
#include "rvf/store.hpp"

namespace rvf {

// Fails the test with the message of the error.
#define ASSERT_RVF_OK(expr)                                       \
  do {                                                            \
    const auto& rvf_result_ = (expr);                             \
    ASSERT_TRUE(rvf_result_.ok()) << rvf_result_.error().message; \
  } while (false)

#define EXPECT_RVF_ERROR(expr, expected)                                                     \
  do {                                                                                       \
    const auto rvf_result_ = (expr);                                                         \
    ASSERT_FALSE(rvf_result_.ok());                                                          \
    EXPECT_EQ(rvf_result_.error().code, ErrorCode::expected) << rvf_result_.error().message; \
  } while (false)

inline std::vector<float> gaussian(size_t count, size_t dim, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count * dim);
  for (float& v : values) v = normal(random);
  return values;
}

class StoreTest : public ::testing::Test {
 protected:
  OpenOptions in_memory() const {
    OpenOptions o;
    o.file_system = fs_;
    return o;
  }
  Store make(uint32_t dim, Metric metric = Metric::kL2, DType dtype = DType::kF32) {
    CreateOptions c;
    c.dimension = dim;
    c.metric = metric;
    c.dtype = dtype;
    auto s = Store::create("s.rvf", c, in_memory());
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : s.error().message);
    return std::move(*s);
  }
  Store reopen() {
    auto s = Store::open("s.rvf", in_memory());
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : s.error().message);
    return std::move(*s);
  }
  void reopen(Store& s) {
    EXPECT_TRUE(s.close().ok());
    s = reopen();
  }
  std::shared_ptr<io::FileSystem> fs_ = io::memory_file_system();
};

}  // namespace rvf
