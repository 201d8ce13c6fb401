// Makes manifest logs in a memory file, and counts what is read of a file.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "manifest/tail_scan.hpp"
#include "wire/segment.hpp"

namespace rvf::manifest {

// Passes everything on and remembers the reads.
class CountingFile final : public io::File {
 public:
  explicit CountingFile(const io::File& file) : file_(file) {}
  Result<uint64_t> size() const override { return file_.size(); }
  Status read(uint64_t offset, std::span<std::byte> out) const override {
    reads.push_back({offset, out.size()});
    bytes += out.size();
    return file_.read(offset, out);
  }
  Status write(uint64_t, std::span<const std::span<const std::byte>>) override {
    return Error(ErrorCode::kReadOnly, "counted only");
  }
  Status sync() override { return {}; }
  Status truncate(uint64_t) override { return Error(ErrorCode::kReadOnly, "counted only"); }
  Result<std::shared_ptr<const io::Mapping>> map(uint64_t n) const override { return file_.map(n); }
  Result<Identity> identity() const override { return file_.identity(); }
  Status lock() override { return Error(ErrorCode::kReadOnly, "counted only"); }
  void unlock() noexcept override {}
  Result<bool> is_locked() const override { return file_.is_locked(); }

  mutable std::vector<std::pair<uint64_t, uint64_t>> reads;
  mutable uint64_t bytes = 0;

 private:
  const io::File& file_;
};

// A store's file as far as its manifests go: VEC segments have a directory entry and a row, but no
// bytes.
class LogMaker {
 public:
  uint64_t size() const { return *file->size(); }

  Result<ManifestLog::Prepared> prepare(Change change, bool full = false) {
    ManifestLog::Commit c;
    c.head = log.head();
    c.head.profile.dimension = 4;
    c.root = log.root();
    c.root.dimension = 4;
    c.root.identity.file_id = file_id;
    c.root.epoch = next_epoch;
    c.root.modified_ns = 1000 + next_epoch;
    if (!c.root.extension) c.root.extension.emplace();
    for (const wire::RowMapEntry& r : change.rows) c.root.extension->rows += r.rows;
    c.root.extension->dead_rows += change.dead.size();
    c.root.total_vectors = c.root.extension->rows - c.root.extension->dead_rows;
    c.change = std::move(change);
    c.full = full;
    c.offset = size();
    c.segment_id = next_segment++;
    return log.prepare(std::move(c));
  }

  // One VEC segment of one row, at times with the death of an earlier row. Returns the manifest's
  // size.
  uint64_t commit(bool full = false) {
    Change change;
    wire::DirEntry e;
    e.segment_id = next_segment++;
    e.type = SegmentType::kVec;
    e.payload_length = 100;
    e.offset = 64;
    change.added.push_back(e);
    const uint64_t row = log.root().extension ? log.root().extension->rows : 0;
    change.rows.push_back({e.segment_id, row, 1, row, row});
    if (row > 10 && row % 3 == 0) change.dead.push_back(row - 5);
    auto p = prepare(std::move(change), full);
    EXPECT_TRUE(p.ok());
    const uint64_t bytes = p->segment.size();
    EXPECT_TRUE(file->write(size(), p->segment).ok());
    log.adopt(std::move(*p));
    ++next_epoch;
    return bytes;
  }

  std::unique_ptr<io::File> file = io::memory_file({});
  ManifestLog log;
  std::array<uint8_t, 16> file_id{1, 2, 3};
  uint32_t next_epoch = 1;
  uint64_t next_segment = 1;
};

}  // namespace rvf::manifest
