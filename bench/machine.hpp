// Names the CPU that a benchmark ran on.
#pragma once
#include <fstream>
#include <string>

namespace rvf::bench {

inline std::string machine_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace rvf::bench
