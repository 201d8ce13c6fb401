#include "wire/compress.hpp"

#include <lz4.h>
#include <zstd.h>

namespace rvf::wire {
namespace {

Error unsupported(Compression algo) {
  return {ErrorCode::kUnsupported,
          "compression algorithm " + std::to_string(static_cast<unsigned>(algo)) + " is unknown"};
}

// LZ4 expands a byte at most 255 times; Zstandard's smallest block (4 bytes) yields at most 128
// KiB. A header that announces more is refused before memory is taken, so a short file cannot ask
// for gigabytes.
bool plausible(Compression algo, uint64_t compressed, uint64_t uncompressed) noexcept {
  const uint64_t factor = algo == Compression::kLz4 ? 255 : 128 * 1024 / 3;
  return uncompressed <= (compressed + 16) * factor;
}

}  // namespace

Result<Bytes> compress(Compression algo, ByteSpan data, int zstd_level) {
  switch (algo) {
    case Compression::kNone: return Bytes(data.begin(), data.end());
    case Compression::kLz4: {
      if (data.size() > LZ4_MAX_INPUT_SIZE) {
        return Error(ErrorCode::kTooLarge, "LZ4 takes at most 2113929216 bytes at once, not " +
                                               std::to_string(data.size()));
      }
      const int size = static_cast<int>(data.size());
      Bytes out(static_cast<size_t>(LZ4_compressBound(size)));
      const int n = LZ4_compress_default(reinterpret_cast<const char*>(data.data()),
                                         reinterpret_cast<char*>(out.data()), size,
                                         static_cast<int>(out.size()));
      if (n <= 0) return Error(ErrorCode::kOutOfMemory, "LZ4 could not compress");
      out.resize(static_cast<size_t>(n));
      return out;
    }
    case Compression::kZstd: {
      Bytes out(ZSTD_compressBound(data.size()));
      const size_t n = ZSTD_compress(out.data(), out.size(), data.data(), data.size(), zstd_level);
      if (ZSTD_isError(n) != 0) {
        return Error(ErrorCode::kOutOfMemory, std::string("zstd: ") + ZSTD_getErrorName(n));
      }
      out.resize(n);
      return out;
    }
    case Compression::kCustom: break;
  }
  return unsupported(algo);
}

Result<Bytes> decompress(Compression algo, ByteSpan data, uint64_t uncompressed_length,
                         uint64_t memory_limit) {
  if (uncompressed_length > memory_limit) {
    return Error(ErrorCode::kBudgetExceeded,
                 "decompression needs " + std::to_string(uncompressed_length) +
                     " bytes, the limit is " + std::to_string(memory_limit));
  }
  const auto wrong_length = [&] {
    return Error(ErrorCode::kCorrupt, std::to_string(data.size()) +
                                          " compressed bytes do not hold the " +
                                          std::to_string(uncompressed_length) + " bytes announced");
  };
  if (algo == Compression::kNone) {
    if (data.size() != uncompressed_length) return wrong_length();
    return Bytes(data.begin(), data.end());
  }
  if (algo != Compression::kLz4 && algo != Compression::kZstd) return unsupported(algo);
  if (!plausible(algo, data.size(), uncompressed_length)) return wrong_length();

  Bytes out(static_cast<size_t>(uncompressed_length));
  if (algo == Compression::kLz4) {
    if (data.size() > LZ4_MAX_INPUT_SIZE || out.size() > LZ4_MAX_INPUT_SIZE) return wrong_length();
    std::byte none{};
    const int n = LZ4_decompress_safe(reinterpret_cast<const char*>(data.data()),
                                      reinterpret_cast<char*>(out.empty() ? &none : out.data()),
                                      static_cast<int>(data.size()), static_cast<int>(out.size()));
    if (n < 0 || static_cast<size_t>(n) != out.size()) return wrong_length();
  } else {
    const size_t n = ZSTD_decompress(out.data(), out.size(), data.data(), data.size());
    if (ZSTD_isError(n) != 0 || n != out.size()) return wrong_length();
  }
  return out;
}

}  // namespace rvf::wire
