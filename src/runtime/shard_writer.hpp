// A second file of a store, "<store>.cold.<n>", for segments that are seldom read: segments one
// after another, named by SHARD_REFS of the store's manifest. Written once, whole, before a
// manifest names it.
#pragma once
#include <memory>
#include <string>

#include "io/file.hpp"
#include "rvf/result.hpp"
#include "wire/level1_codec.hpp"
#include "wire/segment.hpp"

namespace rvf::runtime {

class ShardWriter {
 public:
  // Takes the first number whose file does not exist.
  static Result<std::unique_ptr<ShardWriter>> create(io::FileSystem& fs,
                                                     const std::string& store_path,
                                                     const std::array<uint8_t, 16>& file_id);

  // `header` is complete; the entry names shard 1.
  Result<wire::DirEntry> append(const SegmentHeader& header, wire::ByteSpan payload);
  Status sync() { return file_->sync(); }
  const wire::ShardRef& ref() const noexcept { return ref_; }
  const std::string& path() const noexcept { return path_; }

 private:
  std::unique_ptr<io::File> file_;
  std::string path_;
  wire::ShardRef ref_;
};

std::string shard_path(const std::string& store_path, const std::string& shard_name);
// Removes every shard file of the store but the one named `keep` (empty: all). For after a
// compaction.
void remove_other_shards(io::FileSystem& fs, const std::string& store_path,
                         const std::string& keep);

}  // namespace rvf::runtime
