#include "interop/duplicates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace rvf::interop {
namespace {

template <class T>
void keep_rows(std::vector<T>& values, const std::vector<bool>& stays) {
  size_t to = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!stays[i]) continue;
    if (to != i) values[to] = std::move(values[i]);
    ++to;
  }
  values.resize(to);
}

void keep_vectors(VectorChunk& chunk, const std::vector<bool>& stays) {
  const size_t n = vector_bytes(chunk.dtype, chunk.dim);
  size_t to = 0;
  for (size_t i = 0; i < chunk.count; ++i) {
    if (!stays[i]) continue;
    std::copy_n(chunk.bytes.begin() + static_cast<std::ptrdiff_t>(i * n), n,
                chunk.bytes.begin() + static_cast<std::ptrdiff_t>(to * n));
    ++to;
  }
  chunk.bytes.resize(to * n);
  chunk.count = to;
}

template <class Id>
Result<std::vector<bool>> rows_that_stay(OnDuplicate mode, const std::vector<bool>& there,
                                         const std::vector<Id>& ids) {
  std::vector<bool> stays(ids.size(), true);
  std::unordered_map<Id, size_t> seen;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto [at, fresh] = seen.try_emplace(ids[i], i);
    if (fresh && (mode == OnDuplicate::kReplace || !there[i])) continue;
    if (mode == OnDuplicate::kError) {
      return Error(ErrorCode::kDuplicateId, fmt::format("the id {} is there already", ids[i]));
    }
    if (mode == OnDuplicate::kKeep) {
      stays[i] = false;
    } else {
      stays[at->second] = false;
      at->second = i;
    }
  }
  return stays;
}

}  // namespace

Result<size_t> resolve_duplicates(OnDuplicate mode, const std::vector<bool>& there,
                                  VectorChunk& chunk, std::vector<Column>& columns) {
  if (mode == OnDuplicate::kBatch || (chunk.ids.empty() && chunk.string_ids.empty())) {
    return size_t{0};
  }
  std::vector<bool> stays;
  if (chunk.string_ids.empty()) {
    RVF_ASSIGN(stays, rows_that_stay(mode, there, chunk.ids));
  } else {
    RVF_ASSIGN(stays, rows_that_stay(mode, there, chunk.string_ids));
  }
  const auto dropped = static_cast<size_t>(std::count(stays.begin(), stays.end(), false));
  if (dropped == 0) return dropped;
  keep_vectors(chunk, stays);
  keep_rows(chunk.ids, stays);
  keep_rows(chunk.string_ids, stays);
  for (Column& c : columns) keep_rows(c.values, stays);
  return dropped;
}

}  // namespace rvf::interop
