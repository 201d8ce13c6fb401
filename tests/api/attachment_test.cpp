// Whose a segment is: what was attached comes back byte for byte and goes when it is told to; what the
// store made is the store's.
#include <map>

#include "store_fixture.hpp"

namespace rvf {
namespace {

constexpr uint16_t kHot = 1 << 6;

class AttachmentTest : public StoreTest {
 protected:
  static std::vector<SegmentInfo> segments(const Store& s) { return *s.snapshot()->segments(); }
};

TEST_F(AttachmentTest, EverySegmentTypeIsEitherRefusedOrKeptThroughCompactionUntilItIsDetached) {
  for (unsigned type = 0; type < 256; ++type) {
    for (const uint16_t flags : {uint16_t{0}, kHot, uint16_t{0xFFFF}}) {
      fs_ = io::memory_file_system();
      Store s = make(2);
      Attachment a;
      a.type = static_cast<uint8_t>(type);
      a.flags = flags;
      a.payload.assign(100, std::byte(type));
      const std::vector<float> v = gaussian(3, 2, type);
      WriteBatch batch;
      batch.vectors = Vectors::from_f32(v, 2);
      batch.attach = std::span(&a, 1);
      const auto written = s.write(batch);
      SCOPED_TRACE("type " + std::to_string(type) + " flags " + std::to_string(flags));
      if (!written) {
        EXPECT_EQ(written.error().code, ErrorCode::kBadArgument);
        EXPECT_EQ(s.status().vectors, 0U);
        continue;
      }
      ASSERT_RVF_OK(s.compact());
      reopen(s);
      uint64_t id = 0;
      for (const SegmentInfo& i : segments(s)) {
        if (!i.attachment) continue;
        EXPECT_EQ(i.type, type);
        id = i.segment_id;
      }
      ASSERT_NE(id, 0U);
      EXPECT_EQ(*s.snapshot()->payload(id), a.payload);
      WriteBatch detach;
      detach.detach = std::span(&id, 1);
      ASSERT_RVF_OK(s.write(detach));
      reopen(s);
      EXPECT_EQ(s.status().vectors, 3U);
      for (const SegmentInfo& i : segments(s)) EXPECT_FALSE(i.attachment);
    }
  }
}

TEST_F(AttachmentTest, NothingThatTheStoreMadeCanBeDetached) {
  CreateOptions create;
  create.dimension = 16;
  create.fields = {{"tag", FieldType::kEnum, kIndexValues}};
  auto made = Store::create("s.rvf", create, in_memory());
  ASSERT_RVF_OK(made);
  Store s = std::move(*made);
  const size_t rows = 6000;
  const std::vector<float> v = gaussian(rows, 16, 3);
  const Column tag{"tag", FieldType::kEnum, std::vector<Value>(rows, Value(std::string("x")))};
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(v, 16);
  batch.columns = std::span(&tag, 1);
  ASSERT_RVF_OK(s.write(batch));
  ASSERT_RVF_OK(s.build_index());
  for (size_t i = 0; i < 200; ++i) {
    ASSERT_RVF_OK(s.query(std::span(v).subspan(i % 20 * 16, 16), {.k = 5}));
  }
  CompactOptions tiers;
  tiers.tiers = true;
  tiers.hot_fraction = 0.3;
  tiers.warm_fraction = 0.3;
  ASSERT_RVF_OK(s.compact(tiers));
  ASSERT_RVF_OK(s.remove(std::vector<uint64_t>{7}));
  std::map<uint8_t, int> types;
  for (const SegmentInfo& i : segments(s)) {
    ++types[i.type];
    EXPECT_FALSE(i.attachment) << "type " << int{i.type};
    WriteBatch detach;
    detach.detach = std::span(&i.segment_id, 1);
    EXPECT_RVF_ERROR(s.write(detach), kBadArgument);
  }
  // VEC, INDEX, JOURNAL, QUANT, META, HOT, SKETCH, METAIDX, node blocks
  for (const int type : {0x01, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0D, 0xF4}) {
    EXPECT_GT(types[static_cast<uint8_t>(type)], 0) << type;
  }
  reopen(s);
  EXPECT_EQ(s.status().vectors, rows - 1);
}

}  // namespace
}  // namespace rvf
