#include "index/leaf_candidates.hpp"

#include <algorithm>
#include <limits>

#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint32_t kLeafRows = 700;  // aimed at
constexpr uint32_t kMostLeafRows = 1500;
constexpr uint32_t kMostLeaders = 1024;

}  // namespace

class LeafCandidates::Worker {
 public:
  explicit Worker(const RowCodes& codes) : query(codes) {}
  // Distances from `node` to all of `others`.
  void compare(uint32_t node, const std::vector<uint32_t>& others) {
    query.set(node);
    distances.resize(others.size());
    query.distances(others.data(), others.size(), distances.data());
  }
  RowCodes::Query query;
  std::vector<float> distances;
};

LeafCandidates::LeafCandidates(const RowCodes& codes, const std::vector<uint32_t>& list,
                               uint64_t seed, Executor& executor)
    : nodes_(list) {
  const auto nodes = static_cast<uint32_t>(list.size());
  nearest_.assign(size_t{nodes} * kLeaves * kOfEach,
                  {std::numeric_limits<float>::infinity(), kNoNode});
  std::vector<Worker> workers;
  for (size_t i = 0; i < executor.width(); ++i) workers.emplace_back(codes);
  if (nodes <= kMostLeafRows) {
    std::vector<Member> all;
    for (uint32_t i = 0; i < nodes; ++i) all.push_back({i, 0});
    compare_all(all, workers[0]);
    return;
  }
  const uint32_t count = std::min(kMostLeaders, nodes / kLeafRows * kLeaves + 1);
  std::vector<uint32_t> leaders;
  for (uint32_t i = 0; i < count; ++i) {
    leaders.push_back(nodes_[splitmix64(seed + i) % nodes]);
  }
  std::sort(leaders.begin(), leaders.end());
  leaders.erase(std::unique(leaders.begin(), leaders.end()), leaders.end());

  std::vector<uint32_t> nearest(size_t{nodes} * kLeaves);  // leaders of each node
  executor.parallel_for(nodes, 256, [&](size_t w, uint64_t b, uint64_t e) {
    Worker& worker = workers[w];
    for (uint64_t i = b; i < e; ++i) {
      worker.compare(nodes_[i], leaders);
      Near best[kLeaves];
      std::fill(std::begin(best), std::end(best),
                Near{std::numeric_limits<float>::infinity(), kNoNode});
      for (uint32_t l = 0; l < leaders.size(); ++l) {
        Near item{worker.distances[l], l};
        for (Near& kept : best) {
          if (item < kept) std::swap(item, kept);
        }
      }
      for (uint32_t j = 0; j < kLeaves; ++j) nearest[i * kLeaves + j] = best[j].node;
    }
  });
  std::vector<std::vector<Member>> groups(leaders.size());
  for (uint32_t i = 0; i < nodes; ++i) {
    for (uint32_t j = 0; j < kLeaves; ++j) {
      const uint32_t leader = nearest[size_t{i} * kLeaves + j];
      if (leader != kNoNode) groups[leader].push_back({i, j});
    }
  }
  nearest = {};
  executor.parallel_for(groups.size(), 1, [&](size_t w, uint64_t b, uint64_t e) {
    for (uint64_t g = b; g < e; ++g) carve(groups[g], workers[w], splitmix64(seed ^ (g + 1)));
  });
}

// Splits until the leaf is small enough; each member goes to its nearest leader only.
void LeafCandidates::carve(std::vector<Member>& members, Worker& worker, uint64_t seed) {
  const auto size = static_cast<uint32_t>(members.size());
  if (size <= kMostLeafRows) return compare_all(members, worker);
  const uint32_t count = std::min(kMostLeaders, size / kLeafRows + 1);
  std::vector<uint32_t> leaders;
  for (uint32_t i = 0; i < count; ++i) {
    leaders.push_back(nodes_[members[splitmix64(seed + i) % size].position]);
  }
  std::vector<std::vector<Member>> groups(leaders.size());
  for (const Member& m : members) {
    worker.compare(nodes_[m.position], leaders);
    const auto best = std::min_element(worker.distances.begin(), worker.distances.end());
    groups[static_cast<size_t>(best - worker.distances.begin())].push_back(m);
  }
  members = {};
  for (auto& group : groups) {
    if (group.size() == size) {  // all alike: cut by number
      for (size_t at = 0; at < size; at += kLeafRows) {
        const auto begin = group.begin() + static_cast<ptrdiff_t>(at);
        const auto end =
            group.begin() + static_cast<ptrdiff_t>(std::min<size_t>(at + kLeafRows, size));
        compare_all({begin, end}, worker);
      }
      return;
    }
    if (!group.empty()) carve(group, worker, splitmix64(++seed));
  }
}

void LeafCandidates::compare_all(const std::vector<Member>& members, Worker& worker) {
  std::vector<uint32_t> nodes;
  for (const Member& m : members) nodes.push_back(nodes_[m.position]);
  for (size_t i = 0; i < members.size(); ++i) {
    worker.compare(nodes[i], nodes);
    Near* best = &nearest_[(size_t{members[i].position} * kLeaves + members[i].leaf) * kOfEach];
    for (size_t j = 0; j < nodes.size(); ++j) {
      const Near item{worker.distances[j], nodes[j]};
      if (!(item < best[kOfEach - 1]) || nodes[j] == nodes[i]) continue;
      size_t at = kOfEach - 1;
      for (; at > 0 && item < best[at - 1]; --at) best[at] = best[at - 1];
      best[at] = item;
    }
  }
}

void LeafCandidates::of(size_t position, std::vector<Near>& out) const {
  out.clear();
  const Near* from = &nearest_[position * kLeaves * kOfEach];
  for (uint32_t i = 0; i < kLeaves * kOfEach; ++i) {
    if (from[i].node != kNoNode) out.push_back(from[i]);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end(),
                        [](const Near& a, const Near& b) { return a.node == b.node; }),
            out.end());
}

}  // namespace rvf::index
