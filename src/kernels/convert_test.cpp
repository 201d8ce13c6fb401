#include "kernels/convert.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace rvf::kernels {
namespace {

TEST(Convert, EveryF16SurvivesTheWayToF32AndBack) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float f = f16_to_f32(static_cast<uint16_t>(h));
    const uint16_t back = f32_to_f16(f);
    if (std::isnan(f)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(back)));
    } else {
      EXPECT_EQ(back, h);
    }
  }
}

TEST(Convert, F16RoundsToTheNearestNeighbourAndTiesToEven) {
  for (uint32_t h = 0; h < 0x7BFF; ++h) {
    const float low = f16_to_f32(static_cast<uint16_t>(h));
    const float high = f16_to_f32(static_cast<uint16_t>(h + 1));
    const float middle = (low + high) / 2;
    EXPECT_EQ(f32_to_f16(middle), h + (h & 1));
    EXPECT_EQ(f32_to_f16(std::nextafter(middle, low)), h);
    EXPECT_EQ(f32_to_f16(std::nextafter(middle, high)), h + 1);
  }
  EXPECT_EQ(f32_to_f16(65519.99F), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7C00);
}

TEST(Convert, Bf16RoundsToNearestEven) {
  EXPECT_EQ(f32_to_bf16(1.0F), 0x3F80);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3F808000U)), 0x3F80);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3F818000U)), 0x3F82);
  EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Convert, WhatIsEncodedDecodesToTheSameValuesForEveryDtype) {
  for (size_t dim : {1, 2, 7, 8, 9, 63, 65}) {
    for (DType t : {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kU8, DType::kI4,
                    DType::kBinary}) {
      std::vector<float> in(dim);
      for (size_t i = 0; i < dim; ++i) {
        const auto x = static_cast<float>(i * 7 % 8);
        in[i] = t == DType::kBinary ? static_cast<float>(i % 3 == 0) : t == DType::kI4 ? x - 4 : x;
      }
      std::vector<std::byte> row(vector_bytes(t, dim));
      ASSERT_TRUE(encode_row(in, t, row.data()).ok());
      std::vector<float> out(dim, -1);
      ASSERT_TRUE(decode_row(row.data(), t, out).ok());
      EXPECT_EQ(in, out) << dtype_name(t) << " " << dim;
    }
  }
}

TEST(Convert, AValueThatDoesNotFitIsRefusedByItsDimension) {
  struct Case {
    DType dtype;
    float value;
    ErrorCode code;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {DType::kF32, nan, ErrorCode::kNotFinite},       {DType::kF32, -inf, ErrorCode::kNotFinite},
      {DType::kF16, 1e6F, ErrorCode::kOutOfRange},     {DType::kF16, inf, ErrorCode::kNotFinite},
      {DType::kBF16, 3.4e38F, ErrorCode::kOutOfRange}, {DType::kI8, 128, ErrorCode::kOutOfRange},
      {DType::kI8, -128.6F, ErrorCode::kOutOfRange},   {DType::kU8, -1, ErrorCode::kOutOfRange},
      {DType::kU8, 256, ErrorCode::kOutOfRange},       {DType::kU8, nan, ErrorCode::kNotFinite},
      {DType::kI4, 8, ErrorCode::kOutOfRange},         {DType::kI4, -9, ErrorCode::kOutOfRange},
      {DType::kBinary, nan, ErrorCode::kNotFinite},
  };
  for (const Case& c : cases) {
    std::vector<float> in(5, 1.0F);
    in[3] = c.value;
    std::vector<std::byte> row(64);
    const Status s = encode_row(in, c.dtype, row.data());
    ASSERT_FALSE(s.ok()) << dtype_name(c.dtype) << c.value;
    EXPECT_EQ(s.error().code, c.code);
    EXPECT_NE(s.error().message.find("dimension 3"), std::string::npos) << s.error().message;
  }
}

TEST(Convert, PqAndCustomRowsAreRefused) {
  std::vector<float> v(4);
  std::byte row[16];
  EXPECT_EQ(encode_row(v, DType::kPQ, row).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(decode_row(row, DType::kCustom, v).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace rvf::kernels
