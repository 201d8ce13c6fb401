// Runs files through fuzz targets without a fuzzer: replay <folder>..., where
// <folder>/<target>/<any name> is an input of that target. Ends with 1 if there was nothing to run.
// A target that finds something aborts, or the sanitizer does; the last line names the file.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#define RVF_FUZZ_NAME "none"
#include "fuzz.hpp"

namespace {

std::map<std::string, void (*)(rvf::wire::ByteSpan)>& targets() {
  static std::map<std::string, void (*)(rvf::wire::ByteSpan)> all;
  return all;
}

}  // namespace

namespace rvf::fuzz {
Target::Target(const char* name, void (*run)(wire::ByteSpan)) { targets()[name] = run; }
}  // namespace rvf::fuzz

int main(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  unsigned long long runs = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::exists(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      const std::string target = entry.path().parent_path().filename();
      if (!entry.is_regular_file() || !targets().contains(target)) continue;
      std::printf("%s %s\n", target.c_str(), entry.path().filename().c_str());
      std::fflush(stdout);
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string content((std::istreambuf_iterator<char>(in)), {});
      targets()[target](std::as_bytes(std::span(content)));
      ++runs;
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf(
      "RELIABILITY {\"figure\": \"kept fuzz inputs\", \"runs\": %llu, \"failures\": 0, \"seed\": "
      "0, "
      "\"seconds\": %.1f, \"detail\": \"findings and seeds of %zu targets\"}\n",
      runs, seconds.count(), targets().size());
  return runs > 0 ? 0 : 1;
}
