#include <cmath>
#include <limits>

#include "store_fixture.hpp"

namespace rvf {
namespace {

using BadInput = StoreTest;

TEST_F(BadInput, AWrongDimensionIsRefusedByIngestAndQuery) {
  Store s = make(4);
  const std::vector<float> v(5, 1.0F);
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, 5)), kWrongDimension);
  EXPECT_RVF_ERROR(s.query(v), kWrongDimension);
  EXPECT_EQ(s.status().vectors, 0U);
}

TEST_F(BadInput, NanAndInfinityAreRefusedNamingTheVector) {
  for (const DType t : {DType::kF32, DType::kF16, DType::kBF16, DType::kU8}) {
    fs_ = io::memory_file_system();
    Store s = make(2, Metric::kL2, t);
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      const std::vector<float> v = {1, 2, 3, bad};
      auto r = s.ingest(Vectors::from_f32(v, 2));
      ASSERT_FALSE(r.ok());
      EXPECT_EQ(r.error().code, ErrorCode::kNotFinite) << r.error().message;
      EXPECT_NE(r.error().message.find("vector 1"), std::string::npos) << r.error().message;
      EXPECT_RVF_ERROR(s.query(std::span(v).subspan(2)), kNotFinite);
    }
    EXPECT_EQ(s.status().vectors, 0U);
  }
}

TEST_F(BadInput, AValueThatTheDtypeCannotHoldIsRefused) {
  Store s = make(1, Metric::kL2, DType::kU8);
  const std::vector<float> v = {256};
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, 1)), kOutOfRange);
}

TEST_F(BadInput, FractionsAreNoWholeNumbersOfI8AndU8) {
  for (const DType t : {DType::kI8, DType::kU8}) {
    fs_ = io::memory_file_system();
    Store s = make(2, Metric::kL2, t);
    const std::vector<float> fraction = {1, 2, 0.1F, 0.2F};
    auto r = s.ingest(Vectors::from_f32(fraction, 2));
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().code, ErrorCode::kOutOfRange);
    EXPECT_NE(r.error().message.find("vector 1"), std::string::npos) << r.error().message;
    EXPECT_EQ(s.status().vectors, 0U);
    const std::vector<float> whole = {1, 2};
    ASSERT_RVF_OK(s.ingest(Vectors::from_f32(whole, 2)));
    ASSERT_RVF_OK(s.query(std::span(fraction).subspan(2)));
  }
}

TEST_F(BadInput, AFieldIsNotWidenedWhereALiveValueWouldBeRounded) {
  constexpr int64_t kInexact = (int64_t{1} << 53) + 1;
  Store s = make(1);
  const std::vector<float> v = {1};
  const std::vector<uint64_t> first = {1}, second = {2};
  const auto write = [&](const std::vector<uint64_t>& ids, Column column) {
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(v, 1);
    batch.ids = ids;
    batch.columns = std::span(&column, 1);
    return s.write(batch);
  };
  ASSERT_RVF_OK(write(first, {"n", FieldType::kI64, {Value(kInexact)}}));
  EXPECT_RVF_ERROR(write(second, {"n", FieldType::kF64, {Value(0.5)}}), kOutOfRange);
  const Field wide{"n", FieldType::kF64, kIndexNone};
  EXPECT_EQ(s.define_fields(std::span(&wide, 1)).error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(s.snapshot()->values(first, "n")->front(), Value(kInexact));
  ASSERT_RVF_OK(s.remove(first));  // a dead value is in nobody's way
  ASSERT_RVF_OK(write(second, {"n", FieldType::kF64, {Value(0.5)}}));
  EXPECT_RVF_ERROR(write(first, {"n", FieldType::kI64, {Value(kInexact)}}), kOutOfRange);
}

TEST_F(BadInput, ADuplicateIdRefusesTheWholeBatch) {
  Store s = make(1);
  const std::vector<float> v = {1, 2, 3};
  const std::vector<uint64_t> ids = {5, 6, 5};
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, 1), ids), kDuplicateId);
  EXPECT_EQ(s.status().vectors, 0U);
}

TEST_F(BadInput, TheNumberOfIdsMustMatchAndTheReservedIdIsRefused) {
  Store s = make(1);
  const std::vector<float> v = {1, 2};
  const std::vector<uint64_t> one = {5};
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, 1), one), kBadArgument);
  const std::vector<uint64_t> reserved = {5, ~0ULL};
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(v, 1), reserved), kBadArgument);
}

TEST_F(BadInput, KZeroIsAnErrorAndKAboveTheSizeGivesAll) {
  Store s = make(1);
  const std::vector<float> v = {1, 2};
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(v, 1)));
  const std::vector<float> q = {0};
  EXPECT_RVF_ERROR(s.query(q, {.k = 0}), kBadK);
  auto r = s.query(q, {.k = 100});
  ASSERT_RVF_OK(r);
  EXPECT_EQ(r->neighbors.size(), 2U);
}

TEST_F(BadInput, AnEmptyStoreAnswersWithNothing) {
  Store s = make(3);
  const std::vector<float> q = {0, 0, 0};
  auto r = s.query(q, {.k = 5});
  ASSERT_RVF_OK(r);
  EXPECT_TRUE(r->neighbors.empty());
  EXPECT_RVF_ERROR(s.get(0), kNotFound);
  ASSERT_RVF_OK(s.compact());
  ASSERT_RVF_OK(s.build_index());
}

TEST_F(BadInput, CreateOptionsAreChecked) {
  CreateOptions c;
  EXPECT_RVF_ERROR(Store::create("x", c, in_memory()), kBadArgument);
  c.dimension = 65536;
  EXPECT_RVF_ERROR(Store::create("x", c, in_memory()), kBadArgument);
  c.dimension = 4;
  c.metric = Metric::kHamming;
  EXPECT_RVF_ERROR(Store::create("x", c, in_memory()), kWrongMetric);
  c.metric = Metric::kL2;
  c.dtype = DType::kPQ;
  EXPECT_RVF_ERROR(Store::create("x", c, in_memory()), kBadArgument);
}

TEST_F(BadInput, AForeignFileADirectoryAndAMissingFileAreToldApart) {
  EXPECT_RVF_ERROR(Store::open("missing.rvf", in_memory()), kNoSuchFile);
  {
    auto f = fs_->open("foreign", io::OpenMode::kCreateNew);
    const std::vector<std::byte> text(10000, std::byte{'x'});
    ASSERT_RVF_OK((*f)->write(0, text));
  }
  EXPECT_RVF_ERROR(Store::open("foreign", in_memory()), kNotAStore);
  {
    (void)fs_->open("empty", io::OpenMode::kCreateNew);
  }
  EXPECT_RVF_ERROR(Store::open_readonly("empty", in_memory()), kNotAStore);
  EXPECT_RVF_ERROR(Store::open("/tmp"), kNotAStore);
}

TEST_F(BadInput, AFileCutAtEveryLengthOpensAnEarlierEpochOrSaysWhy) {
  const auto data = gaussian(6, 4, 1);
  {
    Store s = make(4);
    for (size_t i = 0; i < 6; ++i) {
      ASSERT_RVF_OK(s.ingest(Vectors::from_f32(std::span(data).subspan(i * 4, 4), 4)));
    }
  }
  auto file = fs_->open("s.rvf", io::OpenMode::kRead);
  std::vector<std::byte> whole(*(*file)->size());
  ASSERT_RVF_OK((*file)->read(0, whole));
  uint64_t last = 0;
  for (size_t length = 0; length <= whole.size(); length += 37) {
    auto s = Store::from_bytes({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)});
    if (!s) {
      EXPECT_LT(length, 5000U) << s.error().message;
      continue;
    }
    const uint64_t n = s->status().vectors;
    EXPECT_GE(n, last);
    last = n;
    for (uint64_t id = 0; id < n; ++id) {
      auto v = s->get(id);
      ASSERT_RVF_OK(v);
      EXPECT_EQ((*v)[0], data[id * 4]);
    }
  }
}

TEST_F(BadInput, AReadOnlyStoreRefusesWritesAndASecondWriterIsTurnedAway) {
  Store s = make(1);
  EXPECT_RVF_ERROR(Store::open("s.rvf", in_memory()), kLockHeld);
  auto reader = Store::open_readonly("s.rvf", in_memory());
  ASSERT_RVF_OK(reader);
  const std::vector<float> v = {1};
  EXPECT_RVF_ERROR(reader->ingest(Vectors::from_f32(v, 1)), kReadOnly);
  EXPECT_RVF_ERROR(reader->compact(), kReadOnly);
  EXPECT_RVF_ERROR(Store::create("s.rvf", {.dimension = 1}, in_memory()), kAlreadyExists);
  ASSERT_RVF_OK(s.close());
  EXPECT_RVF_ERROR(s.query(v), kBadArgument);
  ASSERT_RVF_OK(Store::open("s.rvf", in_memory()));
}

}  // namespace
}  // namespace rvf
