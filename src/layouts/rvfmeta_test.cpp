#include "layouts/rvfmeta.hpp"

#include <gtest/gtest.h>

#include "layouts/carried.hpp"
#include "layouts/native_columns.hpp"
#include "layouts/string_ids.hpp"

namespace rvf::layouts {
namespace {

RvfValue text(const char* t) { return Value(std::string(t)); }

Budget plenty() { return {1U << 20, 0}; }

RvfMeta example() {
  RvfMeta m;
  m.schema = {{0, FieldType::kString, true, "name"}, {3, FieldType::kF64, false, "field.3"}};
  m.file = {{"a", text("b")}, {"n", Value(uint64_t{7})}};
  m.records = {{1, false, {{0, text("x")}, {3, Value(1.5)}}},
               {2, false, {}},
               {9, false, {{0, Value{}}, {3, Value(-2.0)}}}};
  return m;
}

TEST(RvfMeta, WhatIsEncodedDecodesAgain) {
  const RvfMeta m = example();
  Budget budget = plenty();
  const auto back = decode_rvfmeta(encode_rvfmeta(m), budget);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, m);
}

TEST(RvfMeta, EveryChangedByteIsNoticed) {
  const Bytes bytes = encode_rvfmeta(example());
  for (size_t at = 0; at < bytes.size(); ++at) {
    Bytes changed = bytes;
    changed[at] ^= std::byte{4};
    Budget budget = plenty();
    EXPECT_FALSE(decode_rvfmeta(changed, budget).ok()) << at;
  }
  for (size_t length = 0; length < bytes.size(); ++length) {
    Budget budget = plenty();
    EXPECT_FALSE(decode_rvfmeta(ByteSpan(bytes).first(length), budget).ok()) << length;
  }
}

TEST(RvfMeta, TheMemoryBudgetIsKept) {
  Budget budget(100, 0);
  EXPECT_EQ(decode_rvfmeta(encode_rvfmeta(example()), budget).error().code,
            ErrorCode::kBudgetExceeded);
}

TEST(RvfMeta, DeltasFollowTheNewestSnapshotUntilOneIsMissing) {
  RvfMeta old = example();
  RvfMeta snapshot;
  snapshot.generation = 5;
  snapshot.records = {{1, false, {{0, text("one")}, {1, text("keep")}}},
                      {2, false, {{0, text("two")}}}};
  RvfMeta delta;
  delta.snapshot = false;
  delta.generation = 6;
  delta.base = 5;
  delta.records = {{1, false, {{0, RvfValue(DeleteField{})}}}, {2, true, {}}, {3, false, {}}};
  RvfMeta stray = delta;
  stray.generation = 8;
  stray.base = 7;
  stray.records = {{1, true, {}}};
  std::vector<std::string> notes;
  const MetaState state = replay({old, snapshot, delta, stray}, notes);
  EXPECT_EQ(notes.size(), 1U);
  EXPECT_TRUE(state.file.empty());
  ASSERT_EQ(state.records.size(), 2U);
  EXPECT_EQ(state.records.at(1).size(), 1U);
  EXPECT_EQ(std::get<std::string>(state.records.at(1)[0].second), "keep");
  EXPECT_TRUE(state.records.at(3).empty());

  Budget budget = plenty();
  const auto columns = columns_of(state, {1, 2, 3}, budget, notes);
  ASSERT_TRUE(columns.ok());
  ASSERT_EQ(columns->size(), 1U);
  EXPECT_EQ(columns->front().name, "field.1");
  EXPECT_EQ(columns->front().values[0], Value(std::string("keep")));
  EXPECT_EQ(columns->front().values[1], Value{});
}

TEST(NativeColumns, ComeBackWithTheirTypes) {
  const std::vector<uint64_t> ids = {4, 5};
  const std::vector<Column> columns = {
      {"lang", FieldType::kEnum, {std::string("de"), Value{}}},
      {"at", FieldType::kTimestamp, {int64_t{-5}, int64_t{9}}},
      {"tags",
       FieldType::kStringList,
       {std::vector<std::string>{"a\"b", "c\nd", ""}, std::vector<std::string>{}}},
      {kKeyField, FieldType::kString, {std::string("k4"), std::string("k5")}}};
  std::vector<std::string> notes;
  const RvfMeta meta = make_rvfmeta(ids, columns, {}, notes);
  Budget budget = plenty();
  const auto decoded = decode_rvfmeta(encode_rvfmeta(meta), budget);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  ForeignStore store;
  store.ids = ids;
  store.columns = *columns_of(replay({*decoded}, notes), ids, budget, notes);
  store.fields = {{"lang", FieldType::kEnum, kIndexValues},
                  {"at", FieldType::kTimestamp, kIndexNone},
                  {"tags", FieldType::kStringList, kIndexNone}};
  restore_native_columns(store);
  ASSERT_EQ(store.columns.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(store.columns[i].name, columns[i].name);
    EXPECT_EQ(store.columns[i].type, columns[i].type);
    EXPECT_EQ(store.columns[i].values, columns[i].values);
  }
  EXPECT_EQ(store.keys, (std::vector<std::string>{"k4", "k5"}));
  EXPECT_TRUE(notes.empty());
}

TEST(NativeColumns, NamesThatCannotStandAreReplaced) {
  ForeignStore store;
  store.ids = {1};
  store.columns = {{"_secret", FieldType::kBool, {true}},
                   {"id", FieldType::kBool, {true}},
                   {std::string(300, 'x'), FieldType::kBool, {true}},
                   {kExpiryField, FieldType::kString, {std::string("soon")}},
                   {"fine", FieldType::kBool, {true}}};
  restore_native_columns(store);
  for (const Column& c : store.columns) EXPECT_TRUE(is_native_name(c.name)) << c.name;
  EXPECT_EQ(store.notes.size(), 4U);
}

TEST(Carried, SegmentsAndHintsComeBackByteForByte) {
  const std::vector<OpaqueSegment> segments = {
      {0x07, 5, Bytes(3, std::byte{1})}, {0x0A, 0, {}}, {0x0B, 0, Bytes(64, std::byte{9})}};
  const Bytes bytes = encode_carried(Layout::kNative, segments);
  const auto back = decode_carried(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->segments, segments);
  EXPECT_EQ(back->from, Layout::kNative);
  NativeHints hints;
  hints.dtype = DType::kF16;
  hints.application = "text";
  hints.fields = {{"lang", FieldType::kEnum, kIndexValues}};
  EXPECT_EQ(*decode_native_hints(encode_native_hints(hints)), hints);
  for (size_t length = 0; length < bytes.size() - 8; ++length) {
    EXPECT_FALSE(decode_carried(ByteSpan(bytes).first(length)).ok()) << length;
  }
}

TEST(StringIds, AreThoseOfTheSidecarAndBack) {
  ForeignStore store;
  store.ids = {1, 3, 9};
  const std::string sidecar = make_string_ids({1, 3}, {"doc \"a\"", "\xC3\xA4"});
  apply_string_ids(wire::as_bytes(sidecar), store);
  EXPECT_EQ(store.keys, (std::vector<std::string>{"doc \"a\"", "\xC3\xA4", "9"}));
  EXPECT_EQ(store.notes.size(), 1U);
  ForeignStore none;
  none.ids = {2};
  apply_string_ids(wire::as_bytes(sidecar), none);
  EXPECT_TRUE(none.keys.empty());
}

}  // namespace
}  // namespace rvf::layouts
