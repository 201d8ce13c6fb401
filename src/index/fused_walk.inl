// The walk, over the operations of one instruction set:
//   uint32_t estimate(blocks layout, group, query, centre distance, limit, float out[32]):
//     estimated distances of a group's 32 neighbours, and the set of those below the limit
//   int64_t product(vector bytes, query, n): sum of byte * (128 * high + low)
//   void insert(keys, n, key): into ascending keys, the last one falls out; n a multiple of 8
//   uint32_t next_open(keys, from, n): first key at or after `from` whose lowest bit is clear, or n
#include "index/fused_kernels.hpp"

namespace rvf::index {
namespace {

inline float load_float(const std::byte* p) noexcept {
  float f;
  __builtin_memcpy(&f, p, 4);
  return f;
}

// Squared distance to the vector of a block or of a list's head.
template <class Ops>
[[gnu::always_inline]] inline float head_distance(const FusedLayout& layout, const std::byte* head,
                                                  const FusedQuery& q) {
  const int64_t product =
      Ops::product(reinterpret_cast<const uint8_t*>(head) + FusedLayout::kVector, q,
                   layout.vector_bytes) -
      q.offset;
  const float scale = load_float(head + FusedLayout::kScale) * q.step;
  float d = load_float(head + FusedLayout::kNorm) + q.norm2;
  d -= 2 * scale * static_cast<float>(product);
  return d == d ? d : __builtin_inff();
}

template <class Ops>
uint32_t scan_groups(const FusedLayout& layout, const std::byte* groups, uint32_t count,
                     const FusedQuery& q, float distance, float below, uint64_t* keys) {
  alignas(64) float estimates[kFusedDegree];
  uint32_t n = 0;
  for (uint32_t g = 0; g < count; ++g) {
    const std::byte* group = groups + size_t{g} * layout.group_bytes();
    uint32_t passing = Ops::estimate(layout, group, q, distance, below, estimates);
    while (passing != 0) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(passing));
      passing &= passing - 1;
      uint32_t number;
      __builtin_memcpy(&number, group + 4 * size_t{i}, 4);
      keys[n++] = static_cast<uint64_t>(sortable(estimates[i])) << 32 | number;
    }
  }
  return n;
}

template <class Ops>
class Walk {
 public:
  Walk(const FusedBlocks& blocks, const FusedQuery& query, FusedState& state)
      : b_(blocks), q_(query), s_(state) {}

  bool run(uint64_t steps) {
    if (!s_.started) start();
    const uint64_t end = s_.expansions + steps;
    while (s_.expansions < end) {
      uint32_t chosen[FusedState::kBatch];
      uint32_t refines = 0;
      uint32_t expansion = kNoNode;
      float distance = 0;
      choose(chosen, refines, expansion, distance);
      const bool idle = s_.pending_refines == 0 && s_.pending_expansion == kNoNode;
      if (idle && refines == 0 && expansion == kNoNode) return true;
      if (s_.pending_refines != 0) {
        for (uint32_t i = 0; i < s_.pending_refines; ++i) refine(s_.pending[i]);
      } else if (s_.pending_expansion != kNoNode) {
        expand(s_.pending_expansion, s_.pending_distance);
      }
      for (uint32_t i = 0; i < refines; ++i) s_.pending[i] = chosen[i];
      s_.pending_refines = refines;
      s_.pending_expansion = expansion;
      s_.pending_distance = distance;
    }
    return false;
  }

 private:
  void start() {
    for (uint64_t& key : s_.estimates) key = kNoKey;
    for (uint32_t g = 0; g < b_.root_groups; ++g) {
      scan<false>(b_.root + size_t{g} * b_.layout.group_bytes(), q_.norm2);
    }
    for (uint32_t i = FusedState::kEntries; i < FusedState::kEstimates; ++i) {
      s_.estimates[i] = kNoKey;
    }
    s_.cursor = s_.width;
    s_.started = true;
  }

  uint64_t worst_near() const noexcept { return s_.near[s_.width - 1] >> 32; }

  void choose(uint32_t* chosen, uint32_t& refines, uint32_t& expansion, float& distance) {
    const uint64_t worst = worst_near();
    const uint64_t open = s_.cursor < s_.width ? s_.near[s_.cursor] >> 32 : kNoKey;
    const uint64_t best = s_.estimates[0] >> 32;
    if (s_.estimates[0] != kNoKey && best < open && best < worst) {
      uint32_t taken = 0;
      while (taken < FusedState::kEstimates && refines < FusedState::kBatch) {
        const uint64_t key = s_.estimates[taken];
        if (key == kNoKey || key >> 32 >= worst) break;
        ++taken;
        const auto node = static_cast<uint32_t>(key);
        if (s_.marks[node] == s_.round) continue;
        s_.marks[node] = s_.round;
        chosen[refines++] = node;
        ask(b_.block(node), FusedLayout::kVector + b_.layout.vector_bytes);
      }
      Ops::drop(s_.estimates, taken);
      if (refines != 0) return;
    }
    if (s_.cursor < s_.width) {
      uint64_t& key = s_.near[s_.cursor];
      expansion = static_cast<uint32_t>(key) >> 1;
      distance = unsortable(static_cast<uint32_t>(key >> 32));
      key |= 1;
      ask(b_.block(expansion) + b_.layout.ids, b_.layout.group_bytes());
      s_.cursor = Ops::next_open(s_.near, s_.cursor, s_.width);
    }
  }

  static void ask(const std::byte* from, uint32_t bytes) noexcept {
    for (uint32_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i);
  }

  void refine(uint32_t node) {
    const std::byte* block = b_.block(node);
    const float d = head_distance<Ops>(b_.layout, block, q_);
    ++s_.refined;
    const uint64_t key = static_cast<uint64_t>(sortable(d)) << 32 | uint64_t{node} << 1;
    if (s_.traced < s_.trace_room) s_.trace[s_.traced++] = key;
    if (key >= s_.near[s_.width - 1]) return;
    const uint32_t at = Ops::insert(s_.near, s_.near_keys, key);
    if (at < s_.cursor) s_.cursor = at;
  }

  void expand(uint32_t node, float distance) {
    ++s_.expansions;
    const std::byte* group = b_.block(node) + b_.layout.ids;
    if (s_.collected != nullptr) {
      scan<true>(group, distance);
    } else {
      scan<false>(group, distance);
    }
  }

  template <bool collects>
  void scan(const std::byte* group, float distance) {
    alignas(64) float estimates[kFusedDegree];
    const uint64_t worst = worst_near();
    uint64_t limit = s_.estimates[kKept - 1] >> 32;
    if (worst < limit) limit = worst;
    const float below = limit >= sortable(__builtin_inff())
                            ? __builtin_inff()
                            : unsortable(static_cast<uint32_t>(limit));
    const float slack = collects ? s_.collect_slack * distance : 0;
    const float reach = collects ? s_.collect_below + slack : 0;
    uint32_t passing = Ops::estimate(b_.layout, group, q_, distance,
                                     collects && below < reach ? reach : below, estimates);
    uint32_t shown = 0;
    if (collects) {
      const uint32_t leading = those_below(passing, estimates, below);
      shown = returnable(passing, group) & those_below(passing, estimates, reach);
      passing = leading | shown;
    }
    while (passing != 0) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(passing));
      passing &= passing - 1;
      const uint32_t node = member(group, i);
      if (node >= b_.nodes || s_.marks[node] == s_.round) continue;
      const uint64_t key = static_cast<uint64_t>(sortable(estimates[i])) << 32 | node;
      if ((shown >> i & 1) != 0) {
        const float least = estimates[i] - slack;
        s_.collected[s_.collected_count++] = static_cast<uint64_t>(sortable(least)) << 32 | node;
        if (!(estimates[i] < below)) continue;
      }
      if (key < s_.estimates[kKept - 1]) Ops::insert16(s_.estimates, key);
    }
  }

  static uint32_t member(const std::byte* group, uint32_t i) noexcept {
    uint32_t node;
    __builtin_memcpy(&node, group + 4 * size_t{i}, 4);
    return node;
  }
  // Without branches, which would be mispredicted for one in so many.
  static uint32_t those_below(uint32_t of, const float* estimates, float limit) noexcept {
    uint32_t out = 0;
    for (uint32_t i = 0; i < kFusedDegree; ++i) out |= uint32_t{estimates[i] < limit} << i;
    return of & out;
  }
  uint32_t returnable(uint32_t of, const std::byte* group) const noexcept {
    uint32_t out = 0;
    for (; of != 0; of &= of - 1) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(of));
      const uint32_t node = member(group, i);
      if (node < b_.nodes) out |= s_.may_be_returned(node) << i;
    }
    return out;
  }

  static constexpr uint32_t kKept = 12;

  const FusedBlocks& b_;
  const FusedQuery& q_;
  FusedState& s_;
};

template <class Ops>
float distance_to_head(const FusedLayout& layout, const std::byte* head, const FusedQuery& q) {
  return head_distance<Ops>(layout, head, q);
}

template <class Ops>
bool walk(const FusedBlocks& blocks, const FusedQuery& query, FusedState& state, uint64_t steps) {
  return Walk<Ops>(blocks, query, state).run(steps);
}

}  // namespace
}  // namespace rvf::index
