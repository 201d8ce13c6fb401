#include "interop/vector_writer.hpp"

#include <filesystem>

#include "interop/test_files.hpp"

namespace rvf::interop {
namespace {

using VectorWriterTest = TestFiles;

VectorChunk chunk_of(DType dtype, uint32_t dim, const std::string& raw) {
  VectorChunk c;
  c.dtype = dtype;
  c.dim = dim;
  c.count = raw.size() / vector_bytes(dtype, dim);
  c.bytes.resize(raw.size());
  std::memcpy(c.bytes.data(), raw.data(), raw.size());
  return c;
}

TEST_F(VectorWriterTest, WhatIsWrittenReadsBackTheSame) {
  struct Case {
    Format format;
    DType dtype;
    std::string raw;
  };
  const Case cases[] = {
      {Format::kNpy, DType::kF32, values(1.5f, -2, 1e-30, 3e38)},
      {Format::kNpy, DType::kF16, values<uint16_t>(0x3C00, 0xC000, 1, 0x7BFF)},
      {Format::kNpy, DType::kU8, values<uint8_t>(0, 1, 254, 255)},
      {Format::kNpy, DType::kI8, values<int8_t>(-128, -1, 0, 127)},
      {Format::kFvecs, DType::kF32, values(1.5f, -2, 0.1f, 3e38)},
      {Format::kJsonl, DType::kF32, values(0.1f, -2, 1.17549435e-38f, 3.4028234e38f)},
      {Format::kJsonl, DType::kF32, values(-0.f, 0, -1e-45f, 1e-45f)},
  };
  for (const Case& c : cases) {
    auto writer = VectorWriter::create(path("out"), c.format, c.dtype, 2, 2);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    VectorChunk rows = chunk_of(c.dtype, 2, c.raw);
    rows.ids = {7, 18446744073709551614u};
    ASSERT_TRUE((*writer)->append(rows).ok());
    ASSERT_TRUE((*writer)->finish().ok());
    auto reader = open_vectors(path("out"));
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_EQ((*reader)->info().format, c.format);
    VectorChunk back;
    auto n = (*reader)->read(100, back);
    ASSERT_TRUE(n.ok()) << n.error().message;
    ASSERT_EQ(*n, 2u);
    EXPECT_EQ(back.dtype, c.dtype);
    EXPECT_EQ(back.bytes, rows.bytes) << format_name(c.format);
    if (c.format == Format::kJsonl) {
      EXPECT_EQ(back.ids, rows.ids);
    }
  }
}

TEST_F(VectorWriterTest, JsonLinesCarryNamesAndOtherKeys) {
  auto writer = VectorWriter::create(path("out.jsonl"), Format::kJsonl, DType::kF32, 1, 2);
  ASSERT_TRUE(writer.ok());
  VectorChunk rows = chunk_of(DType::kF32, 1, values(1.f, 2));
  rows.string_ids = {"a\"b", "c\n"};
  rows.extra = {"{\"k\":1}", "{}"};
  ASSERT_TRUE((*writer)->append(rows).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  std::ifstream in(path("out.jsonl"));
  std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(text, "{\"id\":\"a\\\"b\",\"vector\":[1],\"k\":1}\n{\"id\":\"c\\n\",\"vector\":[2]}\n");
}

TEST_F(VectorWriterTest, AnUnfinishedFileLeavesTheOldOneAlone) {
  file("out.npy", "old");
  {
    auto writer = VectorWriter::create(path("out.npy"), Format::kNpy, DType::kF32, 1, 2);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->append(chunk_of(DType::kF32, 1, values(1.f))).ok());
  }
  std::ifstream in(path("out.npy"));
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(in)), {}), "old");
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1u);
}

TEST_F(VectorWriterTest, RefusesWhatItCannotWrite) {
  EXPECT_EQ(VectorWriter::create(path("a"), Format::kCsv, DType::kF32, 2, 0).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(VectorWriter::create(path("a"), Format::kFvecs, DType::kU8, 2, 0).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(
      VectorWriter::create(path("no/such/folder"), Format::kNpy, DType::kF32, 2, 0).error().code,
      ErrorCode::kNoSuchFile);
  auto writer = VectorWriter::create(path("a"), Format::kNpy, DType::kF32, 2, 0);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ((*writer)->append(chunk_of(DType::kF32, 1, values(1.f))).error().code,
            ErrorCode::kBadArgument);
}

}  // namespace
}  // namespace rvf::interop
