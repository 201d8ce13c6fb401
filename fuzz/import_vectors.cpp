// Files of vectors: the first byte says as which format the rest is read, or that it is guessed.
#include <cmath>

#include "interop/vector_file.hpp"
#include "memory_file.hpp"

using namespace rvf;           // NOLINT: a program of one function
using namespace rvf::interop;  // NOLINT

namespace {

constexpr unsigned kFormats = 11;

void check(const VectorInfo& info, const VectorChunk& chunk, size_t rows) {
  fuzz::require(chunk.count == rows && chunk.dim == info.dim && chunk.dtype == info.dtype);
  fuzz::require(chunk.bytes.size() == rows * vector_bytes(chunk.dtype, chunk.dim));
  fuzz::require(chunk.ids.empty() || chunk.ids.size() == rows);
  fuzz::require(chunk.string_ids.empty() || chunk.string_ids.size() == rows);
  std::vector<float> values;
  chunk.to_f32(values);
  fuzz::require(values.size() == rows * chunk.dim);
  for (const float v : values) fuzz::require(std::isfinite(v));
}

}  // namespace

RVF_FUZZ {
  if (input.empty()) return;
  const auto first = std::to_integer<unsigned>(input[0]);
  const fuzz::MemoryFile file(input.subspan(1));
  ReadOptions options;
  if (first % (kFormats + 1) < kFormats)
    options.format = static_cast<Format>(first % (kFormats + 1));
  options.want_extra = first >= 128;
  auto reader = open_vectors(file.path(), options);
  if (reader) {
    VectorChunk chunk;
    size_t total = 0;
    while (total < fuzz::kMaxItems) {
      const auto n = (*reader)->read(7, chunk);
      if (!n) {
        fuzz::require(!n.error().message.empty());
        break;
      }
      if (*n == 0) break;
      check((*reader)->info(), chunk, *n);
      total += *n;
    }
  } else {
    fuzz::require(!reader.error().message.empty());
  }
  if (const auto ids = read_ids(file.path()); !ids) fuzz::require(!ids.error().message.empty());
  if (const auto truth = read_truth(file.path())) {
    fuzz::require(truth->ids.size() == truth->queries * truth->k);
  }
}
