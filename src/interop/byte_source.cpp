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
constexpr int kGzip = 15 + 16;  // window bits of zlib
constexpr int kRawDeflate = -15;

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

struct ByteSource::Member {
  MemberPlace place;
  uint64_t left = 0;  // packed bytes not yet read
  uint64_t seen = 0;  // bytes of the content
  uLong crc = 0;
};

ByteSource::ByteSource() = default;

ByteSource::~ByteSource() {
  if (fd_ >= 0) ::close(fd_);
}

Error ByteSource::error(ErrorCode code, const std::string& what) const {
  return Error(code, fmt::format("{}: {}", path_, what));
}

uint64_t ByteSource::size_bound() const noexcept {
  const uint64_t stored = member_ ? member_->place.packed : file_size_.value_or(UINT64_MAX);
  if (!inflater_ || stored > UINT64_MAX / kMaxDeflateRatio) return stored;
  return stored * kMaxDeflateRatio;
}

Status ByteSource::open_descriptor(const std::string& path) {
  const bool standard_input = path == "-";
  path_ = standard_input ? "standard input" : path;
  fd_ = standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                       : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat st{};
  if (fd_ < 0 || ::fstat(fd_, &st) != 0) {
    const int e = errno;
    return error(code_of_errno(e), text_of_errno(e));
  }
  if (S_ISDIR(st.st_mode)) return error(ErrorCode::kBadArgument, "is a directory, not a file");
  if (S_ISREG(st.st_mode)) {
    const off_t at = standard_input ? ::lseek(fd_, 0, SEEK_CUR) : 0;
    file_size_ = static_cast<uint64_t>(std::max<off_t>(0, st.st_size - std::max<off_t>(0, at)));
    rereadable_ = !standard_input;
  } else if (!standard_input && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) &&
             ::isatty(fd_) == 0) {
    return error(ErrorCode::kBadArgument, "is neither a file nor a pipe");
  }
  return {};
}

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::string& path) {
  std::unique_ptr<ByteSource> s(new ByteSource);
  RVF_TRY(s->open_descriptor(path));
  s->size_ = s->file_size_;
  RVF_TRY(s->take_off_gzip());
  return s;
}

Result<std::unique_ptr<ByteSource>> ByteSource::open_member(const std::string& path,
                                                            const std::string& shown,
                                                            const MemberPlace& place) {
  std::unique_ptr<ByteSource> s(new ByteSource);
  RVF_TRY(s->open_descriptor(path));
  s->path_ = shown;
  s->rereadable_ = false;
  s->member_ = std::make_unique<Member>(Member{place, place.packed, 0, ::crc32(0, nullptr, 0)});
  if (::lseek(s->fd_, static_cast<off_t>(place.offset), SEEK_SET) < 0) {
    return s->error(ErrorCode::kIo, text_of_errno(errno));
  }
  if (place.deflated) {
    RVF_TRY(s->inflate_with(kRawDeflate));
  } else {
    s->size_ = place.packed;
  }
  return s;
}

Status ByteSource::take_off_gzip() {
  RVF_ASSIGN(const wire::ByteSpan head, peek(2));
  if (head.size() < 2 || head[0] != std::byte{0x1F} || head[1] != std::byte{0x8B}) return {};
  RVF_TRY(inflate_with(kGzip));
  inflater_->input.swap(buffer_);
  inflater_->end = inflater_->input.size();
  inflater_->input.resize(std::max(kBlock, inflater_->end));
  buffer_.clear();
  at_end_ = false;
  size_.reset();
  return {};
}

Status ByteSource::inflate_with(int window_bits) {
  inflater_ = std::make_unique<Inflater>();
  inflater_->input.resize(kBlock);
  if (inflateInit2(&inflater_->stream, window_bits) != Z_OK) {
    return error(ErrorCode::kOutOfMemory, "no memory to decompress it");
  }
  return {};
}

Result<size_t> ByteSource::read_raw(void* out, size_t n) {
  if (member_) n = static_cast<size_t>(std::min<uint64_t>(n, member_->left));
  for (;;) {
    const ssize_t got = n == 0 ? 0 : ::read(fd_, out, n);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error(code_of_errno(errno), text_of_errno(errno));
    if (member_) {
      if (got == 0 && n > 0) return error(ErrorCode::kTruncated, "the archive is cut off");
      member_->left -= static_cast<uint64_t>(got);
      if (!inflater_) RVF_TRY(check_member(out, static_cast<size_t>(got), got == 0));
    }
    return static_cast<size_t>(got);
  }
}

Status ByteSource::check_member(const void* content, size_t n, bool ended) {
  Member& m = *member_;
  m.seen += n;
  if (n > 0) m.crc = ::crc32_z(m.crc, static_cast<const Bytef*>(content), n);
  const bool right = m.seen == m.place.size && m.crc == m.place.crc;
  if (m.seen > m.place.size || (ended && !right)) {
    return error(ErrorCode::kCorrupt, "its size or checksum is not what the archive says");
  }
  return {};
}

Status ByteSource::fill() {
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  if (inflater_) return fill_inflated(kBlock);
  // No more than a small file has, and one byte to find its end.
  const auto room = static_cast<size_t>(std::min<uint64_t>(kBlock - 1, size_.value_or(kBlock)) + 1);
  const size_t had = buffer_.size();
  buffer_.resize(had + room);
  auto got = read_raw(buffer_.data() + had, room);
  buffer_.resize(had + (got ? *got : 0));
  if (!got) return got.error();
  if (*got == 0) at_end_ = true;
  return {};
}

Status ByteSource::end_of_stream() {
  if (!member_) return {};
  at_end_ = true;
  return check_member(nullptr, 0, true);
}

Status ByteSource::fill_inflated(size_t room) {
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
      if (member_) return give(end_of_stream());
      while (z.begin < z.end && z.input[z.begin] == std::byte{0}) ++z.begin;
      if (z.begin == z.end) {
        if (!z.input_ended) continue;
        at_end_ = true;
        return give({});
      }
      inflateReset(&z.stream);
      z.in_member = true;
    }
    if (z.begin == z.end) {
      return give(error(ErrorCode::kTruncated, "the compressed data ends too early"));
    }
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
      return give(error(ErrorCode::kCorrupt, fmt::format("damaged compressed data after {} bytes",
                                                         consumed_ + had + made)));
    }
  }
  if (member_) return give(check_member(buffer_.data() + had, made, false));
  return give({});
}

Result<wire::ByteSpan> ByteSource::peek(size_t n) {
  while (buffer_.size() - begin_ < n && !at_end_) RVF_TRY(fill());
  return wire::ByteSpan(buffer_.data() + begin_, std::min(n, buffer_.size() - begin_));
}

Result<wire::ByteSpan> ByteSource::at_hand() {
  RVF_TRY(peek(1));
  return wire::ByteSpan(buffer_.data() + begin_, buffer_.size() - begin_);
}

void ByteSource::skip(size_t n) noexcept {
  begin_ += n;
  consumed_ += n;
}

Result<size_t> ByteSource::read_at(uint64_t offset, void* out, size_t n) const {
  size_t done = 0;
  while (done < n) {
    const ssize_t got = ::pread(fd_, static_cast<std::byte*>(out) + done, n - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error(code_of_errno(errno), text_of_errno(errno));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
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
    skip(take);
    done += take;
  }
  return done;
}

Result<bool> ByteSource::line(std::string& out, size_t limit, LineEnd* ended) {
  out.clear();
  LineEnd found = LineEnd::kNone;
  while (found == LineEnd::kNone) {
    RVF_ASSIGN(const wire::ByteSpan rest, at_hand());
    if (rest.empty()) break;
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    size_t end = std::min(text.find('\n'), text.size());
    if (end < text.size()) found = LineEnd::kFeed;
    if (const size_t back = text.substr(0, end).find('\r'); back != std::string_view::npos) {
      found = LineEnd::kReturn;
      end = back;
    }
    if (out.size() + end > limit) {
      return error(ErrorCode::kTooLarge, fmt::format("a line is longer than {} bytes", limit));
    }
    out.append(text.substr(0, end));
    skip(end + (found == LineEnd::kNone ? 0 : 1));
  }
  if (found == LineEnd::kReturn) {
    RVF_ASSIGN(const wire::ByteSpan next, peek(1));
    if (!next.empty() && next[0] == std::byte{'\n'}) {
      skip(1);
      found = LineEnd::kBoth;
    }
  }
  if (ended != nullptr) *ended = found;
  return found != LineEnd::kNone || !out.empty();
}

}  // namespace rvf::interop
