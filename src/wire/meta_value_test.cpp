#include "wire/meta_value.hpp"

#include <limits>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

const MetaValue kValues[] = {std::monostate{},
                             std::string("text"),
                             std::string(),
                             Bytes(5, std::byte{3}),
                             std::numeric_limits<int64_t>::min(),
                             ~uint64_t{0},
                             -1.5,
                             true,
                             false,
                             std::vector<std::string>{"a", "", "bc"},
                             std::vector<std::string>{}};

Result<MetaValue> decode(ByteSpan bytes) {
  ByteReader in(bytes);
  return read_meta_value(in);
}

TEST(MetaValueCodec, RoundTripsAndNoPrefixIsAValue) {
  for (const MetaValue& value : kValues) {
    Bytes bytes;
    ByteWriter out(bytes);
    write_meta_value(out, value);
    const auto back = decode(bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, value);
    expect_truncations_fail(bytes, decode);
    flip_bits(bytes, decode, 500);
  }
}

TEST(StringTable, RoundTripsAndNoPrefixIsATable) {
  StringTable table;
  for (const char* s : {"one", "", "three", "4"}) table.add(s);
  EXPECT_EQ(table[0], "one");
  EXPECT_EQ(table[1], "");
  EXPECT_EQ(table[3], "4");
  Bytes bytes;
  ByteWriter out(bytes);
  table.write(out);
  const auto read = [](ByteSpan s) {
    ByteReader in(s);
    return StringTable::read(in, 4);
  };
  EXPECT_EQ(*read(bytes), table);
  expect_truncations_fail(bytes, read);
  flip_bits(bytes, read);
}

}  // namespace
}  // namespace rvf::wire
