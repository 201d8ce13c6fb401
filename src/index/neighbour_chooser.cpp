#include "index/neighbour_chooser.hpp"

#include <algorithm>
#include <limits>

namespace rvf::index {
namespace {

// Steps of the relaxation, on squared distances.
constexpr float kAlpha[] = {1.0F, 1.15F, 1.32F, 1.52F, 1.75F, 2.01F};

}  // namespace

void NeighbourChooser::choose(const std::vector<Near>& c, size_t degree, std::vector<Near>& out) {
  out.clear();
  if (c.size() <= degree / 2) {
    out = c;
    return;
  }
  constexpr float kTaken = std::numeric_limits<float>::infinity();
  const float widest = kAlpha[std::size(kAlpha) - 1];
  ratio_.assign(c.size(), 0.0F);
  for (const float alpha : kAlpha) {
    for (uint32_t i = 0; i < c.size(); ++i) {
      if (ratio_[i] > alpha) continue;
      out.push_back(c[i]);
      ratio_[i] = kTaken;
      if (out.size() == degree) return;
      pending_.clear();
      nodes_.clear();
      for (uint32_t j = i + 1; j < c.size(); ++j) {
        if (ratio_[j] > widest) continue;
        pending_.push_back(j);
        nodes_.push_back(c[j].node);
      }
      if (nodes_.empty()) continue;
      distances_.resize(nodes_.size());
      query_.set(c[i].node);
      for (size_t at = 0; at < nodes_.size(); at += 512) {
        query_.distances(&nodes_[at], std::min<size_t>(512, nodes_.size() - at), &distances_[at]);
      }
      for (size_t p = 0; p < pending_.size(); ++p) {
        const uint32_t j = pending_[p];
        // A copy of a chosen node adds nothing: 3 is past the last step, but not taken.
        const float r = distances_[p] > 0 ? std::min(c[j].distance / distances_[p], 3.0F) : 3.0F;
        if (r > ratio_[j]) ratio_[j] = r;
      }
    }
  }
  for (uint32_t i = 0; i < c.size() && out.size() < degree; ++i) {
    if (ratio_[i] != kTaken) out.push_back(c[i]);
  }
}

}  // namespace rvf::index
