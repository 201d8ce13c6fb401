// Helpers of the tests of this folder: small files in a folder of their own, made and removed.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace rvf::interop {

class TestFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("rvf-interop-" + std::to_string(::getpid()) + "-" + info->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  std::string gzip(const std::string& name, const std::string& content) const {
    gzFile f = gzopen(path(name).c_str(), "wb");
    gzwrite(f, content.data(), static_cast<unsigned>(content.size()));
    gzclose(f);
    return path(name);
  }

  template <class T>
  static std::string raw(T v) {
    return std::string(reinterpret_cast<const char*>(&v), sizeof v);
  }
  static std::string u32(uint32_t v) { return raw(v); }
  template <class T, class... More>
  static std::string values(T first, More... more) {
    std::string out = raw(first);
    ((out += raw(static_cast<T>(more))), ...);
    return out;
  }
  static std::string npy(const std::string& dict, const std::string& data) {
    std::string text = dict + "\n";
    const auto n = static_cast<uint16_t>(text.size());
    return std::string("\x93NUMPY\x01\0", 8) + raw(n) + text + data;
  }
  static std::string npy(const char* descr, const char* shape, const std::string& data) {
    return npy(
        std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': " + shape + ", }",
        data);
  }

  std::filesystem::path folder_;
};

}  // namespace rvf::interop
