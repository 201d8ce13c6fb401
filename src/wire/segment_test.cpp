#include "wire/segment.hpp"

#include <gtest/gtest.h>

#include <random>

namespace rvf::wire {
namespace {

SegmentHeader sample_header() {
  SegmentHeader h;
  h.type = SegmentType::kVec;
  h.flags = segment_flag::kHot | 0x8000;
  h.segment_id = 77;
  h.timestamp_ns = 123456789;
  h.uncompressed_length = 9;
  return h;
}

TEST(Segment, ComesBackAsItWasMade) {
  for (const auto algo : {ChecksumAlgo::kCrc32c, ChecksumAlgo::kXxh3, ChecksumAlgo::kShake256}) {
    for (const size_t n : {0U, 1U, 63U, 64U, 65U, 1000U}) {
      SegmentHeader h = sample_header();
      h.checksum = algo;
      const Bytes payload(n, std::byte{0x5A});
      const Bytes file = make_segment(h, payload);
      EXPECT_EQ(file.size() % 64, 0U);
      const auto view = read_segment(file, 0, true);
      ASSERT_TRUE(view) << view.error().message;
      EXPECT_TRUE(std::ranges::equal(view->payload, payload));
      EXPECT_EQ(view->end, file.size());
      EXPECT_EQ(view->header.flags, h.flags);
      EXPECT_EQ(view->header.segment_id, 77U);
      EXPECT_EQ(view->header.timestamp_ns, 123456789U);
      EXPECT_EQ(view->header.uncompressed_length, 9U);
      EXPECT_EQ(view->header.payload_length, n);
    }
  }
}

TEST(Segment, HeaderBytesAreTheDocumentedOnes) {
  const Bytes file = make_segment(sample_header(), as_bytes("abc"));
  const uint8_t expected[] = {0x53, 0x46, 0x56, 0x52, 1, 1, 0x40, 0x80, 77, 0, 0, 0, 0, 0, 0, 0, 3};
  EXPECT_EQ(std::memcmp(file.data(), expected, sizeof(expected)), 0);
  EXPECT_EQ(static_cast<uint8_t>(file[0x20]), 1);
  EXPECT_EQ(static_cast<uint8_t>(file[0x28]), 0x50);
  EXPECT_EQ(static_cast<uint8_t>(file[0x38]), 9);
  EXPECT_EQ(static_cast<uint8_t>(file[0x3C]), 61);
}

TEST(Segment, UnknownTypeIsKept) {
  SegmentHeader h = sample_header();
  h.type = static_cast<SegmentType>(0xE7);
  const Bytes file = make_segment(h, as_bytes("?"));
  const auto view = read_segment(file, 0, true);
  ASSERT_TRUE(view);
  EXPECT_EQ(static_cast<int>(view->header.type), 0xE7);
}

TEST(Segment, ZeroHashIsAMismatch) {
  Bytes file = make_segment(sample_header(), as_bytes("payload"));
  std::fill_n(file.begin() + 0x28, 16, std::byte{0});
  const auto view = read_segment(file, 0, true);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, ErrorCode::kBadChecksum);
  EXPECT_EQ(view.error().segment_id, 77U);
}

TEST(Segment, UnknownChecksumAlgorithmCannotBeVerified) {
  Bytes file = make_segment(sample_header(), as_bytes("payload"));
  file[0x20] = std::byte{9};
  EXPECT_TRUE(read_segment(file, 0, false));
  EXPECT_EQ(read_segment(file, 0, true).error().code, ErrorCode::kUnsupported);
}

TEST(Segment, EveryTruncationIsAnError) {
  const Bytes file = make_segment(sample_header(), Bytes(100, std::byte{1}));
  for (size_t n = 0; n < file.size(); ++n) {
    EXPECT_FALSE(read_segment(ByteSpan(file).first(n), 0, true)) << n;
  }
}

TEST(Segment, EachBrokenHeaderFieldIsNamed) {
  const auto code_after = [](size_t at, uint8_t value) {
    Bytes file = make_segment(sample_header(), as_bytes("abc"));
    file[at] = std::byte{value};
    const auto r = read_segment(file, 0, true);
    return r ? ErrorCode::kOk : r.error().code;
  };
  EXPECT_EQ(code_after(0, 0), ErrorCode::kBadMagic);
  EXPECT_EQ(code_after(4, 2), ErrorCode::kBadVersion);
  EXPECT_EQ(code_after(5, 0), ErrorCode::kCorrupt);
  EXPECT_EQ(code_after(0x14, 1), ErrorCode::kTooLarge);
  EXPECT_EQ(code_after(0x17, 0xFF), ErrorCode::kTooLarge);
  EXPECT_EQ(code_after(0x10, 67), ErrorCode::kTruncated);
  EXPECT_EQ(code_after(0x22, 1), ErrorCode::kCorrupt);
  EXPECT_EQ(code_after(0x27, 1), ErrorCode::kCorrupt);
  EXPECT_EQ(code_after(0x3C, 60), ErrorCode::kBadAlignment);
  EXPECT_EQ(code_after(0x3C, 125), ErrorCode::kBadAlignment);
  EXPECT_EQ(code_after(0x40, 'b'), ErrorCode::kBadChecksum);
  EXPECT_EQ(code_after(0x3F, 0xFF), ErrorCode::kBadAlignment);
}

TEST(Segment, MustStandOnItsAlignment) {
  const Bytes file = make_segment(sample_header(), as_bytes("abc"));
  EXPECT_EQ(read_segment(file, 8, true).error().code, ErrorCode::kBadAlignment);
  EXPECT_EQ(read_segment(file, file.size(), true).error().code, ErrorCode::kTruncated);
  EXPECT_EQ(read_segment(file, ~0ULL - 63, true).error().code, ErrorCode::kTruncated);
}

TEST(Segment, SignedSegmentMayCarryAFooterInItsTrailer) {
  SegmentHeader h = sample_header();
  h.flags |= segment_flag::kSigned;
  Bytes file = make_segment(h, as_bytes("abc"));
  file.resize(file.size() + 128);
  const uint32_t pad = 61 + 128;
  std::memcpy(file.data() + 0x3C, &pad, 4);
  const auto view = read_segment(file, 0, true);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->trailer.size(), pad);
  EXPECT_EQ(view->end, file.size());
}

TEST(Segment, RandomBitFlipsNeverCrash) {
  std::mt19937_64 rng(5);
  const Bytes good = make_segment(sample_header(), Bytes(300, std::byte{7}));
  for (int i = 0; i < 20000; ++i) {
    Bytes file = good;
    for (int flips = 0; flips < 3; ++flips) {
      const size_t bit = rng() % (file.size() * 8);
      file[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
    (void)read_segment(file, 0, true);
  }
}

}  // namespace
}  // namespace rvf::wire
