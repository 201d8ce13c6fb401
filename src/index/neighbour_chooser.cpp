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
  const float widest = kAlpha[std::size(kAlpha) - 1];
  size_t left = c.size();  // of the candidates that may still be chosen, in order
  nodes_.resize(left);
  open_.resize(left);
  distances_.resize(left);
  taken_.assign(left, 0);
  for (uint32_t i = 0; i < left; ++i) {
    nodes_[i] = c[i].node;
    open_[i] = {i, 0};
  }
  for (const float alpha : kAlpha) {
    size_t kept = 0;
    for (size_t at = 0; at < left; ++at) {
      const Open one = open_[at];
      if (one.ratio > alpha) {
        open_[kept] = one;
        nodes_[kept++] = nodes_[at];
        continue;
      }
      out.push_back(c[one.candidate]);
      taken_[one.candidate] = 1;
      if (out.size() == degree) return;
      query_.set(nodes_[at]);
      const size_t first = at + 1;
      query_.distances(nodes_.data() + first, left - first, distances_.data() + first);
      size_t end = first;
      for (size_t i = first; i < left; ++i) {
        Open other = open_[i];
        // A copy of a chosen node adds nothing.
        const float ratio = distances_[i] > 0 ? c[other.candidate].distance / distances_[i]
                                              : std::numeric_limits<float>::infinity();
        if (ratio > other.ratio) other.ratio = ratio;
        if (other.ratio > widest) continue;
        open_[end] = other;
        nodes_[end++] = nodes_[i];
      }
      left = end;
    }
    left = kept;
  }
  for (uint32_t i = 0; i < c.size() && out.size() < degree; ++i) {
    if (taken_[i] == 0) out.push_back(c[i]);
  }
}

}  // namespace rvf::index
