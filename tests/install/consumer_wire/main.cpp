#include <cstddef>
#include <vector>
#include <wire/compress.hpp>

int main() {
  const rvf::wire::Bytes data(10000, std::byte{7});
  for (const auto algorithm : {rvf::Compression::kLz4, rvf::Compression::kZstd}) {
    const auto packed = rvf::wire::compress(algorithm, data);
    if (!packed || packed->size() >= data.size()) return 1;
    const auto back = rvf::wire::decompress(algorithm, *packed, data.size(), 1U << 20);
    if (!back || *back != data) return 1;
  }
  return 0;
}
