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
// that manifests vouch for. Where the file loses bytes that were there and that is to be survived,
// zeros are read and intact() says so from then on (io/lost_pages.hpp).
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
  // The exclusive right to write this file, whatever names it has: kLockHeld if another File that is
  // open has it, here or in another process. It goes with unlock(), with the File and with the
  // process; a forked child does not have it. The file must be open for writing.
  virtual Status lock() = 0;
  virtual void unlock() noexcept = 0;
  // Whether another File has that right; may be asked of one that is open for reading.
  virtual Result<bool> is_locked() const = 0;
  // Fails as a full disk would, before anything is half written; a hint where the system has no
  // such call.
  virtual Status reserve(uint64_t /*offset*/, uint64_t /*length*/) { return {}; }

  Status write(uint64_t offset, std::span<const std::byte> data) {
    const std::span<const std::byte> one[] = {data};
    return write(offset, std::span<const std::span<const std::byte>>(one));
  }
};

// Exclusive right to a store's name. Released by the destructor, and by the system when the holder
// dies.
class WriterLock {
 public:
  virtual ~WriterLock() = default;
  // kLockHeld in a process that was forked from the one that has the right.
  virtual Status is_ours() const { return {}; }
};

enum class OpenMode {
  kRead,
  kReadWrite,  // follows no symbolic link in the last place
  kCreateNew,  // the same; fails where anything has the name
  kCreatePrivate,  // the same, for nobody else to open: what copy_attributes() will be called for
};

// The directory operations that a store needs; a test supplies its own.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;  // anything has the name, also a link
  // The name that a store goes by: absolute, without symbolic links, `.` and `..`. The last part
  // need not exist, also where a link leads there. kNotAStore for a name that only a folder can
  // have.
  virtual Result<std::string> resolve(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  // kAlreadyExists where anything has the name `to`.
  virtual Status rename_new(const std::string& from, const std::string& to) = 0;
  // Names that the file has in folders.
  virtual Result<uint64_t> link_count(const std::string& path) = 0;
  // Mode, owner as far as it is permitted, access list and extended attributes. Both are files.
  virtual Status copy_attributes(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;  // ok when absent
  virtual Status sync_parent(const std::string& path) = 0;  // makes creations and renames durable
  virtual Result<File::Identity> identity(const std::string& path) = 0;
  // kLockHeld with who holds it (pid, host, since when) if another writer, also in this process,
  // has it.
  virtual Result<std::unique_ptr<WriterLock>> lock(const std::string& store_path) = 0;
};

// Files of the operating system. Stateless; may be shared by all threads. Lost pages: see
// io/lost_pages.hpp; where they are not survived, SIGBUS ends the process.
std::shared_ptr<FileSystem> posix_file_system(bool survive_lost_pages = false);

// Files that live in this object. Thread-safe directory, same rules for the files as above.
std::shared_ptr<FileSystem> memory_file_system();

// One file in memory, starting with `content`.
std::unique_ptr<File> memory_file(std::vector<std::byte> content);

}  // namespace rvf::io
