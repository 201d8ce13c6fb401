// The readers behind open_vectors(), and the layout of files whose rows have a fixed size.
// Internal to src/interop.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "interop/byte_source.hpp"
#include "interop/ids.hpp"
#include "interop/row_convert.hpp"
#include "interop/vector_file.hpp"

namespace rvf::interop {

inline constexpr size_t kMaxChunkBytes = 64 << 20;
inline constexpr size_t kMaxLine = 64 << 20;

// Keys and columns that hold the vector where nobody says which does.
inline bool is_vector_name(std::string_view name) noexcept {
  return name == "vector" || name == "embedding" || name == "values";
}

struct FixedLayout {
  Element element = Element::kF4;
  bool big_endian = false;
  bool row_prefix = false;       // fvecs: each row begins with u32 dim
  bool one_dimensional = false;  // npy of shape (n,), idx of rank 1
  bool by_column = false;        // npy in Fortran order
  uint32_t dim = 0;
  uint64_t header = 0;            // bytes before the first row
  std::optional<uint64_t> count;  // rows; empty for prefixed rows of unknown total size
  uint64_t row_bytes() const noexcept {
    return (row_prefix ? 4 : 0) + uint64_t{dim} * element_bytes(element);
  }
};

// Read the header without consuming it. check_size() then compares it with the content; a tail
// after the rows is accepted by read_truth only.
Result<FixedLayout> npy_layout(ByteSource& source);
Result<FixedLayout> idx_layout(ByteSource& source);
Result<FixedLayout> vecs_layout(ByteSource& source, Element element);
Result<FixedLayout> bin_layout(ByteSource& source, Element element);
Result<FixedLayout> fixed_layout(ByteSource& source, Format format);
Status check_size(const ByteSource& source, const FixedLayout& layout, bool allow_tail = false);
bool is_fixed(Format format) noexcept;

Result<std::unique_ptr<VectorReader>> open_fixed(std::unique_ptr<ByteSource> source, Format format);
Result<std::unique_ptr<VectorReader>> open_csv(std::unique_ptr<ByteSource> source,
                                               const ReadOptions& options);
Result<std::unique_ptr<VectorReader>> open_jsonl(std::unique_ptr<ByteSource> source,
                                                 const ReadOptions& options);

}  // namespace rvf::interop
