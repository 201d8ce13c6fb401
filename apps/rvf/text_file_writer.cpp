#include "text_file_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rvf::cli {

Error TextFileWriter::error(const char* doing) const {
  const ErrorCode code = errno == ENOSPC   ? ErrorCode::kDiskFull
                         : errno == EACCES ? ErrorCode::kPermission
                         : errno == ENOENT ? ErrorCode::kNoSuchFile
                                           : ErrorCode::kIo;
  return Error(code, path_ + ": " + doing + ": " + std::generic_category().message(errno));
}

Result<std::unique_ptr<TextFileWriter>> TextFileWriter::create(const std::string& path) {
  std::unique_ptr<TextFileWriter> w(new TextFileWriter);
  w->path_ = path;
  w->temporary_ = path + ".tmp" + std::to_string(::getpid());
  const int fd = ::open(w->temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return w->error("cannot create");
  w->file_ = ::fdopen(fd, "w");
  if (w->file_ == nullptr) {
    ::close(fd);
    return w->error("cannot create");
  }
  return w;
}

TextFileWriter::~TextFileWriter() {
  if (file_ == nullptr) return;
  (void)std::fclose(file_);
  ::unlink(temporary_.c_str());
}

Status TextFileWriter::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) return error("cannot write");
  return {};
}

Status TextFileWriter::finish() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) return error("cannot write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return error("cannot rename");
  (void)std::fclose(file_);
  file_ = nullptr;
  return {};
}

}  // namespace rvf::cli
