// A text file that appears whole or not at all: written beside its name, synced, renamed.
#pragma once
#include <cstdio>
#include <memory>
#include <string>

#include "rvf/result.hpp"

namespace rvf::cli {

class TextFileWriter {
 public:
  static Result<std::unique_ptr<TextFileWriter>> create(const std::string& path);
  ~TextFileWriter();  // without finish(): nothing is left behind
  TextFileWriter(const TextFileWriter&) = delete;
  TextFileWriter& operator=(const TextFileWriter&) = delete;
  Status write(const std::string& text);
  Status finish();

 private:
  TextFileWriter() = default;
  Error error(const char* doing) const;

  std::string path_, temporary_;
  std::FILE* file_ = nullptr;
};

}  // namespace rvf::cli
