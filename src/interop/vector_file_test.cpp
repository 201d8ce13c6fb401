#include "interop/vector_file.hpp"

#include <filesystem>
#include <limits>

#include "interop/test_files.hpp"

namespace rvf::interop {
namespace {

using Floats = std::vector<float>;

struct All {
  VectorInfo info;
  Floats values;
  std::vector<uint64_t> ids;
  std::vector<std::string> string_ids;
  std::vector<std::string> extra;
};

Result<All> read_all(const std::string& path, size_t at_once = 2, ReadOptions options = {}) {
  auto reader = open_vectors(path, options);
  if (!reader) return reader.error();
  All all;
  all.info = (*reader)->info();
  VectorChunk chunk;
  for (;;) {
    auto n = (*reader)->read(at_once, chunk);
    if (!n) return n.error();
    if (*n == 0) return all;
    chunk.to_f32(all.values);
    all.ids.insert(all.ids.end(), chunk.ids.begin(), chunk.ids.end());
    all.string_ids.insert(all.string_ids.end(), chunk.string_ids.begin(), chunk.string_ids.end());
    all.extra.insert(all.extra.end(), chunk.extra.begin(), chunk.extra.end());
  }
}

class VectorFile : public TestFiles {
 protected:
  static void expect(const std::string& path, Format format, const Floats& values, uint32_t dim) {
    auto all = read_all(path);
    ASSERT_TRUE(all.ok()) << all.error().message;
    EXPECT_EQ(all->info.format, format) << format_name(all->info.format);
    EXPECT_EQ(all->info.dim, dim);
    EXPECT_EQ(all->values, values);
  }
  static void expect_error(const std::string& path, ErrorCode code, const std::string& says = "") {
    auto all = read_all(path);
    ASSERT_FALSE(all.ok()) << path;
    EXPECT_EQ(all.error().code, code) << all.error().message;
    EXPECT_NE(all.error().message.find(path), std::string::npos) << all.error().message;
    EXPECT_NE(all.error().message.find(says), std::string::npos) << all.error().message;
  }
};

const Floats kSix = {1, 2, 3, 4, 5, 6};

TEST_F(VectorFile, ReadsEveryNpyNumberType) {
  expect(file("f4", npy("<f4", "(2, 3)", values(1.f, 2, 3, 4, 5, 6))), Format::kNpy, kSix, 3);
  expect(file("f8", npy("<f8", "(2, 3)", values(1.0, 2, 3, 4, 5, 6))), Format::kNpy, kSix, 3);
  expect(file("be", npy(">i2", "(1, 2)", std::string("\x01\x00\xFF\xFF", 4))), Format::kNpy,
         {256, -1}, 2);
  expect(file("u1", npy("|u1", "(2, 3)", values<uint8_t>(1, 2, 3, 4, 5, 255))), Format::kNpy,
         {1, 2, 3, 4, 5, 255}, 3);
  expect(file("i1", npy("|i1", "(1, 2)", values<int8_t>(-128, 127))), Format::kNpy, {-128, 127}, 2);
  expect(file("i8", npy("<i8", "(1, 2)", values<int64_t>(-3, 1 << 20))), Format::kNpy,
         {-3, 1 << 20}, 2);
  expect(file("f2", npy("<f2", "(1, 4)", values<uint16_t>(0x3C00, 0xC000, 0x0001, 0x7BFF))),
         Format::kNpy, {1, -2, 5.9604644775390625e-8f, 65504}, 4);
}

TEST_F(VectorFile, KeepsNativeTypes) {
  auto reader = open_vectors(file("h", npy("<f2", "(1, 2)", values<uint16_t>(0x3C00, 0xC000))));
  ASSERT_TRUE(reader.ok());
  VectorChunk chunk;
  ASSERT_EQ(*(*reader)->read(10, chunk), 1u);
  EXPECT_EQ(chunk.dtype, DType::kF16);
  EXPECT_EQ(chunk.bytes.size(), 4u);
  EXPECT_EQ((*reader)->info().count, 1u);
}

TEST_F(VectorFile, AnEmptyNpyArrayHasNoRows) {
  expect(file("none", npy("<f4", "(0, 3)", "")), Format::kNpy, {}, 3);
}

TEST_F(VectorFile, RefusesNpyThatItCannotRead) {
  expect_error(file("object", npy("|O", "(1, 1)", "abcdefgh")), ErrorCode::kUnsupported);
  expect_error(file("1d", npy("<f4", "(4,)", values(1.f, 2, 3, 4))), ErrorCode::kWrongDimension);
  expect_error(file("3d", npy("<f4", "(1, 2, 2)", values(1.f, 2, 3, 4))), ErrorCode::kUnsupported);
  expect_error(file("complex", npy("<c8", "(1, 1)", values(1.f, 2))), ErrorCode::kUnsupported);
  expect_error(
      file("record",
           npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", values(1.f))),
      ErrorCode::kUnsupported);
  expect_error(file("short", npy("<f4", "(2, 2)", values(1.f, 2, 3))), ErrorCode::kTruncated);
  expect_error(file("long", npy("<f4", "(1, 2)", values(1.f, 2, 3))), ErrorCode::kCorrupt);
  expect_error(file("huge", npy("<f4", "(288230376151711743, 60000)", "abc")),
               ErrorCode::kTruncated);
  expect_error(file("overflow", npy("<f4", "(99999999999999999999999, 2)", "abc")),
               ErrorCode::kCorrupt);
  expect_error(file("wide", npy("<f4", "(1, 70000)", "abc")), ErrorCode::kWrongDimension);
  expect_error(file("cut", std::string("\x93NUMPY\x01\0\x76", 9)), ErrorCode::kTruncated);
  expect_error(
      file("nan", npy("<f4", "(2, 2)", values(1.f, 2, 3, std::numeric_limits<float>::quiet_NaN()))),
      ErrorCode::kNotFinite, "row 1");
  expect_error(file("big", npy("<f8", "(1, 1)", values(1e300))), ErrorCode::kOutOfRange, "row 0");
  for (const int64_t n : {(int64_t{1} << 24) + 1, (int64_t{1} << 53) + 1, INT64_MAX}) {
    expect_error(file("int", npy("<i8", "(1, 1)", values(n))), ErrorCode::kOutOfRange, "f32");
  }
}

TEST_F(VectorFile, ReadsCsvWithAndWithoutHeader) {
  expect(file("plain", "1,2,3\n4,5,6\n"), Format::kCsv, kSix, 3);
  expect(file("crlf",
              "\xEF\xBB\xBF"
              "a,b,c\r\n1, 2 ,3\r\n\r\n4,5,+6"),
         Format::kCsv, kSix, 3);
  expect(file("tabs", "1\t2\t3\n4\t5\t6\n"), Format::kCsv, kSix, 3);
  expect(file("blanks", " 1  2 3\n4 5 6 \n"), Format::kCsv, kSix, 3);
  expect(file("quoted", "\"x,1\";\"y\"\"\";z\n\"1\";\"2\";3\n4;5;6\n"), Format::kCsv, kSix, 3);
  expect(file("one", "1\n2\n"), Format::kCsv, {1, 2}, 1);
  expect(file("tiny", "1e-400,-1.5e3\n"), Format::kCsv, {0, -1500}, 2);
}

TEST_F(VectorFile, EveryLineEndOfACsvIsOne) {
  for (const char* content : {"a,b,c\r1,2,3\r4,5,6\r", "a,b,c\r1,2,3\r4,5,6", "1,2,3\r\n4,5,6\r",
                              "1,2,3\n\r\n\r4,5,6\n"}) {
    expect(file("rows", content), Format::kCsv, kSix, 3);
  }
  ReadOptions options;
  options.want_extra = true;
  auto all = read_all(file("quoted", "v0,v1,t\r1,2,\"a\rb\"\r3,4,\"q\" rest\r5,6,\"c\r\nd\"\r"), 9,
                      options);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->values, kSix);
  EXPECT_EQ(all->extra, (std::vector<std::string>{R"({"t":"a\rb"})", R"({"t":"\"q\" rest"})",
                                                  R"({"t":"c\r\nd"})"}));
}

TEST_F(VectorFile, OneColumnOfACsvMayHoldTheVector) {
  ReadOptions options;
  options.want_extra = true;
  auto all = read_all(file("v", "id;embedding;t\n1;[1, 2,3];x\n2;\"[4 5  6]\";y\n"), 9, options);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->values, kSix);
  EXPECT_EQ(all->extra[1], "{\"t\":\"y\"}");
  const std::string two = file("two", "vector,embedding\n\"[1,2]\",\"[3,4]\"\n");
  EXPECT_NE(read_all(two).error().message.find("--vector-field"), std::string::npos);
  options.vector_field = "embedding";
  EXPECT_EQ(read_all(two, 9, options)->values, (Floats{3, 4}));
  options.vector_field = "y";
  EXPECT_EQ(read_all(file("runs", "x0,x1,y0,y1\n1,2,3,4\n"), 9, options)->values, (Floats{3, 4}));
  EXPECT_NE(read_all(file("no", "x0,x1\n1,2\n"), 9, options).error().message.find("y0 y1"),
            std::string::npos);
  for (const char* bad : {"[1,2", "[1,,2]", "[1,2,]", "[]", "[1,x]", "[nan,1]", "[1,2,3]"}) {
    const auto read = read_all(file("bad", "vector\n\"[1,2]\"\n\"" + std::string(bad) + "\"\n"));
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_NE(read.error().message.find("line 3"), std::string::npos) << read.error().message;
  }
}

TEST_F(VectorFile, TheOrderOfTheKeysDoesNotChooseTheVector) {
  for (const char* row :
       {R"({"vector":[1,0],"embedding":[0,1]})", R"({"embedding":[0,1],"vector":[1,0]})",
        R"({"values":[1],"embedding":[0,1]})"}) {
    expect_error(file("two", row), ErrorCode::kCorrupt, "--vector-field");
  }
  ReadOptions options;
  options.vector_field = "embedding";
  EXPECT_EQ(read_all(path("two"), 9, options)->values, (Floats{0, 1}));
  expect(file("list", R"({"vector":[1,0],"values":["a"]})"), Format::kJsonl, {1, 0}, 2);
  for (const char* row : {R"({"vector":[1],"vector":[2]})", R"({"id":1,"vector":[1],"id":2})"}) {
    expect_error(file("twice", row), ErrorCode::kCorrupt, "twice");
  }
  expect(file("array", " [ {\"vector\":[1,2,3]},\n[4,5,6] ]"), Format::kJsonl, kSix, 3);
  expect(file("rows", "[[1,2,3],[4,5,6]]"), Format::kJsonl, kSix, 3);
  expect_error(file("large", R"({"vector":[1e400]})"), ErrorCode::kOutOfRange, "beyond");
  expect(file("whole", R"({"vector":[18446744073709551616]})"), Format::kJsonl,
         {18446744073709551616.f}, 1);
}

TEST_F(VectorFile, ReadsNpyInFortranOrderOfEveryWidth) {
  const std::string fortran = "', 'fortran_order': True, 'shape': (2, 3), }";
  expect(file("f4", npy("{'descr': '<f4" + fortran, values(1.f, 4, 2, 5, 3, 6))), Format::kNpy,
         kSix, 3);
  expect(file("be", npy("{'descr': '>i2" + fortran, std::string("\0\1\0\4\0\2\0\5\0\3\0\6", 12))),
         Format::kNpy, kSix, 3);
  expect(gzip("gz", npy("{'descr': '|u1" + fortran, values<uint8_t>(1, 4, 2, 5, 3, 6))),
         Format::kNpy, kSix, 3);
  expect(file("bool", npy("|b1", "(1, 3)", values<uint8_t>(1, 0, 1))), Format::kNpy, {1, 0, 1}, 3);
  expect_error(file("cut", npy("{'descr': '<f4" + fortran, values(1.f, 4, 2, 5, 3))),
               ErrorCode::kTruncated);
}

TEST_F(VectorFile, ReadsOneArrayOfAnNpzAndChecksItsSum) {
  const std::string array = npy("<f4", "(2, 3)", values(1.f, 2, 3, 4, 5, 6));
  const auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(array.data()), static_cast<uInt>(array.size())));
  const auto u16 = [](size_t v) { return raw(static_cast<uint16_t>(v)); };
  const auto size = static_cast<uint32_t>(array.size());
  const std::string sizes = u32(crc) + u32(size) + u32(size);
  const std::string local = "PK\3\4" + std::string(10, '\0') + sizes + u16(5) + u16(0) + "x.npy";
  const std::string entry =
      "PK\1\2" + std::string(12, '\0') + sizes + u16(5) + std::string(16, '\0') + "x.npy";
  const auto archive = [&](const std::string& content) {
    return local + content + entry + "PK\5\6" + std::string(8, '\0') +
           u32(static_cast<uint32_t>(entry.size())) +
           u32(static_cast<uint32_t>(local.size() + content.size())) + u16(0);
  };
  expect(file("a.npz", archive(array)), Format::kNpy, kSix, 3);
  expect(path("a.npz") + ":x", Format::kNpy, kSix, 3);
  EXPECT_EQ(read_all(path("a.npz") + ":y").error().code, ErrorCode::kNotFound);
  std::string damaged = array;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  expect_error(file("d.npz", archive(damaged)), ErrorCode::kCorrupt, "checksum");
  const std::string whole = archive(array);
  for (size_t i = 0; i < whole.size(); ++i) {
    (void)read_all(file("cut.npz", whole.substr(0, i)));
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ static_cast<char>(0x80 >> (i % 8)));
    const auto read = read_all(file("flip.npz", flipped));
    EXPECT_TRUE(!read.ok() || read->values == kSix) << i;
  }
}

TEST_F(VectorFile, TakesIdsFromACsvColumn) {
  auto all = read_all(file("ids", "x,ID,y\n1,70,2\n3,18446744073709551614,4\n"));
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->values, (Floats{1, 2, 3, 4}));
  EXPECT_EQ(all->ids, (std::vector<uint64_t>{70, 18446744073709551614u}));
  auto names = read_all(file("names", "id,x\nalpha,1\nbeta,2\n"));
  ASSERT_TRUE(names.ok()) << names.error().message;
  EXPECT_EQ(names->string_ids, (std::vector<std::string>{"alpha", "beta"}));
  EXPECT_TRUE(names->ids.empty());
}

TEST_F(VectorFile, NamesTheLineOfACsvFault) {
  expect_error(file("ragged", "1,2\n3,4\n\n5\n"), ErrorCode::kWrongDimension, "line 4");
  expect_error(file("nan", "1,2\n3,nan\n"), ErrorCode::kNotFinite, "line 2: column 2");
  expect_error(file("first", "1,NaN\n"), ErrorCode::kNotFinite, "line 1");
  expect_error(file("inf", "1,-inf\n"), ErrorCode::kNotFinite, "line 1");
  expect_error(file("text", "1,2\n3,x\n"), ErrorCode::kCorrupt, "line 2");
  expect_error(file("empty field", "1,2\n3,\n"), ErrorCode::kCorrupt, "line 2");
  expect_error(file("open quote", "1,2\n3,\"4\n"), ErrorCode::kCorrupt, "line 2");
  expect_error(file("large", "1,1e39\n"), ErrorCode::kOutOfRange, "line 1");
  expect_error(file("lost header", "a,1,2\nb,3,4\n"), ErrorCode::kCorrupt, "names and numbers");
  expect_error(file("twice", "x,x\n1,2\n"), ErrorCode::kBadArgument, "two columns");
  expect_error(file("header", "x,y\n"), ErrorCode::kBadArgument, "no rows");
  expect_error(file("comma", "x;y\n1,5;2\n"), ErrorCode::kCorrupt, "a decimal comma?");
  expect_error(file("commas", "1,5;2,5\n3,5;4,5\n"), ErrorCode::kCorrupt, "a decimal comma?");
}

TEST_F(VectorFile, ReadsJsonLinesAndKeepsOtherKeysWhenAsked) {
  const std::string path =
      file("j",
           "{\"id\":7,\"text\":\"a \\\"b\\\"\",\"vector\":[1,2.5],\"n\":{\"k\":[1]}}\n"
           "\n{\"vector\":[3,-4e0],\"id\":18446744073709551614}\n");
  ReadOptions options;
  options.want_extra = true;
  auto all = read_all(path, 1, options);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->info.format, Format::kJsonl);
  EXPECT_EQ(all->values, (Floats{1, 2.5, 3, -4}));
  EXPECT_EQ(all->ids, (std::vector<uint64_t>{7, 18446744073709551614u}));
  EXPECT_EQ(all->extra[0], "{\"text\":\"a \\\"b\\\"\",\"n\":{\"k\":[1]}}");
  EXPECT_EQ(all->extra[1], "{}");
  expect(file("bare", "[1,2,3]\n[4,5,6]\n"), Format::kJsonl, kSix, 3);
}

TEST_F(VectorFile, NamesTheLineOfAJsonFault) {
  expect_error(file("ragged", "{\"vector\":[1,2]}\n{\"vector\":[1]}\n"), ErrorCode::kWrongDimension,
               "line 2");
  expect_error(file("broken", "{\"vector\":[1,2]}\n{\"vector\":[1,\n"), ErrorCode::kCorrupt,
               "line 2");
  expect_error(file("null", "{\"vector\":[1,null]}\n"), ErrorCode::kNotFinite, "line 1");
  expect_error(file("nan", "{\"vector\":[1,NaN]}\n"), ErrorCode::kCorrupt, "line 1");
  expect_error(file("none", "{\"id\":1}\n"), ErrorCode::kCorrupt, "line 1");
  expect_error(file("empty", "{\"vector\":[]}\n"), ErrorCode::kWrongDimension, "line 1");
  expect_error(file("id", "{\"id\":-1,\"vector\":[1]}\n"), ErrorCode::kOutOfRange, "line 1");
  expect_error(file("missing", "{\"id\":1,\"vector\":[1]}\n{\"vector\":[1]}\n"),
               ErrorCode::kCorrupt, "line 2");
  expect_error(file("large", "{\"vector\":[1e39]}\n"), ErrorCode::kOutOfRange, "line 1");
}

TEST_F(VectorFile, TellsTheVecsAndBinKindsApart) {
  expect(file("a", u32(3) + values(1.f, 2, 3) + u32(3) + values(4.f, 5, 6)), Format::kFvecs, kSix,
         3);
  expect(file("b", u32(3) + values<int32_t>(1, 2, 3) + u32(3) + values<int32_t>(4, 5, 6)),
         Format::kIvecs, kSix, 3);
  expect(file("c", u32(3) + values<uint8_t>(1, 2, 3) + u32(3) + values<uint8_t>(4, 5, 6)),
         Format::kBvecs, kSix, 3);
  expect(file("d", u32(2) + u32(3) + values(1.f, 2, 3, 4, 5, 6)), Format::kFbin, kSix, 3);
  expect(file("e", u32(2) + u32(3) + values<int32_t>(1, 2, 3, 4, 5, 6)), Format::kIbin, kSix, 3);
  expect(file("f", u32(2) + u32(3) + values<uint8_t>(1, 2, 3, 4, 5, 6)), Format::kU8bin, kSix, 3);
  expect(file("f.i8bin", u32(2) + u32(3) + values<int8_t>(1, 2, 3, 4, 5, -6)), Format::kI8bin,
         {1, 2, 3, 4, 5, -6}, 3);
  expect(file("wrong-name.csv", u32(2) + u32(3) + values(1.f, 2, 3, 4, 5, 6)), Format::kFbin, kSix,
         3);
}

TEST_F(VectorFile, TheExtensionDecidesOnlyWhatTheContentLeavesOpen) {
  const std::string zeros = u32(2) + values(0.f, 0) + u32(2) + values(0.f, 0);
  expect(file("z.ivecs", zeros), Format::kIvecs, {0, 0, 0, 0}, 2);
  expect(file("z.fvecs", zeros), Format::kFvecs, {0, 0, 0, 0}, 2);
  expect(file("z", zeros), Format::kFvecs, {0, 0, 0, 0}, 2);
  const std::string numbers = u32(2) + values(1.f, 2) + u32(2) + values(3.f, 4);
  expect(file("n.ivecs", numbers), Format::kFvecs, {1, 2, 3, 4}, 2);
}

TEST_F(VectorFile, RefusesDamagedBinaryFiles) {
  const std::string rows = u32(2) + values(1.f, 2) + u32(2) + values(3.f, 4);
  expect_error(file("cut.fvecs", rows.substr(0, rows.size() - 1)), ErrorCode::kTruncated);
  expect_error(file("ragged.fvecs", u32(2) + values(1.f, 2) + u32(1) + values(3.f, 4)),
               ErrorCode::kTruncated);
  expect_error(file("cut.fbin", u32(1000) + u32(1000) + values(1.f, 2)), ErrorCode::kTruncated);
  expect_error(file("claims.u8bin", u32(0xFFFFFFFF) + u32(0xFFFF) + "abc"), ErrorCode::kTruncated);
  expect_error(
      file("inf.fbin", u32(2) + u32(2) + values(1.f, 2, 3, std::numeric_limits<float>::infinity())),
      ErrorCode::kNotFinite, "row 1");
  expect_error(file("noise.png", std::string("\x89PNG\r\n\x1a\n\0\0\0\0", 12)),
               ErrorCode::kUnsupported);
}

TEST_F(VectorFile, AForcedFormatIsStillChecked) {
  auto reader = open_vectors(file("x", "hello, world"), FormatHint(Format::kNpy));
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::kBadMagic);
  auto ragged = open_vectors(file("r", u32(2) + values(1.f, 2) + u32(1) + values(3.f, 4)),
                             FormatHint(Format::kFvecs));
  ASSERT_TRUE(ragged.ok());
  VectorChunk chunk;
  auto n = (*ragged)->read(10, chunk);
  ASSERT_FALSE(n.ok());
  EXPECT_EQ(n.error().code, ErrorCode::kWrongDimension);
}

TEST_F(VectorFile, FlattensIdxImages) {
  const std::string head("\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3", 16);
  expect(file("images", head + values<uint8_t>(1, 2, 3, 4, 5, 6)), Format::kIdx, kSix, 3);
  const std::string labels("\0\0\x08\x01\0\0\0\3\7\0\x09", 11);
  expect_error(file("labels", labels), ErrorCode::kWrongDimension);
  auto ids = read_ids(path("labels"));
  ASSERT_TRUE(ids.ok()) << ids.error().message;
  EXPECT_EQ(*ids, (std::vector<uint64_t>{7, 0, 9}));
}

TEST_F(VectorFile, ReadsGzipOfAnyKind) {
  expect(gzip("a.gz", npy("<f4", "(2, 3)", values(1.f, 2, 3, 4, 5, 6))), Format::kNpy, kSix, 3);
  expect(gzip("b.csv", "1,2,3\n4,5,6\n"), Format::kCsv, kSix, 3);
  expect(gzip("c", u32(3) + values(1.f, 2, 3) + u32(3) + values(4.f, 5, 6)), Format::kFvecs, kSix,
         3);
  expect(gzip("d.i8bin.gz", u32(1) + u32(2) + values<int8_t>(1, -1)), Format::kI8bin, {1, -1}, 2);
  std::string many = u32(20000) + u32(4);  // larger than what is looked at
  Floats want;
  for (int i = 0; i < 80000; ++i) {
    want.push_back(static_cast<float>(i % 97) + 0.5f);
    many += raw(want.back());
  }
  auto all = read_all(gzip("e", many), 777);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->info.format, Format::kFbin);
  EXPECT_EQ(all->values, want);
}

TEST_F(VectorFile, ReadsGzipOfSeveralMembers) {
  const std::string a = gzip("a", "1,2,3\n"), b = gzip("b", "4,5,6\n");
  std::ifstream first(a, std::ios::binary), second(b, std::ios::binary);
  std::string both((std::istreambuf_iterator<char>(first)), {});
  both.append((std::istreambuf_iterator<char>(second)), {});
  expect(file("both", both), Format::kCsv, kSix, 3);
}

TEST_F(VectorFile, RefusesDamagedGzip) {
  const std::string whole = gzip("whole", npy("<f4", "(2, 3)", values(1.f, 2, 3, 4, 5, 6)));
  std::ifstream in(whole, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  expect_error(file("cut", bytes.substr(0, bytes.size() - 10)), ErrorCode::kTruncated);
  std::string flipped = bytes;
  flipped[flipped.size() - 6] ^= 1;  // the trailer's CRC
  expect_error(file("flipped", flipped), ErrorCode::kCorrupt);
  expect_error(gzip("short", npy("<f4", "(9, 3)", values(1.f, 2, 3))), ErrorCode::kTruncated);
  expect_error(gzip("long", npy("<f4", "(1, 1)", values(1.f, 2, 3))), ErrorCode::kCorrupt);
  expect_error(gzip("twice", bytes), ErrorCode::kUnsupported);
}

TEST_F(VectorFile, RefusesWhatIsNoFile) {
  expect_error(path("missing"), ErrorCode::kNoSuchFile);
  expect_error(folder_.string(), ErrorCode::kBadArgument, "directory");
  expect_error(file("empty", ""), ErrorCode::kBadArgument, "empty");
  expect_error(gzip("empty.gz", ""), ErrorCode::kBadArgument, "empty");
  expect_error(file("blank", " \n\n"), ErrorCode::kBadArgument);
  expect_error("/dev/zero", ErrorCode::kBadArgument);
}

TEST_F(VectorFile, EveryTruncationAndByteFlipGivesRowsOrAnError) {
  const std::string sources[] = {
      npy("<f4", "(2, 3)", values(1.f, 2, 3, 4, 5, 6)),
      u32(3) + values(1.f, 2, 3) + u32(3) + values(4.f, 5, 6),
      u32(2) + u32(3) + values<uint8_t>(1, 2, 3, 4, 5, 6),
      std::string("\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3", 16) + "abcdef",
      "id,a,b\n1,2,3\n4,5,\"6\"\n",
      "{\"id\":1,\"vector\":[1,2,3]}\n{\"id\":2,\"vector\":[4,5,6]}\n",
  };
  for (const std::string& whole : sources) {
    for (size_t i = 0; i < whole.size(); ++i) {
      (void)read_all(file("cut", whole.substr(0, i)));
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ static_cast<char>(0x80 >> (i % 8)));
      (void)read_all(file("flip", flipped));
      (void)read_ids(path("flip"));
      (void)read_truth(path("flip"));
    }
  }
}

TEST_F(VectorFile, ReadsIdsFromNpyTextAndIvecs) {
  const std::vector<uint64_t> want = {5, 0, 7};
  EXPECT_EQ(*read_ids(file("a", npy("<i8", "(3,)", values<int64_t>(5, 0, 7)))), want);
  EXPECT_EQ(*read_ids(file("b", npy("<u4", "(3, 1)", values<uint32_t>(5, 0, 7)))), want);
  EXPECT_EQ(*read_ids(file("c", "5\n0\r\n 7\n\n")), want);
  EXPECT_EQ(*read_ids(file("d", u32(1) + u32(5) + u32(1) + u32(0) + u32(1) + u32(7))), want);
  EXPECT_EQ(read_ids(file("e", npy("<i8", "(1,)", values<int64_t>(-1)))).error().code,
            ErrorCode::kOutOfRange);
  EXPECT_EQ(read_ids(file("f", npy("<f4", "(1,)", values(1.f)))).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(read_ids(file("g", "1\nx\n")).error().code, ErrorCode::kCorrupt);
}

TEST_F(VectorFile, IdsInTextAreNumbersOnlyIfAllAre) {
  const auto texts = read_ids(file("a", "1\n007\n"), IdKind::kUndecided);
  ASSERT_TRUE(texts.ok()) << texts.error().message;
  EXPECT_EQ(texts->texts, (std::vector<std::string>{"1", "007"}));
  EXPECT_EQ(read_ids(file("b", "1\n7\n"), IdKind::kUndecided)->numbers,
            (std::vector<uint64_t>{1, 7}));
  EXPECT_EQ(read_ids(path("b"), IdKind::kTexts)->texts, (std::vector<std::string>{"1", "7"}));
  EXPECT_EQ(read_ids(file("c", npy("<i8", "(1,)", values<int64_t>(5))), IdKind::kTexts)->texts,
            (std::vector<std::string>{"5"}));
  EXPECT_EQ(read_ids(file("d", npy("<u8", "(1,)", values<uint64_t>(UINT64_MAX)))).error().code,
            ErrorCode::kOutOfRange);
}

TEST_F(VectorFile, ReadsTruthFromNpyIvecsAndIbin) {
  const std::vector<uint64_t> want = {1, 2, 3, 4, 5, 6};
  const std::string data = values<int32_t>(1, 2, 3, 4, 5, 6);
  for (const std::string& p :
       {file("a", npy("<i4", "(2, 3)", data)), file("b", u32(2) + u32(3) + data),
        file("c", u32(2) + u32(3) + data + values(.1f, .2, .3, .4, .5, .6)),
        file("d", u32(3) + data.substr(0, 12) + u32(3) + data.substr(12))}) {
    auto truth = read_truth(p);
    ASSERT_TRUE(truth.ok()) << truth.error().message;
    EXPECT_EQ(truth->queries, 2u);
    EXPECT_EQ(truth->k, 3u);
    EXPECT_EQ(truth->ids, want);
  }
}

std::string shared(const std::string& name) {
  return std::string(RVF_SHARED_DATA) + "/data/ann/" + name;
}

TEST_F(VectorFile, RecognisesTheRealFiles) {
  if (!std::filesystem::exists(shared("siftsmall_query.fvecs"))) GTEST_SKIP() << "skipped: no data";
  struct Real {
    const char* name;
    Format format;
    DType dtype;
    uint32_t dim;
    uint64_t rows;
  };
  const Real reals[] = {
      {"siftsmall_query.fvecs", Format::kFvecs, DType::kF32, 128, 100},
      {"sift1m-rows-100001-105000.u8bin", Format::kU8bin, DType::kU8, 128, 5000},
      {"glove-twitter-25d.f32.npy", Format::kNpy, DType::kF32, 25, 11925},
      {"beir-queries-bge-base-768.7574.f32.npy", Format::kNpy, DType::kF32, 768, 7574},
      {"wordnet-minilm-384/base.f16.npy", Format::kNpy, DType::kF16, 384, 100000},
      {"fashion-mnist/t10k-images-idx3-ubyte.gz", Format::kIdx, DType::kU8, 784, 10000},
      {"fashion-mnist/train-images-idx3-ubyte.gz", Format::kIdx, DType::kU8, 784, 60000},
  };
  for (const Real& real : reals) {
    auto reader = open_vectors(shared(real.name));
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_EQ((*reader)->info().format, real.format) << real.name;
    EXPECT_EQ((*reader)->info().dtype, real.dtype) << real.name;
    EXPECT_EQ((*reader)->info().dim, real.dim) << real.name;
    uint64_t rows = 0;
    VectorChunk chunk;
    for (;;) {
      auto n = (*reader)->read(10000, chunk);
      ASSERT_TRUE(n.ok()) << n.error().message;
      if (*n == 0) break;
      rows += *n;
    }
    EXPECT_EQ(rows, real.rows) << real.name;
  }
  auto labels = read_ids(shared("fashion-mnist/train-labels-idx1-ubyte.gz"));
  ASSERT_TRUE(labels.ok()) << labels.error().message;
  EXPECT_EQ(labels->size(), 60000u);
  auto truth = read_truth(shared("wordnet-minilm-384/truth-in.i32.npy"));
  ASSERT_TRUE(truth.ok()) << truth.error().message;
  EXPECT_EQ(truth->queries, 2000u);
  EXPECT_EQ(truth->k, 100u);
}

}  // namespace
}  // namespace rvf::interop
