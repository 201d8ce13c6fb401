// All bytes that the library reads or writes go through these two interfaces: that one seam makes
// faults, traces, memory stores, browser storage and HTTP ranges possible.
// Thread-safety: File's const functions may be called from many threads; the others by one at a
// time.
// Errors: kIo, kDiskFull, kSyncFailed, kTruncated (a read past the end), kPermission, kNoSuchFile,
// kNotAStore.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rvf/result.hpp"

namespace rvf::io {

// A read-only view of part of a file that stays valid while it is held, whatever happens to the
// File object. Bytes beyond the file's end at the time of mapping may become readable when the file
// grows; touching a byte that is not in the file is undefined, so a holder keeps to the lengths
// that manifests vouch for. Where the file loses bytes that were there, zeros are read and intact()
// says so from then on (io/lost_pages.hpp).
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual std::span<const std::byte> bytes() const noexcept = 0;
  // kTruncated, naming the file, if something that was read from bytes() was not the file's.
  virtual Status intact() const { return {}; }
  // Hints, never needed for correctness.
  virtual void will_need(uint64_t /*offset*/, uint64_t /*length*/) const noexcept {}
  virtual void expect_random() const noexcept {}
};

class File {
 public:
  virtual ~File() = default;

  virtual Result<uint64_t> size() const = 0;
  // Fills all of `out` or fails.
  virtual Status read(uint64_t offset, std::span<std::byte> out) const = 0;
  // Writes all parts one after another from `offset`, or fails with an unknown part of them
  // written.
  virtual Status write(uint64_t offset, std::span<const std::span<const std::byte>> parts) = 0;
  // Everything written before is on stable storage when this returns ok. After a failure nobody can
  // know what is: the caller must treat the file as unwritable until it is opened again.
  virtual Status sync() = 0;
  virtual Status truncate(uint64_t size) = 0;
  // Maps [0, length); length may exceed the file, see Mapping.
  virtual Result<std::shared_ptr<const Mapping>> map(uint64_t length) const = 0;
  // Two Files with equal identity are the same file, also after one path was renamed over another.
  struct Identity {
    uint64_t device = 0;
    uint64_t inode = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  virtual Result<Identity> identity() const = 0;
  // Fails as a full disk would, before anything is half written; a hint where the system has no
  // such call.
  virtual Status reserve(uint64_t /*offset*/, uint64_t /*length*/) { return {}; }

  Status write(uint64_t offset, std::span<const std::byte> data) {
    const std::span<const std::byte> one[] = {data};
    return write(offset, std::span<const std::span<const std::byte>>(one));
  }
};

// Exclusive right to write one store. Released by the destructor, and by the system when the holder
// dies.
class WriterLock {
 public:
  virtual ~WriterLock() = default;
};

enum class OpenMode { kRead, kReadWrite, kCreateNew };

// The directory operations that a store needs; a test supplies its own.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status remove(const std::string& path) = 0;  // ok when absent
  virtual Status sync_parent(const std::string& path) = 0;  // makes creations and renames durable
  virtual Result<File::Identity> identity(const std::string& path) = 0;
  // kLockHeld with who holds it (pid, host, since when) if another writer, also in this process,
  // has it.
  virtual Result<std::unique_ptr<WriterLock>> lock(const std::string& store_path) = 0;
};

// Files of the operating system. Stateless; may be shared by all threads.
std::shared_ptr<FileSystem> posix_file_system();

// Files that live in this object. Thread-safe directory, same rules for the files as above.
std::shared_ptr<FileSystem> memory_file_system();

// One file in memory, starting with `content`.
std::unique_ptr<File> memory_file(std::vector<std::byte> content);

}  // namespace rvf::io
