#include "io/errno_error.hpp"

#include <cerrno>
#include <system_error>

namespace rvf::io {

Error errno_error(int error_number, const std::string& action, const std::string& path) {
  ErrorCode code = ErrorCode::kIo;
  std::string hint;
  switch (error_number) {
    case ENOENT: code = ErrorCode::kNoSuchFile; break;
    case EACCES:
    case EPERM:
      code = ErrorCode::kPermission;
      hint = "; check the owner and mode of the file and its folder";
      break;
    case EROFS:
      code = ErrorCode::kReadOnly;
      hint = "; the disk is mounted read-only";
      break;
    case ENOSPC:
    case EDQUOT:
      code = ErrorCode::kDiskFull;
      hint = "; free some space, what was committed before is intact";
      break;
    case EFBIG: code = ErrorCode::kTooLarge; break;
    case EEXIST: code = ErrorCode::kAlreadyExists; break;
    case EISDIR:
    case ENOTDIR: code = ErrorCode::kNotAStore; break;
    case ENOMEM: code = ErrorCode::kOutOfMemory; break;
    default: break;
  }
  return {code, "cannot " + action + " " + path + ": " +
                    std::generic_category().message(error_number) + hint};
}

}  // namespace rvf::io
