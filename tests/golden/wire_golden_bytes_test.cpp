// The bytes of every payload codec, frozen: tests/golden/wire/<name>.hex holds what a fixed sample
// encodes to. A difference means that files written before can no longer be read the same way.
// After a deliberate change of the format, RVF_UPDATE_GOLDEN=1 writes the files anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "wire/crypto_codec.hpp"
#include "wire/fused_codec.hpp"
#include "wire/hot_codec.hpp"
#include "wire/journal_codec.hpp"
#include "wire/meta_codec.hpp"
#include "wire/metaidx_codec.hpp"
#include "wire/overlay_codec.hpp"
#include "wire/profile_codec.hpp"
#include "wire/quant_codec.hpp"
#include "wire/segment.hpp"
#include "wire/sketch_codec.hpp"
#include "wire/witness_codec.hpp"

namespace rvf::wire {
namespace {

std::string to_hex(const Bytes& bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(bytes[i]) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(bytes[i]) & 15];
    if (i % 32 == 31 || i + 1 == bytes.size()) out += '\n';
  }
  return out;
}

void expect_golden(const std::string& name, const Bytes& bytes) {
  const std::filesystem::path path =
      std::filesystem::path(RVF_SOURCE_DIR) / "tests/golden/wire" / (name + ".hex");
  if (std::getenv("RVF_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << to_hex(bytes);
    return;
  }
  std::ifstream in(path);
  ASSERT_TRUE(in) << path << " is missing";
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(to_hex(bytes), text.str()) << name;
}

Bytes encoded(const MetaValue& value) {
  Bytes bytes;
  ByteWriter out(bytes);
  write_meta_value(out, value);
  return bytes;
}

TEST(GoldenBytes, OfSegmentsHold) {
  for (const auto algo : {ChecksumAlgo::kCrc32c, ChecksumAlgo::kXxh3, ChecksumAlgo::kShake256}) {
    const SegmentHeader header{.type = SegmentType::kMeta,
                               .flags = segment_flag::kSealed,
                               .segment_id = 42,
                               .timestamp_ns = 1'700'000'000'000'000'000,
                               .checksum = algo};
    expect_golden("segment_" + std::to_string(static_cast<int>(algo)),
                  make_segment(header, as_bytes("payload")));
  }
}

TEST(GoldenBytes, OfJournalHold) {
  expect_golden("journal",
                encode_journal({.epoch = 5,
                                .previous_segment_id = 17,
                                .flags = 0,
                                .entries = {JournalDelete{7}, JournalDeleteRange{10, 20},
                                            JournalUpdateMetadata{3, 2, encoded(int64_t{-1})},
                                            JournalMove{4, 1, 2}, JournalRemapId{5, 6},
                                            JournalDeleteList{{1, 200, 70000}},
                                            JournalUnknown{99, Bytes(3, std::byte{0xAB})}}}));
}

TEST(GoldenBytes, OfHotHold) {
  expect_golden(
      "hot",
      encode_hot(
          {.dimension = 4,
           .dtype = DType::kI8,
           .max_neighbors = 2,
           .entries = {{.id = 9, .vector = Bytes(4, std::byte{0x11}), .neighbors = {8}},
                       {.id = 8, .vector = Bytes(4, std::byte{0x22}), .neighbors = {9, 7}}}}));
}

TEST(GoldenBytes, OfQuantHold) {
  const ProductQuant product{
      .subspaces = 2, .centroids = 2, .sub_dimension = 2, .codebook = {1, 2, 3, 4, 5, 6, 7, 8}};
  expect_golden(
      "quant_scalar",
      encode_quant({.tier = 1,
                    .dimension = 3,
                    .model = ScalarQuant{.bits = 8, .min = {-1, 0, 1}, .max = {1, 2, 3}}}));
  expect_golden("quant_product", encode_quant({.tier = 2, .dimension = 3, .model = product}));
  expect_golden("quant_binary",
                encode_quant({.tier = 2, .dimension = 3, .model = BinaryQuant{{0, 0.5F, -0.5F}}}));
  expect_golden(
      "quant_residual",
      encode_quant({.tier = 2,
                    .dimension = 3,
                    .model = ResidualQuant{.coarse = {1, 1, 1, 2, 2, 2}, .fine = product}}));
  expect_golden("quant_rabitq",
                encode_quant({.tier = 2,
                              .dimension = 3,
                              .model = RaBitQ{.rounds = 3,
                                              .bits = 4,
                                              .rotation = RotationKind::kHadamardRounds,
                                              .seed = 77,
                                              .padded_dimension = 4,
                                              .centroids = {0.25F, 0.5F, 0.75F}}}));
}

// Nodes in a ring, each a neighbour of all others, as far as the frame goes; factors and codes are
// of no meaning.
Bytes fused_sample(Metric metric, uint32_t dim, bool sign_codes = false) {
  constexpr uint32_t kNodes = 3;
  const uint32_t coordinates = dim + (metric == Metric::kInnerProduct ? 1 : 0);
  const size_t padded = (size_t{coordinates} + 15) / 16 * 16;
  const auto write_group = [&](ByteWriter& w, uint32_t but) {
    for (uint32_t slot = 0; slot < 32; ++slot) {
      w.u32(slot < kNodes && slot != but ? slot : 0xFFFFFFFF);
    }
    for (uint32_t slot = 0; slot < 32; ++slot)
      w.u16(slot < kNodes && slot != but ? 0x3C00 : 0x7BFF);
    for (uint32_t slot = 0; slot < 32; ++slot) w.u16(slot < kNodes && slot != but ? 0xB400 : 0);
    for (size_t i = 0; i < 4 * padded; ++i) w.u8(static_cast<uint8_t>(37 * i + but));
  };
  Bytes root;
  ByteWriter root_out(root);
  write_group(root_out, kNodes);
  Bytes blocks;
  ByteWriter out(blocks);
  for (uint32_t node = 0; node < kNodes; ++node) {
    out.f32(static_cast<float>(1 + node));
    out.f32(0.125F);
    out.zeros(56);
    for (size_t i = 0; i < (padded + 63) / 64 * 64; ++i) {
      out.u8(static_cast<uint8_t>(i < padded ? 100 + 7 * i + 30 * node : 128));
    }
    write_group(out, node);
  }
  FusedHeader h;
  h.sign_codes = sign_codes;
  h.block_bytes = static_cast<uint32_t>(blocks.size() / kNodes);
  h.total_nodes = h.node_count = kNodes;
  h.seed = 77;
  h.index_segment = 4;
  h.index_hash.fill(0xA5);
  h.metric = metric;
  h.dim = dim;
  h.scale = 0.5F;
  h.largest_norm2 = metric == Metric::kInnerProduct ? 9.0F : 0.0F;
  h.root_groups = 1;
  h.centre.assign(coordinates, 0.25F);
  h.calibration = {{0, 10, 16, 0.5F, 1}, {0, 10, 32, 1, 1}, {1, 10, 64, 0.75F, 3}, {}};
  Bytes bytes(fused_prefix_bytes(h.centre.size(), h.calibration.size(), root.size()));
  write_fused_prefix(h, root, bytes.data());
  bytes.insert(bytes.end(), blocks.begin(), blocks.end());
  if (!sign_codes) return bytes;
  ByteWriter codes(bytes);
  for (uint32_t node = 0; node < kNodes; ++node) {
    codes.u64(0x0F0F + node);
    codes.f32(static_cast<float>(1 + node));
    codes.f32(-0.5F);
    codes.zeros(16);
  }
  return bytes;
}

TEST(GoldenBytes, OfFusedHold) {
  expect_golden("fused_l2", fused_sample(Metric::kL2, 4));
  expect_golden("fused_ip", fused_sample(Metric::kInnerProduct, 16));
  expect_golden("fused_cosine", fused_sample(Metric::kCosine, 5));
  expect_golden("fused_signs", fused_sample(Metric::kCosine, 5, true));
}

TEST(GoldenBytes, OfSketchHold) {
  expect_golden("sketch",
                encode_sketch({.width = 3,
                               .depth = 2,
                               .counter_bits = 8,
                               .decay_shift = 1,
                               .total_accesses = 21,
                               .blocks = {{.block_id = 0, .counters = Bytes(6, std::byte{7})}}}));
}

TEST(GoldenBytes, OfMetaHold) {
  const std::string red = "red";
  const std::vector<MetaValue> by_type[] = {
      {red, std::string("green"), std::monostate{}},
      {Bytes(2, std::byte{1}), std::monostate{}, Bytes{}},
      {int64_t{-3}, std::monostate{}, int64_t{9}},
      {uint64_t{1}, uint64_t{2}, uint64_t{3}},
      {0.5, -2.25, std::monostate{}},
      {true, false, true},
      {red, red, std::monostate{}},
      {int64_t{1'700'000'000'000'000'000}, std::monostate{}, std::monostate{}},
      {std::vector<std::string>{red, "blue"}, std::monostate{}, std::vector<std::string>{}}};
  MetaSegment meta{.schema = 2,
                   .first_id = 5,
                   .row_count = 3,
                   .ids = {8, 5, 30},
                   .first_row = {},
                   .rows = {},
                   .last_id = 0,
                   .columns = {}};
  for (uint8_t type = 1; type <= 9; ++type) {
    auto column = make_column(type, static_cast<MetaType>(type), "c" + std::to_string(type),
                              by_type[type - 1]);
    ASSERT_TRUE(column) << column.error().message;
    meta.columns.push_back(*std::move(column));
  }
  expect_golden("meta_ids", encode_meta(meta));
  meta.ids.clear();
  expect_golden("meta_range", encode_meta(meta));
  meta.first_row = 7;
  meta.first_id = meta.last_id = 5;
  expect_golden("meta_first_row", encode_meta(meta));
  meta.first_row.reset();
  meta.rows = {2, 7, 9};
  expect_golden("meta_rows", encode_meta(meta));
}

TEST(GoldenBytes, OfMetadataIndexesHold) {
  const MetaIndexHeader header{.kind = MetaIndexKind::kRange,
                               .type = MetaType::kF64,
                               .field = 5,
                               .schema = 2,
                               .key_count = 0,
                               .null_count = 0,
                               .meta_segment = 12};
  expect_golden("metaidx_range", encode_range_index({.header = header,
                                                     .keys = {sort_key(-2.25), sort_key(0.5)},
                                                     .rows = {5, 8},
                                                     .null_rows = {30}}));
  BitmapIndex bitmap{
      .header = header, .keys = {}, .rows = {{8}, {1, 2, 3, 4, 5, 6}}, .null_rows = {30}};
  bitmap.header.type = MetaType::kBool;
  for (const bool value : {false, true}) {
    const Bytes key = encoded(value);
    bitmap.keys.add({reinterpret_cast<const char*>(key.data()), key.size()});
  }
  expect_golden("metaidx_bitmap", encode_bitmap_index(bitmap));
}

TEST(GoldenBytes, OfOverlayHold) {
  expect_golden(
      "overlay",
      encode_overlay(
          {.epoch = 8,
           .rollback =
               Rollback{.epoch = 7, .segment_id = 3, .file_offset = 640, .content_hash = {1, 2, 3}},
           .edges = {{.op = EdgeOp::kInsert,
                      .layer = 1,
                      .relation = 0,
                      .weight = 0.5F,
                      .from = 1,
                      .to = 2}},
           .partitions = {{.partition_id = 1,
                           .node_count = 10,
                           .internal_edges = 20,
                           .boundary_edges = 3,
                           .boundary_weight = 1.5}},
           .min_cut = MinCutWitness{.value = 1.5, .cut_edges = {{1, 2}}, .side = {1, 5, 300}}}));
}

TEST(GoldenBytes, OfWitnessHold) {
  const WitnessEntry first = next_witness({}, "ingest:count=3,epoch=1", 1000, 1);
  expect_golden(
      "witness",
      encode_witness({first, next_witness(chain_hash(first), "delete:count=1,epoch=2", 2000, 0)}));
}

TEST(GoldenBytes, OfProfileAndCryptoHold) {
  expect_golden("profile", encode_profile({.profile = ProfileId::kCore,
                                           .domain = Domain::kText,
                                           .settings = {{"language", "en"}, {"model", ""}}}));
  expect_golden("crypto", encode_crypto({{.type = KeyType::kEd25519,
                                          .usage = key_usage::kSign,
                                          .key_id = {1, 2},
                                          .valid_from_ns = 5,
                                          .valid_until_ns = 0,
                                          .label = "owner",
                                          .key = Bytes(32, std::byte{0x42})}}));
  expect_golden("signature_footer",
                encode_signature_footer({SignatureAlgo::kEd25519, Bytes(64, std::byte{0x24})}));
}

}  // namespace
}  // namespace rvf::wire
