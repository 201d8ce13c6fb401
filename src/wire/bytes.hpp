// The one way integers leave or enter raw bytes. Little-endian whatever the machine.
// ByteReader is sticky: after the first read past the end every further read yields zero and ok()
// is false, so a decoder reads a whole structure and checks once. It never reads out of bounds.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace rvf::wire {

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little, "big-endian hosts need byte swaps here");

class ByteReader {
 public:
  explicit ByteReader(ByteSpan data) noexcept : data_(data) {}

  bool ok() const noexcept { return ok_; }
  size_t position() const noexcept { return pos_; }
  size_t remaining() const noexcept { return ok_ ? data_.size() - pos_ : 0; }
  void fail() noexcept { ok_ = false; }

  template <class T>
  T number() noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    T v{};
    if (remaining() < sizeof(T)) {
      ok_ = false;
      return v;
    }
    std::memcpy(&v, data_.data() + pos_, sizeof(T));
    pos_ += sizeof(T);
    return v;
  }
  uint8_t u8() noexcept { return number<uint8_t>(); }
  uint16_t u16() noexcept { return number<uint16_t>(); }
  uint32_t u32() noexcept { return number<uint32_t>(); }
  uint64_t u64() noexcept { return number<uint64_t>(); }
  int64_t i64() noexcept { return number<int64_t>(); }
  float f32() noexcept { return number<float>(); }
  double f64() noexcept { return number<double>(); }

  // LEB128; more than 10 bytes or bits beyond 64 fail. Non-minimal encodings are accepted.
  uint64_t varint() noexcept;
  // Signed LEB128, two's complement, with the same limits.
  int64_t svarint() noexcept;

  ByteSpan bytes(uint64_t n) noexcept {
    if (n > remaining()) {
      ok_ = false;
      return {};
    }
    ByteSpan s = data_.subspan(pos_, static_cast<size_t>(n));
    pos_ += static_cast<size_t>(n);
    return s;
  }
  std::string_view text(uint64_t n) noexcept {
    ByteSpan s = bytes(n);
    return {reinterpret_cast<const char*>(s.data()), s.size()};
  }
  void skip(uint64_t n) noexcept { (void)bytes(n); }
  // Moves forward to the next multiple of `alignment` counted from the start of the data; stops at
  // the end.
  void align(size_t alignment) noexcept {
    const size_t at = (pos_ + alignment - 1) / alignment * alignment;
    skip(at < data_.size() ? at - pos_ : remaining());
  }

 private:
  ByteSpan data_;
  size_t pos_ = 0;
  bool ok_ = true;
};

class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) noexcept : out_(out) {}

  size_t size() const noexcept { return out_.size(); }
  template <class T>
  void number(T v) {
    static_assert(std::is_trivially_copyable_v<T>);
    raw(&v, sizeof(T));
  }
  void u8(uint8_t v) { number(v); }
  void u16(uint16_t v) { number(v); }
  void u32(uint32_t v) { number(v); }
  void u64(uint64_t v) { number(v); }
  void i64(int64_t v) { number(v); }
  void f32(float v) { number(v); }
  void f64(double v) { number(v); }
  void varint(uint64_t v);
  void svarint(int64_t v);
  void bytes(ByteSpan s) { raw(s.data(), s.size()); }
  void text(std::string_view s) { raw(s.data(), s.size()); }
  void zeros(size_t n) { out_.resize(out_.size() + n); }
  void align(size_t alignment) { zeros((alignment - out_.size() % alignment) % alignment); }
  // Overwrites what was written before, for lengths known only later. `at + sizeof(T)` must be
  // written.
  template <class T>
  void patch(size_t at, T v) {
    std::memcpy(out_.data() + at, &v, sizeof(T));
  }
  void raw(const void* p, size_t n) {
    if (n == 0) return;
    const size_t at = out_.size();
    out_.resize(at + n);
    std::memcpy(out_.data() + at, p, n);
  }

 private:
  Bytes& out_;
};

inline ByteSpan as_bytes(std::string_view s) noexcept {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}

}  // namespace rvf::wire
