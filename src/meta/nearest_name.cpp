#include "meta/nearest_name.hpp"

#include <algorithm>
#include <vector>

namespace rvf::meta {
namespace {

// Damerau's distance with adjacent swaps, ASCII case aside; stops to count beyond `limit`.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<size_t> before2(b.size() + 1);
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before2.swap(before);
    before.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before2[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr size_t kLongest = 64;
  constexpr size_t kMost = 1000;
  if (name.size() > kLongest) return {};
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string_view candidate : candidates.first(std::min(candidates.size(), kMost))) {
    if (candidate.size() > kLongest) continue;
    const size_t d = edit_distance(name, candidate, best - 1);
    if (d >= best) continue;
    best = d;
    nearest = candidate;
    if (best == 0) break;
  }
  return std::string(nearest);
}

}  // namespace rvf::meta
