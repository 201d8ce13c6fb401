// The right to write one store: its name by the lock beside it, its file by a lock on the file
// itself, and that the one still names the other.
// Thread-safe.
#pragma once
#include <memory>
#include <string>

#include "io/file.hpp"
#include "rvf/store.hpp"

namespace rvf::runtime {

struct Locked {
  std::unique_ptr<io::WriterLock> lock;
  std::shared_ptr<io::File> file;
};

// Opens the file that `path`, a resolved one, names and locks both. Waits as the options say.
Result<Locked> open_locked(io::FileSystem& fs, const std::string& path, const OpenOptions& options);
// The lock on a name that has no file yet.
Result<std::unique_ptr<io::WriterLock>> lock_name(io::FileSystem& fs, const std::string& path,
                                                  const OpenOptions& options);

// A new file of this name, or where anything has it already, of this name with a number behind it:
// what is somebody else's stays as it is.
struct Beside {
  std::string path;
  std::unique_ptr<io::File> file;
};
Result<Beside> create_beside(io::FileSystem& fs, const std::string& path, io::OpenMode mode);
// The first of these names that nothing has.
Result<std::string> free_name(io::FileSystem& fs, const std::string& path);
std::string numbered_name(const std::string& path, unsigned number);  // 0: as it is

// kPathLost where `path` does not name `file` any more.
Status check_named(io::FileSystem& fs, const std::string& path, const io::File& file);

}  // namespace rvf::runtime
