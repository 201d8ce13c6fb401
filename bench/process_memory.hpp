// What this process holds and has read, from /proc, as members of a JSON object.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace rvf::bench {

// A number that stands after `name` in a file of lines "name: number"; 0 if there is none.
inline uint64_t proc_value(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name + ":"))
      return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  }
  return 0;
}

// Bytes that this process had the block device read.
inline uint64_t bytes_read() { return proc_value("/proc/self/io", "read_bytes"); }

// rss is all that is resident, rss_file the part of it that are pages of files, peak the most so far.
inline std::string memory_json(const std::string& prefix = "") {
  const auto kib = [](const char* name) { return proc_value("/proc/self/status", name) * 1024; };
  return fmt::format(
      "\"{0}rss\": {1}, \"{0}rss_anon\": {2}, \"{0}rss_file\": {3}, \"{0}peak\": {4}", prefix,
      kib("VmRSS"), kib("RssAnon"), kib("RssFile"), kib("VmHWM"));
}

}  // namespace rvf::bench
