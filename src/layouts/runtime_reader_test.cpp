#include <gtest/gtest.h>

#include "layouts/branch.hpp"
#include "layouts/carried.hpp"
#include "layouts/runtime_test_files.hpp"
#include "layouts/runtime_writer.hpp"
#include "layouts/rvfmeta.hpp"

namespace rvf::layouts {
namespace {

using Hash = TestFile::Hash;

std::string hex(ByteSpan bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return out;
}
template <class Array>
std::string hex_of(const Array& a) {
  return hex(std::as_bytes(std::span(a)));
}

bool has_note(const ForeignStore& s, const std::string& part) {
  for (const std::string& note : s.notes) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

TestFile two_vectors(Hash hash = Hash::kOwn) {
  TestFile f;
  f.manifest.dimension = 2;
  f.vectors(2, {{7, 1.0F}, {3, 2.0F}}, hash);
  f.commit();
  return f;
}

TEST(RuntimeHashes, AreThoseOfThePublishedWriters) {
  EXPECT_EQ(hex_of(runtime_hash(wire::as_bytes("123456789"))), "2639f4cbcb2639f4f4cb263939f4cb26");
  EXPECT_EQ(hex_of(runtime_hash({})), std::string(32, '0'));
  EXPECT_EQ(hex_of(fold_hash(wire::as_bytes("abc"))),
            "616263000000000000000000000b131b00000000000000000000000000000000");
}

TEST(RuntimeContainer, RowsComeOutByIdAndTheLastOneWins) {
  TestFile f = two_vectors();
  f.vectors(2, {{3, 5.0F}, {1, 6.0F}});
  f.manifest.deleted = {7, 100};
  f.manifest.metric = 2;
  f.commit();
  const auto s = decode(f.bytes);
  ASSERT_TRUE(s.ok()) << s.error().message;
  EXPECT_EQ(s->layout, Layout::kRuntime);
  EXPECT_EQ(s->ids, (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(s->vectors, (std::vector<float>{6, 6, 5, 5}));
  EXPECT_EQ(s->metric, Metric::kCosine);
  EXPECT_EQ(s->epoch, 1U);
  EXPECT_EQ(s->deleted, 2U);
  EXPECT_EQ(s->generation, "G2 or later");
  EXPECT_TRUE(s->notes.empty()) << s->notes.front();
}

TEST(RuntimeContainer, AHashOfAnotherAlgorithmOrNoneIsTold) {
  EXPECT_TRUE(has_note(*decode(two_vectors(Hash::kZero).bytes), "have no hash"));
  EXPECT_TRUE(has_note(*decode(two_vectors(Hash::kXxh3).bytes), "another algorithm"));
  EXPECT_TRUE(has_note(*decode(two_vectors(Hash::kSha256).bytes), "another algorithm"));
  const auto wrong = decode(two_vectors(Hash::kWrong).bytes);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kBadChecksum);
  EXPECT_EQ(wrong.error().segment_id, 1U);
}

TEST(RuntimeContainer, AManifestThatFailsItsHashGivesWayToOneThatHolds) {
  TestFile f = two_vectors();
  f.vectors(2, {{9, 1.0F}});
  f.commit(Hash::kWrong);
  const auto older = decode(f.bytes);
  ASSERT_TRUE(older.ok());
  EXPECT_EQ(older->ids.size(), 2U);
  EXPECT_TRUE(has_note(*older, "a newer manifest, epoch 1"));

  TestFile only;
  only.manifest.dimension = 2;
  only.vectors(2, {{9, 1.0F}});
  only.commit(Hash::kWrong);
  const auto doubtful = decode(only.bytes);
  ASSERT_TRUE(doubtful.ok());
  EXPECT_EQ(doubtful->ids.size(), 1U);
  EXPECT_TRUE(has_note(*doubtful, "there is no other"));
}

TEST(RuntimeContainer, WhatDeployedReadersTolerateIsRead) {
  TestFile f;
  const Bytes junk(64, std::byte{0x53});
  f.bytes = junk;
  f.manifest.dimension = 2;
  f.vectors(2, {{1, 1.0F}});
  f.bytes.insert(f.bytes.end(), junk.begin(), junk.end());  // between segments
  f.vectors(3, {{2, 1.0F}});                                // of another dimension
  f.append(SegmentType{0xF7}, wire::as_bytes("mine"));
  f.append(SegmentType::kVec, {}, Hash::kZero, 2);
  f.manifest.directory.pop_back();
  f.append(SegmentType::kMeta, wire::as_bytes("{\"a\":1}"));
  f.manifest.metric = 9;
  f.commit(Hash::kOwn, wire::as_bytes("anything after it"));
  f.bytes.insert(f.bytes.end(), 5000, std::byte{0});
  const auto s = decode(f.bytes);
  ASSERT_TRUE(s.ok()) << s.error().message;
  EXPECT_EQ(s->ids, std::vector<uint64_t>{1});
  EXPECT_TRUE(has_note(*s, "dimension 3"));
  EXPECT_TRUE(has_note(*s, "metric 9"));
  EXPECT_TRUE(has_note(*s, "in a form of its own"));
  ASSERT_EQ(s->others.size(), 2U);
  EXPECT_EQ(s->others[0].type, 0xF7);
  EXPECT_EQ(s->others[1].type, 0x07);
}

TEST(RuntimeContainer, SegmentsThatOverlapAreRefused) {
  TestFile f = two_vectors();
  RuntimeDirEntry inside = f.manifest.directory[0];
  // A header inside of the vectors of the first segment.
  TestFile small;
  small.vectors(2, {{1, 1.0F}});
  Bytes payload;
  wire::ByteWriter w(payload);
  w.u16(2);
  w.u32(9);
  w.zeros(4);
  w.bytes(small.bytes);
  w.zeros(9 * 16 - payload.size() + 6);
  const uint64_t outer = f.append(SegmentType::kVec, payload);
  inside = {99, outer + 64 + 10, small.bytes.size() - 64, 1};
  f.manifest.directory.push_back(inside);
  f.commit();
  const auto s = decode(f.bytes);
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, ErrorCode::kManifestInvalid);
}

TEST(RuntimeContainer, TheMemoryBudgetIsKept) {
  const TestFile f = two_vectors();
  DecodeOptions options;
  options.memory_budget = 40;
  EXPECT_EQ(decode(f.bytes, options).error().code, ErrorCode::kBudgetExceeded);
  options.memory_budget = 4096;
  EXPECT_TRUE(decode(f.bytes, options).ok());
}

TEST(RuntimeContainer, TheReservedIdIsLeftOut) {
  TestFile f;
  f.manifest.dimension = 1;
  f.vectors(1, {{~0ULL, 1.0F}, {~0ULL - 1, 2.0F}});
  f.commit();
  const auto s = decode(f.bytes);
  ASSERT_TRUE(s.ok());
  EXPECT_EQ(s->ids, std::vector<uint64_t>{~0ULL - 1});
  EXPECT_TRUE(has_note(*s, "reserved"));
}

TEST(RuntimeContainer, SegmentsThatNoManifestListsComeAlong) {
  TestFile f = two_vectors();
  f.append(SegmentType::kWitness, wire::as_bytes("after the manifest"));
  const auto s = decode(f.bytes);
  ASSERT_TRUE(s.ok());
  ASSERT_EQ(s->others.size(), 1U);
  EXPECT_EQ(s->others[0].type, 0x0A);
}

TEST(RuntimeContainer, ABranchOfItselfEnds) {
  TestFile f;
  f.manifest.dimension = 1;
  wire::FileIdentity id;
  id.file_id.fill(1);
  f.manifest.identity = id;
  Bytes cow;
  wire::ByteWriter w(cow);
  w.u32(0x5256434D);
  w.u16(1);
  w.zeros(10);
  w.number(id.file_id);
  w.zeros(32);  // the accumulator of nothing but zeros
  w.zeros(9);
  w.u32(1);
  w.u32(0);
  w.text("x");
  f.append(SegmentType::kCowMap, cow);
  f.commit();
  EXPECT_EQ(decode(f.bytes).error().code, ErrorCode::kParentNotFound);
  int calls = 0;
  DecodeOptions options;
  options.parent = [&](const std::string& path) -> Result<Bytes> {
    EXPECT_EQ(path, "x");
    ++calls;
    return f.bytes;
  };
  EXPECT_EQ(decode(f.bytes, options).error().code, ErrorCode::kParentHash);
  f.bytes.insert(f.bytes.end(), 65536, std::byte{0});
  calls = 0;
  EXPECT_EQ(decode(f.bytes, options).error().code, ErrorCode::kLineageCyclic);
  EXPECT_EQ(calls, 16);
}

TEST(RuntimeContainer, NeitherCutNorChangedBytesDoHarm) {
  TestFile f = two_vectors();
  RvfMeta meta;
  meta.schema = {{0, FieldType::kString, true, "name"}};
  meta.records = {{3, false, {{0, RvfValue(Value(std::string("three")))}}}};
  f.append(SegmentType::kMeta, encode_rvfmeta(meta));
  f.commit();
  for (size_t length = 0; length < f.bytes.size(); ++length) {
    const auto s = decode(ByteSpan(f.bytes).first(length));
    EXPECT_TRUE(s.ok() || !s.error().message.empty());
  }
  for (size_t at = 0; at < f.bytes.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      Bytes changed = f.bytes;
      changed[at] ^= static_cast<std::byte>(1 << bit);
      const auto s = decode(changed);
      EXPECT_TRUE(s.ok() || !s.error().message.empty());
    }
  }
}

TEST(Layouts, AreToldApart) {
  EXPECT_EQ(detect({}), Layout::kUnknown);
  EXPECT_EQ(detect(wire::as_bytes("SFVR and more, but nothing that is a segment, for sixty-four")),
            Layout::kUnknown);
  EXPECT_EQ(detect(two_vectors().bytes), Layout::kRuntime);
  TestFile wasm;
  Bytes manifest;
  wire::ByteWriter w(manifest);
  w.u32(1);
  w.u16(4);
  w.u64(0);
  w.u8(0);
  w.u32(0);
  wasm.append(SegmentType::kManifest, manifest, Hash::kZero);
  EXPECT_EQ(detect(wasm.bytes), Layout::kWasm);
  EXPECT_EQ(decode(wasm.bytes)->dimension, 4U);
}

}  // namespace
}  // namespace rvf::layouts
