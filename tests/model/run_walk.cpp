// Running walks, and making those that fail short.
#include <algorithm>
#include <numeric>

#include "model/store_walk.hpp"

namespace rvf::testing {
namespace {

constexpr size_t kShown = 40;

// Whether these steps, without the others, end in a failure; `trail` says what they were.
bool fails(const WalkShape& shape, const std::vector<uint64_t>& steps, std::string& problem,
           std::vector<const char*>* trail = nullptr) {
  StoreWalk walk(shape);
  for (const uint64_t n : steps) {
    if (!walk.step(n)) break;
  }
  if (walk.problem().empty()) walk.check_all();
  if (trail != nullptr) *trail = walk.trail();
  if (!walk.problem().empty()) problem = walk.problem();
  return !walk.problem().empty();
}

}  // namespace

WalkOutcome run_walk(const WalkShape& shape, uint64_t enough) {
  WalkOutcome out;
  StoreWalk walk(shape);
  while (walk.problem().empty() && walk.counts().operations() < enough) walk.step(out.steps++);
  if (walk.problem().empty()) walk.check_all();
  out.problem = walk.problem();
  out.counts = walk.counts();
  return out;
}

// Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002, without its
// tests of complements: leave out ever smaller pieces for as long as the rest still fails.
std::string shrink_walk(const WalkShape& shape, uint64_t steps, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::vector<uint64_t> left(steps);
  std::iota(left.begin(), left.end(), 0U);
  std::string problem;
  if (!fails(shape, left, problem))
    return "the failure does not come again: it needs more than the seed";
  for (size_t piece = left.size() / 2; piece > 0; piece /= 2) {
    for (size_t at = 0; at < left.size() && std::chrono::steady_clock::now() < end;) {
      std::vector<uint64_t> fewer = left;
      const size_t last = std::min(at + piece, fewer.size());
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                  fewer.begin() + static_cast<std::ptrdiff_t>(last));
      if (fails(shape, fewer, problem)) {
        left = std::move(fewer);
      } else {
        at += piece;
      }
    }
  }
  std::vector<const char*> trail;
  fails(shape, left, problem, &trail);
  std::string text = std::to_string(left.size()) + " steps are enough:";
  for (size_t i = 0; i < left.size() && i < kShown; ++i) text += " " + std::to_string(left[i]);
  text += "; they are:";
  for (size_t i = 0; i < trail.size() && i < kShown; ++i) text += std::string(" ") + trail[i] + ",";
  return text + " and end in: " + problem;
}

}  // namespace rvf::testing
