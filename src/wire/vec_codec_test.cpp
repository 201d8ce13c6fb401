#include "wire/vec_codec.hpp"

#include <algorithm>
#include <numeric>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

constexpr DType kPlain[] = {DType::kF32, DType::kF16, DType::kBF16,  DType::kI8,
                            DType::kU8,  DType::kI4,  DType::kBinary};

std::vector<uint64_t> ids_of_kind(IdEncoding kind, size_t n, std::mt19937_64& rng) {
  std::vector<uint64_t> ids(n);
  if (kind == IdEncoding::kRun) {
    std::iota(ids.begin(), ids.end(), rng() % 1000);
    return ids;
  }
  for (uint64_t& id : ids) id = rng() >> (rng() % 60 + 1);
  if (kind == IdEncoding::kDelta) std::sort(ids.begin(), ids.end());
  return ids;
}

// Packed rows whose unused bits are zero, as the encoder promises them back.
Bytes random_rows(DType dtype, size_t dim, size_t n, std::mt19937_64& rng) {
  const size_t bytes = vector_bytes(dtype, dim);
  Bytes rows = random_bytes(rng, bytes * n);
  const size_t bits = dtype == DType::kBinary ? dim : dtype == DType::kI4 ? dim * 4 : 0;
  if (bits % 8 == 0) return rows;
  for (size_t i = 1; i <= n; ++i)
    rows[i * bytes - 1] &= static_cast<std::byte>((1U << bits % 8) - 1);
  return rows;
}

Bytes row_major(DType dtype, uint16_t dim, const Bytes& rows, std::span<const uint64_t> ids) {
  RowMajorBuilder builder(dtype, dim, 0, ids);
  const size_t bytes = vector_bytes(dtype, dim);
  for (size_t i = 0; i < ids.size(); ++i)
    std::memcpy(builder.row(i), rows.data() + i * bytes, bytes);
  return std::move(builder).finish();
}

Bytes columnar(DType dtype, uint16_t dim, const Bytes& rows, std::span<const uint64_t> ids) {
  ColumnarInput block;
  block.dtype = dtype;
  block.dim = dim;
  block.rows = rows;
  block.ids = ids;
  return encode_columnar_vec(std::span(&block, 1));
}

// Reads every id and every value the way a store does, so that a wild one is one past an
// allocation.
Result<std::vector<VecBlock>> read_all(ByteSpan payload, bool verify) {
  auto blocks = parse_vec(payload, verify);
  if (!blocks) return blocks;
  uint64_t sum = 0;
  for (const VecBlock& b : *blocks) {
    for (size_t i = 0; i < std::min<size_t>(b.ids.size(), 300); ++i) sum += b.ids.at(i);
    for (const std::byte v : b.values) sum += static_cast<uint64_t>(v);
    if (b.count > 1U << 20) continue;
    std::vector<uint64_t> ids;
    b.ids.copy_to(ids);
    if (!b.row_major && b.values.size() < 1U << 20) sum += columnar_rows(b).ok();
  }
  EXPECT_NE(sum, ~0ULL);
  return blocks;
}

TEST(VecCodec, RowMajorRowsAndIdsOfEveryDtypeAreReadBack) {
  std::mt19937_64 rng(kTestSeed);
  for (const DType dtype : kPlain) {
    for (const IdEncoding kind : {IdEncoding::kRaw, IdEncoding::kRun}) {
      for (const size_t n : {1U, 2U, 255U, 300U}) {
        const auto dim = static_cast<uint16_t>(1 + rng() % 90);
        const auto ids = ids_of_kind(kind, n, rng);
        const Bytes rows = random_rows(dtype, dim, n, rng);
        const Bytes payload = row_major(dtype, dim, rows, ids);
        EXPECT_EQ(payload.size(), row_major_payload_size(dtype, dim, ids));
        const auto blocks = read_all(payload, true);
        ASSERT_TRUE(blocks.ok()) << blocks.error().message;
        const size_t bytes = vector_bytes(dtype, dim);
        size_t row = 0;
        for (const VecBlock& b : *blocks) {
          EXPECT_TRUE(b.row_major);
          EXPECT_EQ(b.offset % 64, 0U);
          EXPECT_EQ(b.stride % 64, 0U);
          for (size_t i = 0; i < b.count; ++i, ++row) {
            EXPECT_EQ(b.ids.at(i), ids[row]);
            EXPECT_EQ(std::memcmp(b.values.data() + i * b.stride, rows.data() + row * bytes, bytes),
                      0);
          }
        }
        EXPECT_EQ(row, n);
      }
    }
  }
}

TEST(VecCodec, ALongBatchIsCutIntoBlocks) {
  std::mt19937_64 rng(kTestSeed);
  constexpr size_t kRows = 70'000;  // 65,536 fit into a block
  const auto ids = ids_of_kind(IdEncoding::kRaw, kRows, rng);
  const uint16_t dim = 4;
  const Bytes payload = row_major(DType::kF32, dim, random_rows(DType::kF32, dim, kRows, rng), ids);
  const auto blocks = parse_vec(payload, true);
  ASSERT_TRUE(blocks.ok());
  EXPECT_EQ(blocks->size(), 2U);
  std::vector<uint64_t> back;
  for (const VecBlock& b : *blocks) b.ids.copy_to(back);
  EXPECT_EQ(back, ids);
}

TEST(VecCodec, ColumnsAndIdsOfEveryDtypeAreReadBack) {
  std::mt19937_64 rng(kTestSeed);
  for (const DType dtype : kPlain) {
    for (const IdEncoding kind : {IdEncoding::kRaw, IdEncoding::kDelta, IdEncoding::kRun}) {
      for (const size_t n : {1U, 127U, 128U, 129U, 500U}) {
        const auto dim = static_cast<uint16_t>(1 + rng() % 33);
        const auto ids = ids_of_kind(n < 2 ? IdEncoding::kRun : kind, n, rng);
        const Bytes rows = random_rows(dtype, dim, n, rng);
        const Bytes payload = columnar(dtype, dim, rows, ids);
        const auto blocks = read_all(payload, true);
        ASSERT_TRUE(blocks.ok()) << blocks.error().message;
        ASSERT_EQ(blocks->size(), 1U);
        const VecBlock& b = blocks->front();
        EXPECT_FALSE(b.row_major);
        EXPECT_TRUE(n < 2 || b.ids.encoding() == kind);
        EXPECT_EQ(*columnar_rows(b), rows) << dtype_name(dtype);
        std::vector<uint64_t> back;
        b.ids.copy_to(back);
        EXPECT_EQ(back, ids);
        for (size_t i = 0; i < n; i += 7) EXPECT_EQ(b.ids.at(i), ids[i]);
      }
    }
  }
}

TEST(VecCodec, CodesNameTheirQuantiserAndAreReadBack) {
  std::mt19937_64 rng(kTestSeed);
  for (const DType code : {DType::kI8, DType::kI4}) {
    const auto ids = ids_of_kind(IdEncoding::kDelta, 200, rng);
    const Bytes rows = random_rows(code, 9, 200, rng);
    ColumnarInput block;
    block.dtype = DType::kCustom;
    block.code_dtype = code;
    block.quant_segment = 77;
    block.dim = 9;
    block.tier = 2;
    block.rows = rows;
    block.ids = ids;
    const Bytes payload = encode_columnar_vec(std::span(&block, 1));
    const auto blocks = read_all(payload, true);
    ASSERT_TRUE(blocks.ok());
    EXPECT_EQ(blocks->front().quant_segment, 77U);
    EXPECT_EQ(blocks->front().code_dtype, code);
    EXPECT_EQ(blocks->front().tier, 2);
    EXPECT_EQ(*columnar_rows(blocks->front()), rows);
  }
}

TEST(VecCodec, RowCodesKeepEachRowInOnePiece) {
  const std::vector<uint64_t> ids = {5, 6, 9};
  const Bytes rows(3 * 7, std::byte{0x5A});
  RowCodesInput block;
  block.code_dtype = DType::kI4;
  block.quant_segment = 77;
  block.row_bytes = 7;
  block.dim = 2;
  block.tier = 2;
  block.rows = rows;
  block.ids = ids;
  Bytes payload = encode_row_codes_vec(std::span(&block, 1));
  const auto blocks = parse_vec(payload, true);
  ASSERT_TRUE(blocks.ok());
  const VecBlock& b = blocks->front();
  EXPECT_TRUE(b.is_row_codes());
  EXPECT_EQ(b.quant_segment, 77U);
  EXPECT_EQ(b.code_dtype, DType::kI4);
  EXPECT_EQ(b.stride, 7U);
  EXPECT_TRUE(std::equal(b.values.begin(), b.values.end(), rows.begin(), rows.end()));
  EXPECT_EQ(b.ids.at(2), 9U);
  EXPECT_FALSE(columnar_rows(b).ok());
  flip_bits(payload, [](ByteSpan p) { return read_all(p, false); }, 500);
  std::memset(payload.data() + b.offset + 12, 0, 4);  // bytes of a row
  EXPECT_FALSE(parse_vec(payload, false).ok());
}

TEST(VecCodec, ABlockChecksumCatchesEveryFlippedBit) {
  std::mt19937_64 rng(kTestSeed);
  const auto ids = ids_of_kind(IdEncoding::kDelta, 40, rng);
  const Bytes rows = random_rows(DType::kI8, 5, 40, rng);
  for (const Bytes& payload :
       {row_major(DType::kI8, 5, rows, ids), columnar(DType::kI8, 5, rows, ids)}) {
    const auto whole = parse_vec(payload, true);
    ASSERT_TRUE(whole.ok());
    const size_t begin = whole->front().offset;
    const size_t end = begin + whole->front().checked.size() + 4;
    for (size_t bit = begin * 8; bit < end * 8; ++bit) {
      Bytes damaged = payload;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      ASSERT_FALSE(read_all(damaged, true).ok()) << "bit " << bit;
    }
  }
}

TEST(VecCodec, ATruncatedPayloadNeverReadsPastItsEnd) {
  std::mt19937_64 rng(kTestSeed);
  const auto ids = ids_of_kind(IdEncoding::kDelta, 150, rng);
  const Bytes rows = random_rows(DType::kF16, 3, 150, rng);
  for (const Bytes& payload :
       {row_major(DType::kF16, 3, rows, ids), columnar(DType::kF16, 3, rows, ids)}) {
    const size_t needed = parse_vec(payload, false)->front().offset +
                          parse_vec(payload, false)->front().checked.size() + 4;
    for (size_t n = 0; n < payload.size(); ++n) {
      const Bytes cut(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(read_all(cut, true).ok(), n >= needed) << "cut to " << n;
    }
  }
}

TEST(VecCodec, DamagedPayloadsAreRefusedOrReadWithinBounds) {
  std::mt19937_64 rng(kTestSeed);
  const auto ids = ids_of_kind(IdEncoding::kDelta, 300, rng);
  for (const DType dtype : {DType::kF32, DType::kI4, DType::kBinary}) {
    const Bytes rows = random_rows(dtype, 13, 300, rng);
    flip_bits(row_major(dtype, 13, rows, ids), [](ByteSpan b) { return read_all(b, false); }, 500);
    flip_bits(columnar(dtype, 13, rows, ids), [](ByteSpan b) { return read_all(b, false); }, 500);
  }
}

TEST(VecCodec, OfALargeBlockEachUnitSaysWhetherItIsWhole) {
  std::vector<uint64_t> ids(3000);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = i * 3;
  RowMajorBuilder builder(DType::kI8, 4, 0, ids);
  for (size_t i = 0; i < ids.size(); ++i) std::memset(builder.row(i), static_cast<int>(i % 100), 4);
  const Bytes whole = std::move(builder).finish();
  EXPECT_EQ(whole.size(), row_major_payload_size(DType::kI8, 4, ids));
  const auto states = [](const Bytes& payload) {
    const auto blocks = parse_vec(payload, false);
    EXPECT_TRUE(blocks.ok());
    return check_units(payload, *blocks);
  };
  const auto units = states(whole);
  ASSERT_EQ(units.size(), 1U);
  EXPECT_TRUE(units[0].ids_are_whole);
  EXPECT_EQ(units[0].whole, std::vector<bool>({true, true, true}));
  const size_t values = (*parse_vec(whole, true))[0].offset;
  Bytes harmed = whole;
  harmed[values + 64 * 1500] ^= std::byte{1};
  EXPECT_EQ(states(harmed)[0].whole, std::vector<bool>({true, false, true}));
  harmed = whole;
  harmed[values + 64 * 3000 + 100] ^= std::byte{1};
  EXPECT_FALSE(states(harmed)[0].ids_are_whole);
  for (size_t at = harmed.size() - 64; at < harmed.size(); ++at) {
    harmed = whole;
    harmed[at] ^= std::byte{1};
    const auto seen = states(harmed);
    EXPECT_TRUE(seen.empty() || seen[0].whole == units[0].whole);
  }
  harmed.resize(harmed.size() - 64);
  EXPECT_TRUE(states(harmed).empty());
}

}  // namespace
}  // namespace rvf::wire
