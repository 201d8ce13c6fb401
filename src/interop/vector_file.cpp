#include "interop/vector_file.hpp"

#include <cstring>
#include <new>

#include "interop/detect.hpp"
#include "interop/npz.hpp"
#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

constexpr const char* kFormatNames[] = {"npy",  "csv",  "jsonl", "fvecs", "ivecs", "bvecs",
                                        "fbin", "ibin", "u8bin", "i8bin", "idx"};

Result<std::unique_ptr<VectorReader>> open_checked(const std::string& path,
                                                   const ReadOptions& options) {
  RVF_ASSIGN(std::unique_ptr<ByteSource> source, open_input(path));
  Format format = Format::kNpy;
  if (options.format) {
    format = *options.format;
    RVF_ASSIGN(const wire::ByteSpan first, source->peek(1));
    if (first.empty()) return source->error(ErrorCode::kBadArgument, "the file is empty");
  } else {
    RVF_ASSIGN(format, detect_format(*source));
  }
  if (format == Format::kCsv) return open_csv(std::move(source), options);
  if (format == Format::kJsonl) return open_jsonl(std::move(source), options);
  if (options.id_required || !options.vector_field.empty()) {
    return source->error(ErrorCode::kBadArgument,
                         "no column is named \"" +
                             (options.id_required ? options.id_field : options.vector_field) +
                             "\": rows of " + format_name(format) + " have no names");
  }
  return open_fixed(std::move(source), format);
}

}  // namespace

const char* format_name(Format format) noexcept {
  const auto i = static_cast<size_t>(format);
  return i < std::size(kFormatNames) ? kFormatNames[i] : "?";
}

std::optional<Format> parse_format(const std::string& text) noexcept {
  for (size_t i = 0; i < std::size(kFormatNames); ++i) {
    if (text == kFormatNames[i]) return static_cast<Format>(i);
  }
  if (text == "json" || text == "ndjson") return Format::kJsonl;
  if (text == "tsv") return Format::kCsv;
  return std::nullopt;
}

void VectorChunk::to_f32(std::vector<float>& out) const {
  const size_t n = count * dim;
  const size_t at = out.size();
  out.resize(at + n);
  float* to = out.data() + at;
  switch (dtype) {
    case DType::kF32:
      if (n > 0) std::memcpy(to, bytes.data(), n * 4);
      break;
    case DType::kF16:
      for (size_t i = 0; i < n; ++i) {
        uint16_t half = 0;
        std::memcpy(&half, bytes.data() + 2 * i, 2);
        to[i] = half_to_float(half);
      }
      break;
    case DType::kI8:
      for (size_t i = 0; i < n; ++i) to[i] = static_cast<float>(static_cast<int8_t>(bytes[i]));
      break;
    case DType::kU8:
      for (size_t i = 0; i < n; ++i) to[i] = static_cast<float>(static_cast<uint8_t>(bytes[i]));
      break;
    default: break;  // no reader hands these over
  }
}

void VectorChunk::clear() noexcept {
  count = 0;
  bytes.clear();
  ids.clear();
  string_ids.clear();
  extra.clear();
}

Result<std::unique_ptr<VectorReader>> open_vectors(const std::string& path,
                                                   const ReadOptions& options) {
  try {
    return open_checked(path, options);
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, path + ": no memory to open it");
  }
}

Result<std::unique_ptr<VectorReader>> open_vectors(const std::string& path, FormatHint hint) {
  ReadOptions options;
  options.format = hint;
  return open_vectors(path, options);
}

}  // namespace rvf::interop
