// Stores that earlier versions wrote say what they said then.
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "golden/golden_stores.hpp"

namespace rvf::testing {
namespace {

std::vector<std::byte> unpacked(const std::filesystem::path& path) {
  std::vector<std::byte> out;
  gzFile in = gzopen(path.c_str(), "rb");
  std::byte chunk[65536];
  for (int n = 0; in != nullptr && (n = gzread(in, chunk, sizeof(chunk))) > 0;) {
    out.insert(out.end(), chunk, chunk + n);
  }
  if (in != nullptr) gzclose(in);
  return out;
}

TEST(GoldenStores, EveryStoreOfEverySetSaysWhatItSaidWhenItWasWritten) {
  size_t stores = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(RVF_SOURCE_DIR "/tests/golden/stores")) {
    if (entry.path().extension() != ".gz") continue;
    std::string base = entry.path().string();
    base.resize(base.size() - std::string(".rvf.gz").size());
    std::ifstream in(base + ".json");
    const std::string expected((std::istreambuf_iterator<char>(in)), {});
    ASSERT_FALSE(expected.empty()) << base;
    const auto store = Store::from_bytes(unpacked(entry.path()));
    ASSERT_TRUE(store.ok()) << base << ": " << (store.ok() ? "" : store.error().message);
    EXPECT_EQ(golden_text(*store), expected) << base;
    const auto report = store->verify({.deep = true});
    ASSERT_TRUE(report.ok()) << base;
    EXPECT_TRUE(report->problems.empty()) << base << ": " << report->problems.front().message;
    ++stores;
  }
  EXPECT_GE(stores, 9U);
}

}  // namespace
}  // namespace rvf::testing
