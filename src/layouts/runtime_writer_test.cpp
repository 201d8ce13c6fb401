#include "layouts/runtime_writer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "layouts/runtime_bytes.hpp"

namespace rvf::layouts {
namespace {

// A ring on the lowest layer, and node 2 alone on a second one.
RuntimeGraph ring(uint64_t nodes) {
  RuntimeGraph g;
  g.m = 4;
  g.ef_construction = 77;
  g.max_layer = 1;
  g.entry = 2;
  g.layers = [nodes](uint64_t node, std::vector<std::vector<uint32_t>>& out) -> Status {
    std::vector<uint32_t> list = {static_cast<uint32_t>((node + 1) % nodes),
                                  static_cast<uint32_t>((node + nodes - 1) % nodes)};
    std::sort(list.begin(), list.end());
    out.push_back(list);
    if (node == 2) out.emplace_back();
    return {};
  };
  return g;
}

TEST(RuntimeIndex, WhatIsEncodedDecodesAgain) {
  for (const uint64_t n : {3, 64, 65, 300}) {
    std::vector<uint64_t> ids;
    for (uint64_t i = 0; i < n; ++i) ids.push_back(i * i + 5);
    const RuntimeGraph g = ring(n);
    const auto payload = encode_runtime_index(g, ids);
    ASSERT_TRUE(payload.ok());
    const auto back = decode_runtime_index(*payload);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->ids, ids);
    EXPECT_EQ(back->m, 4);
    EXPECT_EQ(back->m0, 8);
    EXPECT_EQ(back->ef_construction, 77U);
    EXPECT_EQ(back->max_layer, 1U);
    EXPECT_EQ(back->entry, 2U);
    for (uint64_t node = 0; node < n; ++node) {
      std::vector<std::vector<uint32_t>> want;
      ASSERT_TRUE(g.layers(node, want));
      EXPECT_EQ(back->nodes[node], want) << node;
    }
  }
}

TEST(RuntimeIndex, DamageIsAnErrorAtMost) {
  std::vector<uint64_t> ids = {1, 2, 3, 4, 5};
  const Bytes payload = *encode_runtime_index(ring(5), ids);
  for (size_t at = 0; at < payload.size(); ++at) {
    Bytes changed = payload;
    changed[at] ^= std::byte{0x81};
    const auto r = decode_runtime_index(changed);
    EXPECT_TRUE(r.ok() || !r.error().message.empty());
    (void)decode_runtime_index(ByteSpan(payload).first(at));
  }
}

RuntimeContent content_of(const std::vector<float>& values) {
  RuntimeContent c;
  c.dimension = 2;
  c.metric = Metric::kInnerProduct;
  c.epoch = 9;
  for (uint64_t i = 0; i * 2 < values.size(); ++i) c.ids.push_back(i * 10 + 1);
  c.row = [&values](size_t i, std::span<float> out) -> Status {
    out[0] = values[i * 2];
    out[1] = values[i * 2 + 1];
    return {};
  };
  c.identity.file_id.fill(7);
  c.identity.lineage_depth = 3;
  return c;
}

TEST(RuntimeWriter, WhatItWritesReadsBack) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  RuntimeContent c = content_of(values);
  c.others = {{0x0E, 0, Bytes(10, std::byte{3})}, {0xF3, 0, Bytes(1, std::byte{4})}};
  c.metadata.schema = {{0, FieldType::kI64, true, "year"}};
  c.metadata.records = {{11, false, {{0, Value(int64_t{2020})}}}};
  c.metadata.file = {{"app", Value(std::string("x"))}};
  const RuntimeGraph g = ring(3);
  c.graph = &g;
  const auto file = io::memory_file({});
  const auto written = write_runtime(*file, c);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_TRUE(written->has_graph);
  EXPECT_LT(written->manifest_bytes, 65536U);
  Bytes bytes(*file->size());
  ASSERT_TRUE(file->read(0, bytes));
  EXPECT_EQ(bytes.size(), written->bytes);
  const auto back = decode(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->ids, c.ids);
  EXPECT_EQ(back->vectors, values);
  EXPECT_EQ(back->metric, Metric::kInnerProduct);
  EXPECT_EQ(back->epoch, 9U);
  EXPECT_EQ(back->identity, c.identity);
  EXPECT_EQ(back->others, c.others);
  EXPECT_EQ(back->generation, "G3");
  ASSERT_EQ(back->columns.size(), 1U);
  EXPECT_EQ(back->columns[0].values[1], Value(int64_t{2020}));
  EXPECT_EQ(back->file_metadata, (Record{{"app", std::string("x")}}));
  EXPECT_TRUE(back->notes.empty());
}

std::string golden_path(const char* name) {
  return std::string(RVF_SOURCE_DIR) + "/tests/golden/wire/" + name + ".hex";
}

std::string to_hex(ByteSpan bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(bytes[i]) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(bytes[i]) & 15];
    if (i % 32 == 31 || i + 1 == bytes.size()) out += '\n';
  }
  return out;
}

TEST(RuntimeWriter, TheBytesItWritesAreFrozen) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  RuntimeContent c = content_of(values);
  c.others = {{0x0E, 0, Bytes(10, std::byte{3})}};
  c.metadata.schema = {{0, FieldType::kI64, true, "year"}};
  c.metadata.records = {{11, false, {{0, Value(int64_t{2020})}}}};
  const RuntimeGraph g = ring(3);
  c.graph = &g;
  const auto file = io::memory_file({});
  ASSERT_TRUE(write_runtime(*file, c).ok());
  Bytes bytes(*file->size());
  ASSERT_TRUE(file->read(0, bytes));
  if (std::getenv("RVF_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden_path("layout_runtime")) << to_hex(bytes);
    return;
  }
  std::ifstream in(golden_path("layout_runtime"));
  const std::string frozen((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(to_hex(bytes), frozen);
}

TEST(WasmExport, FrozenBytesDecode) {
  std::ifstream in(golden_path("layout_wasm"));
  Bytes bytes;
  for (std::string line; std::getline(in, line);) {
    for (size_t i = 0; i + 1 < line.size(); i += 2) {
      bytes.push_back(static_cast<std::byte>(std::stoul(line.substr(i, 2), nullptr, 16)));
    }
  }
  const auto s = decode(bytes);
  ASSERT_TRUE(s.ok()) << s.error().message;
  EXPECT_EQ(s->layout, Layout::kWasm);
  EXPECT_EQ(s->ids, (std::vector<uint64_t>{10, 20, 30}));
  EXPECT_EQ(s->vectors, (std::vector<float>{5, -10, 10, -20, 15, -30}));
  EXPECT_EQ(s->dimension, 2U);
}

TEST(RuntimeWriter, WhatNoReaderCouldTakeIsRefused) {
  const std::vector<float> values = {1, 2};
  RuntimeContent c = content_of(values);
  c.metric = Metric::kHamming;
  const auto file = io::memory_file({});
  EXPECT_EQ(write_runtime(*file, c).error().code, ErrorCode::kWrongMetric);
  c.metric = Metric::kL2;
  c.others = {{0x0E, 0, Bytes(kMaxRuntimePayload + 1)}};
  EXPECT_EQ(write_runtime(*file, c).error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace rvf::layouts
