#include "interop/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace rvf::interop {
namespace {

constexpr size_t kBlock = 256 << 10;
constexpr uint64_t kMaxDeflateRatio = 1032;  // zlib's documented limit

ErrorCode code_of_errno(int e) noexcept {
  switch (e) {
    case ENOENT:
    case ENOTDIR: return ErrorCode::kNoSuchFile;
    case EACCES:
    case EPERM: return ErrorCode::kPermission;
    case ENOMEM: return ErrorCode::kOutOfMemory;
    default: return ErrorCode::kIo;
  }
}

std::string text_of_errno(int e) { return std::generic_category().message(e); }

}  // namespace

struct ByteSource::Inflater {
  z_stream stream{};
  std::vector<std::byte> input;
  size_t begin = 0;
  size_t end = 0;
  bool in_member = true;
  bool input_ended = false;
  ~Inflater() { inflateEnd(&stream); }
};

ByteSource::~ByteSource() {
  if (fd_ >= 0) ::close(fd_);
}

Error ByteSource::error(ErrorCode code, const std::string& what) const {
  return Error(code, fmt::format("{}: {}", path_, what));
}

uint64_t ByteSource::size_bound() const noexcept {
  return inflater_ ? file_size_ * kMaxDeflateRatio : file_size_;
}

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::string& path) {
  std::unique_ptr<ByteSource> s(new ByteSource);
  s->path_ = path;
  // O_NONBLOCK: opening a FIFO without a writer would hang; it is refused below.
  s->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (s->fd_ < 0) {
    const int e = errno;
    return s->error(code_of_errno(e), text_of_errno(e));
  }
  struct stat st{};
  if (::fstat(s->fd_, &st) != 0) return s->error(ErrorCode::kIo, text_of_errno(errno));
  if (S_ISDIR(st.st_mode)) return s->error(ErrorCode::kBadArgument, "is a directory, not a file");
  if (!S_ISREG(st.st_mode)) return s->error(ErrorCode::kBadArgument, "is not a regular file");
  s->file_size_ = static_cast<uint64_t>(st.st_size);
  unsigned char magic[2] = {0, 0};
  const ssize_t got = ::pread(s->fd_, magic, 2, 0);
  if (got < 0) return s->error(ErrorCode::kIo, text_of_errno(errno));
  if (got == 2 && magic[0] == 0x1F && magic[1] == 0x8B) {
    s->inflater_ = std::make_unique<Inflater>();
    s->inflater_->input.resize(kBlock);
    if (inflateInit2(&s->inflater_->stream, 15 + 16) != Z_OK) {
      return s->error(ErrorCode::kOutOfMemory, "no memory to decompress it");
    }
  } else {
    s->size_ = s->file_size_;
  }
  return s;
}

Result<size_t> ByteSource::read_raw(void* out, size_t n) {
  for (;;) {
    const ssize_t got = ::read(fd_, out, n);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return error(code_of_errno(errno), text_of_errno(errno));
  }
}

Status ByteSource::fill() {
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  if (inflater_) return fill_from_gzip(kBlock);
  // No more than a small file has, and one byte to find its end.
  const auto room = static_cast<size_t>(std::min<uint64_t>(kBlock, file_size_ + 1));
  const size_t had = buffer_.size();
  buffer_.resize(had + room);
  auto got = read_raw(buffer_.data() + had, room);
  buffer_.resize(had + (got ? *got : 0));
  if (!got) return got.error();
  if (*got == 0) at_end_ = true;
  return {};
}

Status ByteSource::fill_from_gzip(size_t room) {
  Inflater& z = *inflater_;
  const size_t had = buffer_.size();
  buffer_.resize(had + room);
  size_t made = 0;
  auto give = [&](Status status) {
    buffer_.resize(had + made);
    return status;
  };
  while (made == 0) {
    if (z.begin == z.end && !z.input_ended) {
      auto got = read_raw(z.input.data(), z.input.size());
      if (!got) return give(got.error());
      z.begin = 0;
      z.end = *got;
      z.input_ended = *got == 0;
    }
    if (!z.in_member) {  // between members: another one, or the end; zero padding is allowed there
      while (z.begin < z.end && z.input[z.begin] == std::byte{0}) ++z.begin;
      if (z.begin == z.end) {
        if (!z.input_ended) continue;
        at_end_ = true;
        return give({});
      }
      inflateReset(&z.stream);
      z.in_member = true;
    }
    if (z.begin == z.end) return give(error(ErrorCode::kTruncated, "the gzip data ends too early"));
    z.stream.next_in = reinterpret_cast<Bytef*>(z.input.data() + z.begin);
    z.stream.avail_in = static_cast<uInt>(z.end - z.begin);
    z.stream.next_out = reinterpret_cast<Bytef*>(buffer_.data() + had);
    z.stream.avail_out = static_cast<uInt>(room);
    const int rc = inflate(&z.stream, Z_NO_FLUSH);
    z.begin = z.end - z.stream.avail_in;
    made = room - z.stream.avail_out;
    if (rc == Z_STREAM_END) {
      z.in_member = false;
    } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
      return give(error(ErrorCode::kCorrupt,
                        fmt::format("damaged gzip data after {} bytes", consumed_ + had + made)));
    }
  }
  return give({});
}

Result<wire::ByteSpan> ByteSource::peek(size_t n) {
  while (buffer_.size() - begin_ < n && !at_end_) RVF_TRY(fill());
  return wire::ByteSpan(buffer_.data() + begin_, std::min(n, buffer_.size() - begin_));
}

Result<size_t> ByteSource::read(void* out, size_t n) {
  size_t done = 0;
  auto* to = static_cast<std::byte*>(out);
  while (done < n) {
    if (begin_ == buffer_.size()) {
      if (at_end_) break;
      if (!inflater_ && n - done >= kBlock) {  // large reads skip the buffer
        auto got = read_raw(to + done, n - done);
        if (!got) return got.error();
        if (*got == 0) at_end_ = true;
        done += *got;
        consumed_ += *got;
        continue;
      }
      RVF_TRY(fill());
      continue;
    }
    const size_t take = std::min(n - done, buffer_.size() - begin_);
    std::memcpy(to + done, buffer_.data() + begin_, take);
    begin_ += take;
    done += take;
    consumed_ += take;
  }
  return done;
}

Result<bool> ByteSource::line(std::string& out, size_t limit) {
  out.clear();
  for (;;) {
    if (begin_ == buffer_.size()) {
      if (at_end_) {
        if (!out.empty() && out.back() == '\r') out.pop_back();
        return !out.empty();
      }
      RVF_TRY(fill());
      continue;
    }
    const std::byte* from = buffer_.data() + begin_;
    const size_t have = buffer_.size() - begin_;
    const auto* end = static_cast<const std::byte*>(std::memchr(from, '\n', have));
    const size_t take = end ? static_cast<size_t>(end - from) : have;
    if (out.size() + take > limit) {
      return error(ErrorCode::kTooLarge, fmt::format("a line is longer than {} bytes", limit));
    }
    out.append(reinterpret_cast<const char*>(from), take);
    begin_ += take + (end ? 1 : 0);
    consumed_ += take + (end ? 1 : 0);
    if (end) {
      if (!out.empty() && out.back() == '\r') out.pop_back();
      return true;
    }
  }
}

}  // namespace rvf::interop
