// The files that other programs wrote, and what is known about them.
#pragma once
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "rvf/store.hpp"
#include "support/stored_id.hpp"
#include "wire/bytes.hpp"
#include "wire/sha256.hpp"

namespace rvf::interop_test {

namespace fs = std::filesystem;

inline fs::path data_folder() { return fs::path(RVF_SHARED_DATA) / "interop"; }
inline fs::path reference(const std::string& name) { return data_folder() / "reference" / name; }

inline wire::Bytes read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = wire::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

inline void write_file(const fs::path& path, wire::ByteSpan bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

// Name -> path, of all files below samples and reference.
inline std::map<std::string, fs::path> all_files() {
  std::map<std::string, fs::path> files;
  for (const char* part : {"samples", "reference"}) {
    if (!fs::exists(data_folder() / part)) continue;
    for (const auto& e : fs::recursive_directory_iterator(data_folder() / part)) {
      const std::string name = e.path().filename().string();
      if (name.find(".rv") != std::string::npos && name.find(".json") == std::string::npos) {
        files[name] = e.path();
      }
    }
  }
  return files;
}

// SHA-256 over (u64 id, f32 vector) of these ids, which ascend.
inline std::string digest_of(const Snapshot& snapshot, const std::vector<uint64_t>& ids) {
  wire::Sha256 h;
  for (const uint64_t id : ids) {
    const auto v = snapshot.get(id);
    if (!v) return "id " + std::to_string(id) + ": " + v.error().message;
    const uint64_t stored = testing::stored_id(snapshot, id);
    h.update(std::as_bytes(std::span(&stored, 1)));
    h.update(std::as_bytes(std::span(*v)));
  }
  std::string hex;
  for (const uint8_t b : h.finish()) {
    hex += "0123456789abcdef"[b >> 4];
    hex += "0123456789abcdef"[b & 15];
  }
  return hex;
}

class Interop : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_folder() / "reference")) GTEST_SKIP() << "skipped: no data";
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              (std::string("rvf-interop-") + info->name() + "-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  simdjson::dom::element load(const fs::path& path) {
    simdjson::dom::element root;
    EXPECT_EQ(parser_.load(path.string()).get(root), simdjson::SUCCESS) << path;
    return root;
  }

  fs::path folder_;
  simdjson::dom::parser parser_;
};

}  // namespace rvf::interop_test
