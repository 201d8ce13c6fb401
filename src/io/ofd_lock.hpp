// Locks that belong to an open file description: unlike those of F_SETLK they exclude two handles
// of one process as well, and closing another handle of the same file does not drop them. A forked
// child shares them, so whoever holds one remembers its process.
#pragma once
#include <fcntl.h>

#include <cerrno>

namespace rvf::io {

// `type` is F_WRLCK or F_UNLCK, of the whole file. False, with errno, if it cannot be had at once.
inline bool set_ofd_lock(int fd, short type) noexcept {
  struct flock whole{};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return ::fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

inline bool is_held_by_another(int error_number) noexcept {
  return error_number == EAGAIN || error_number == EACCES;
}

}  // namespace rvf::io
