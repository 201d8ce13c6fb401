// Published vectors: RFC 3720, the Keccak team's KAT, xxHash's sanity table, LEB128 edge cases.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <charconv>
#include <filesystem>
#include <string>

#include "wire/checksum.hpp"

namespace rvf::wire {
namespace {

Bytes from_hex(std::string_view hex) {
  Bytes out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    uint8_t v = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, v, 16);
    out.push_back(std::byte{v});
  }
  return out;
}

template <class Range>
std::string to_hex(const Range& bytes) {
  std::string out;
  for (const auto b : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned>(b) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned>(b) & 15];
  }
  return out;
}

uint64_t number(std::string_view text, int base) {
  uint64_t v = 0;
  std::from_chars(text.data(), text.data() + text.size(), v, base);
  return v;
}

std::string field(const simdjson::dom::element& e, std::string_view key) {
  return std::string(std::string_view(e[key]));
}

class GoldenFile : public ::testing::Test {
 protected:
  bool load(const char* name) {
    const std::string path = std::string(RVF_SHARED_DATA "/data/golden/") + name;
    return std::filesystem::exists(path) && parser_.load(path).get(root_) == simdjson::SUCCESS;
  }
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

TEST(WireConstants, MatchTheFormatDescription) {
  const ByteSpan digits = as_bytes("123456789");
  EXPECT_EQ(crc32c(digits), 0xE3069283U);
  EXPECT_EQ(crc32_ieee(digits), 0xCBF43926U);
  EXPECT_EQ(to_hex(xxh3_128({})), "7f498d4624c30160d8984701d306aa99");
  EXPECT_EQ(to_hex(xxh3_128(as_bytes("abc"))), "50392f89945faf7885613a73b65ab006");
  EXPECT_EQ(to_hex(xxh3_128(digits)), "60581d68276471e9d5dce5ed77941133");
  const auto shake = [](ByteSpan s) { return to_hex(content_hash(ChecksumAlgo::kShake256, s)); };
  EXPECT_EQ(shake({}), "46b9dd2b0ba88d13233b3feb743eeb24");
  EXPECT_EQ(shake(as_bytes("abc")), "483366601360a8771c6863080cc4114d");
  EXPECT_EQ(shake(digits), "24347b9c4b6da2fc9cde08c87f33edd2");
  EXPECT_EQ(to_hex(content_hash(ChecksumAlgo::kCrc32c, digits)),
            "839206e3000000000000000000000000");
}

TEST_F(GoldenFile, EveryCrc32cVectorHolds) {
  if (!load("crc32c_golden.json")) GTEST_SKIP() << "skipped: no data";
  size_t seen = 0;
  for (const simdjson::dom::element e : simdjson::dom::array(root_)) {
    const Bytes data = from_hex(field(e, "hex"));
    const auto want = static_cast<uint32_t>(number(field(e, "crc32c"), 16));
    EXPECT_EQ(crc32c(data), want) << field(e, "hex");
    EXPECT_EQ(crc32c_portable(data), want) << field(e, "hex");
    ++seen;
  }
  EXPECT_GT(seen, 0U);
}

TEST_F(GoldenFile, EveryXxh3VectorHolds) {
  if (!load("xxh3_golden.json")) GTEST_SKIP() << "skipped: no data";
  Bytes buffer(1 << 16);
  uint64_t generator = 2654435761U;
  for (std::byte& b : buffer) {
    b = static_cast<std::byte>(generator >> 56);
    generator *= 0x9E3779B185EBCA8DULL;
  }
  size_t seen = 0;
  for (const simdjson::dom::element e : simdjson::dom::array(root_["tests"])) {
    const auto length = static_cast<size_t>(uint64_t(e["len"]));
    ASSERT_LE(length, buffer.size());
    const ByteSpan data = ByteSpan(buffer).first(length);
    const uint64_t seed = number(field(e, "seed"), 16);
    auto stored = xxh3_128(data, seed);
    std::reverse(stored.begin(), stored.end());  // the vectors print the high half first
    EXPECT_EQ(to_hex(stored), field(e, "xxh3_128")) << "length " << length;
    EXPECT_EQ(xxh3_64(data, seed), number(field(e, "xxh3_64"), 16)) << "length " << length;
    ++seen;
  }
  EXPECT_GT(seen, 0U);
}

TEST_F(GoldenFile, EveryShake256VectorHolds) {
  if (!load("shake256_kat.json")) GTEST_SKIP() << "skipped: no data";
  size_t seen = 0;
  for (const simdjson::dom::element e : simdjson::dom::array(root_["tests"])) {
    const std::string want = field(e, "out");
    std::vector<uint8_t> out(want.size() / 2);
    shake256(from_hex(field(e, "msg")), out);
    EXPECT_EQ(to_hex(out), want);
    ++seen;
  }
  EXPECT_GT(seen, 0U);
}

// The format has 64-bit LEB128 only; the vectors' 32-bit types are ranges of it, with their own
// length limit.
struct Decoded {
  bool ok = false;
  uint64_t value = 0;
};

Decoded decode_leb128(ByteSpan data, std::string_view type) {
  const unsigned bits = type.substr(1) == "32" ? 32 : 64;
  if (data.size() > (bits + 6) / 7) return {};
  if (type[0] == 'u') {
    ByteReader in(data);
    const uint64_t v = in.varint();
    return {in.ok() && in.remaining() == 0 && (bits == 64 || v >> 32 == 0), v};
  }
  ByteReader in(data);
  const int64_t v = in.svarint();
  const bool fits = bits == 64 || (v >= INT32_MIN && v <= INT32_MAX);
  return {in.ok() && in.remaining() == 0 && fits, static_cast<uint64_t>(v)};
}

TEST_F(GoldenFile, EveryLeb128VectorHolds) {
  if (!load("leb128_golden.json")) GTEST_SKIP() << "skipped: no data";
  const auto parse = [](const std::string& text) {
    return text[0] == '-' ? 0 - number(std::string_view(text).substr(1), 10) : number(text, 10);
  };
  size_t seen = 0;
  for (const simdjson::dom::element e : simdjson::dom::array(root_["canonical"])) {
    const std::string type = field(e, "type");
    const Bytes data = from_hex(field(e, "hex"));
    const uint64_t want = parse(field(e, "value"));
    const Decoded got = decode_leb128(data, type);
    EXPECT_TRUE(got.ok) << type << " " << field(e, "hex");
    EXPECT_EQ(got.value, want) << type << " " << field(e, "hex");
    Bytes encoded;
    ByteWriter w(encoded);
    type[0] == 'u' ? w.varint(want) : w.svarint(static_cast<int64_t>(want));
    EXPECT_EQ(to_hex(encoded), field(e, "hex")) << type;
    ++seen;
  }
  for (const simdjson::dom::element e : simdjson::dom::array(root_["edge"])) {
    const std::string type = field(e, "type");
    const Decoded got = decode_leb128(from_hex(field(e, "hex")), type);
    std::string_view value;
    if (e["value"].get(value) == simdjson::SUCCESS) {
      EXPECT_TRUE(got.ok) << type << " " << field(e, "hex");
      EXPECT_EQ(got.value, parse(std::string(value))) << type << " " << field(e, "hex");
    } else {
      EXPECT_FALSE(got.ok) << type << " " << field(e, "hex") << ": " << field(e, "error");
    }
    ++seen;
  }
  EXPECT_EQ(seen, 68U);
}

}  // namespace
}  // namespace rvf::wire
