// CRC32C and CRC-32. The hardware path runs three independent streams, because the CRC instruction
// has a latency of three cycles but starts one a cycle; the streams are joined by multiplying with
// x^(8n) modulo the polynomial, from tables built at compile time (after Mark Adler, crc32c.c).
#include <array>
#include <cstring>

#include "wire/checksum.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define RVF_CRC_HARDWARE __attribute__((target("sse4.2")))
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define RVF_CRC_HARDWARE __attribute__((target("+crc")))
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define RVF_CRC_HARDWARE
#endif

namespace rvf::wire {
namespace {

constexpr uint32_t kCastagnoli = 0x82F63B78;  // reflected
constexpr uint32_t kIeee = 0xEDB88320;

using SliceTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr SliceTables make_slices(uint32_t polynomial) noexcept {
  SliceTables t{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? polynomial ^ (c >> 1) : c >> 1;
    t[0][i] = c;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t s = 1; s < 8; ++s) t[s][i] = t[0][t[s - 1][i] & 0xFF] ^ (t[s - 1][i] >> 8);
  }
  return t;
}

constexpr SliceTables kCastagnoliSlices = make_slices(kCastagnoli);
constexpr SliceTables kIeeeSlices = make_slices(kIeee);

uint32_t slice_by_8(const SliceTables& t, ByteSpan data, uint32_t crc) noexcept {
  const std::byte* p = data.data();
  size_t n = data.size();
  crc = ~crc;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t v = 0;
    std::memcpy(&v, p, 8);
    v ^= crc;
    crc = t[7][v & 0xFF] ^ t[6][(v >> 8) & 0xFF] ^ t[5][(v >> 16) & 0xFF] ^ t[4][(v >> 24) & 0xFF] ^
          t[3][(v >> 32) & 0xFF] ^ t[2][(v >> 40) & 0xFF] ^ t[1][(v >> 48) & 0xFF] ^ t[0][v >> 56];
  }
  for (; n > 0; ++p, --n) crc = t[0][(crc ^ static_cast<uint8_t>(*p)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

#ifdef RVF_CRC_HARDWARE

using Matrix = std::array<uint32_t, 32>;  // over GF(2): column i is the image of bit i
using ShiftTable = std::array<std::array<uint32_t, 256>, 4>;

constexpr uint32_t apply(const Matrix& m, uint32_t v) noexcept {
  uint32_t sum = 0;
  for (size_t i = 0; v != 0; ++i, v >>= 1) {
    if ((v & 1) != 0) sum ^= m[i];
  }
  return sum;
}

// What `bytes` zero bytes (a power of two) do to a raw CRC, one table a byte of it.
constexpr ShiftTable make_shift(size_t bytes) noexcept {
  Matrix m{};
  m[0] = kCastagnoli;
  for (size_t i = 1; i < 32; ++i) m[i] = 1U << (i - 1);
  for (size_t bits = 1; bits < bytes * 8; bits *= 2) {
    Matrix square{};
    for (size_t i = 0; i < 32; ++i) square[i] = apply(m, m[i]);
    m = square;
  }
  ShiftTable t{};
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t b = 0; b < 4; ++b) t[b][i] = apply(m, i << (8 * b));
  }
  return t;
}

constexpr size_t kLong = 4096;
constexpr size_t kShort = 256;
constexpr ShiftTable kLongShift = make_shift(kLong);
constexpr ShiftTable kShortShift = make_shift(kShort);

uint32_t shift(const ShiftTable& t, uint32_t crc) noexcept {
  return t[0][crc & 0xFF] ^ t[1][(crc >> 8) & 0xFF] ^ t[2][(crc >> 16) & 0xFF] ^ t[3][crc >> 24];
}

#if defined(__x86_64__)
RVF_CRC_HARDWARE inline uint64_t step8(uint64_t crc, uint64_t v) noexcept {
  return _mm_crc32_u64(crc, v);
}
RVF_CRC_HARDWARE inline uint32_t step1(uint32_t crc, uint8_t v) noexcept {
  return _mm_crc32_u8(crc, v);
}
// Reads what the compiler's run-time library found at start; CPUID itself is slow in a guest.
bool has_hardware() noexcept { return __builtin_cpu_supports("sse4.2") != 0; }
#else
RVF_CRC_HARDWARE inline uint64_t step8(uint64_t crc, uint64_t v) noexcept {
  return __crc32cd(static_cast<uint32_t>(crc), v);
}
RVF_CRC_HARDWARE inline uint32_t step1(uint32_t crc, uint8_t v) noexcept {
  return __crc32cb(crc, v);
}
#if defined(__linux__) && defined(__aarch64__)
bool has_hardware() noexcept { return (getauxval(AT_HWCAP) & (1UL << 7)) != 0; }
#else
bool has_hardware() noexcept { return true; }
#endif
#endif

inline uint64_t load(const std::byte* p) noexcept {
  uint64_t v = 0;
  std::memcpy(&v, p, 8);
  return v;
}

RVF_CRC_HARDWARE uint64_t three_streams(uint64_t crc, const std::byte* p, size_t stride,
                                        const ShiftTable& table) noexcept {
  uint64_t a = crc;
  uint64_t b = 0;
  uint64_t c = 0;
  for (size_t i = 0; i < stride; i += 8) {
    a = step8(a, load(p + i));
    b = step8(b, load(p + stride + i));
    c = step8(c, load(p + 2 * stride + i));
  }
  b ^= shift(table, static_cast<uint32_t>(a));
  return c ^ shift(table, static_cast<uint32_t>(b));
}

RVF_CRC_HARDWARE uint32_t hardware(ByteSpan data, uint32_t seed) noexcept {
  const std::byte* p = data.data();
  size_t n = data.size();
  uint64_t crc = static_cast<uint32_t>(~seed);
  for (; n >= 3 * kLong; p += 3 * kLong, n -= 3 * kLong)
    crc = three_streams(crc, p, kLong, kLongShift);
  for (; n >= 3 * kShort; p += 3 * kShort, n -= 3 * kShort) {
    crc = three_streams(crc, p, kShort, kShortShift);
  }
  for (; n >= 8; p += 8, n -= 8) crc = step8(crc, load(p));
  uint32_t last = static_cast<uint32_t>(crc);
  for (; n > 0; ++p, --n) last = step1(last, static_cast<uint8_t>(*p));
  return ~last;
}

#endif

}  // namespace

uint32_t crc32c_portable(ByteSpan data, uint32_t seed) noexcept {
  return slice_by_8(kCastagnoliSlices, data, seed);
}

uint32_t crc32c(ByteSpan data, uint32_t seed) noexcept {
#ifdef RVF_CRC_HARDWARE
  if (has_hardware()) return hardware(data, seed);
#endif
  return crc32c_portable(data, seed);
}

uint32_t crc32_ieee(ByteSpan data, uint32_t seed) noexcept {
  return slice_by_8(kIeeeSlices, data, seed);
}

}  // namespace rvf::wire
