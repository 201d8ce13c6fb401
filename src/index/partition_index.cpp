#include "index/partition_index.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/flat.hpp"
#include "index/fused_index.hpp"
#include "index/graph.hpp"
#include "index/search_scratch.hpp"
#include "kernels/convert.hpp"

namespace rvf::index {
namespace {

// A search of width w compares w rows exactly, and scans a list for every eight of them: reading a
// list of codes takes about as long as reading so many rows that lie scattered.
constexpr uint32_t kRowsPerList = 8;
constexpr uint32_t kLeastLists = 4;
// Where every fifth row passes a filter or fewer; none where every second does.
constexpr double kFilterRoom = 0.5;
// Centroids compared by their bytes, for each of those whose lists are scanned.
constexpr uint32_t kHeadsPerList = 3;
constexpr uint32_t kMoreHeads = 32;
constexpr uint32_t kGroupsAtOnce = 16;
// A scanned code costs about as much as a sixteenth of a row's distance in a scan of all rows.
constexpr double kCodesPerDistance = 16;
constexpr double kDistancesPerRow = 3;  // that lies anywhere

uint32_t lists_for(uint32_t width, uint32_t partitions) noexcept {
  return std::min(std::max(width / kRowsPerList, kLeastLists), partitions);
}

uint64_t distance_key(float distance) noexcept {
  return static_cast<uint64_t>(sortable(distance)) << 32;
}

float limit_of(uint64_t key) noexcept {
  if (key >> 32 >= sortable(std::numeric_limits<float>::infinity())) {
    return std::numeric_limits<float>::infinity();
  }
  return unsortable(static_cast<uint32_t>(key >> 32));
}

}  // namespace

std::optional<PartitionLists::List> PartitionLists::list(uint32_t partition) const noexcept {
  uint64_t first;
  uint32_t count;
  std::memcpy(&first, head(partition) + wire::kHeadFirstGroup, sizeof(first));
  std::memcpy(&count, head(partition) + wire::kHeadGroups, sizeof(count));
  if (first > group_count || count > group_count - first) return std::nullopt;
  return List{groups + first * layout.group_bytes(), count};
}

PartitionIndex::PartitionIndex(FusedSpace space, const PartitionLists& lists,
                               const wire::FusedHeader& header)
    : CalibratedIndex(std::move(space)), lists_(lists) {
  take_header(header);
}

Result<std::unique_ptr<PartitionIndex>> PartitionIndex::open(wire::ByteSpan payload) {
  RVF_ASSIGN(const wire::FusedPayloadView view, wire::parse_fused(payload));
  const wire::FusedHeader& h = view.header;
  if (!h.partitions) return Error(ErrorCode::kCorrupt, "the FUSED payload holds no partitions");
  RVF_ASSIGN(FusedSpace space, space_of(h));
  PartitionLists lists;
  lists.layout = space.layout();
  lists.root = view.root.data();
  lists.root_groups = h.root_groups;
  lists.heads = view.blocks.data();
  lists.partitions = static_cast<uint32_t>(h.partition_count);
  lists.groups = view.groups.data();
  lists.group_count = h.group_count;
  auto index = std::make_unique<PartitionIndex>(std::move(space), lists, h);
  index->bytes_ = payload.size();
  return index;
}

IndexInfo PartitionIndex::describe() const {
  IndexInfo info;
  info.kind = "partitions";
  info.layout = SearchLayout::kPartitions;
  info.rows = header().total_nodes;
  info.first_row = header().first_row;
  info.bytes = bytes_;
  info.default_ef = width_for(10, kDefaultTargetRecall);
  info.seed = header().seed;
  info.metric = header().metric;
  return info;
}

// All lists are scanned.
uint32_t PartitionIndex::widest() const {
  return static_cast<uint32_t>(
      std::min<uint64_t>(header().total_nodes, uint64_t{lists_.partitions} * kRowsPerList));
}

Status PartitionIndex::check() const {
  const size_t group_bytes = lists_.layout.group_bytes();
  // Sets the marks of the members of groups; false for one that is marked already or none of all.
  const auto mark = [&](const std::byte* groups, uint64_t count, std::vector<uint8_t>& marks) {
    for (uint64_t g = 0; g < count; ++g) {
      uint32_t numbers[kFusedDegree];
      std::memcpy(numbers, groups + g * group_bytes, sizeof(numbers));
      for (const uint32_t n : numbers) {
        if (n == kNoNode) continue;
        if (n >= marks.size() || marks[n] != 0) return false;
        marks[n] = 1;
      }
    }
    return true;
  };
  const auto all = [](const std::vector<uint8_t>& marks) {
    return std::ranges::all_of(marks, [](uint8_t m) { return m != 0; });
  };
  std::vector<uint8_t> in_root(lists_.partitions);
  std::vector<uint8_t> in_lists(header().total_nodes);
  if (!mark(lists_.root, lists_.root_groups, in_root) || !all(in_root)) {
    return Error(ErrorCode::kCorrupt, "the root does not name every partition once");
  }
  for (uint32_t p = 0; p < lists_.partitions; ++p) {
    const auto list = lists_.list(p);
    if (!list || !mark(list->groups, list->count, in_lists)) {
      return Error(ErrorCode::kCorrupt, "partition " + std::to_string(p) +
                                            " lies outside the lists or names a row twice");
    }
  }
  if (!all(in_lists)) return Error(ErrorCode::kCorrupt, "a row is in no partition");
  return {};
}

CoveringIndex::Plan PartitionIndex::plan(const SearchRequest& r) const {
  const uint64_t rows = header().total_nodes;
  const double passing = passing_rows(r, rows);
  const double share = passing / std::max<double>(1, static_cast<double>(rows));
  // The k rows that may be returned lie among k / share others, or more where a filter and distance
  // have to do with each other.
  const double rare = std::clamp((0.5 - share) / 0.3, 0.0, 1.0);
  const double room = r.filter != nullptr ? 1 + kFilterRoom * rare : 1.0;
  const uint32_t width = bounded_width(r, width_among(r, share, room));
  if (r.params.walk) return walk_or_scan(r, width);
  const double per_list = static_cast<double>(rows) / lists_.partitions / kCodesPerDistance;
  const double cost = lists_for(width, lists_.partitions) * per_list + width * kDistancesPerRow;
  return walk_or_scan(r, passing <= cost ? 0 : width);
}

void PartitionIndex::nearest_partitions(const FusedQuery& query, size_t wanted,
                                        SearchScratch::Impl& scratch) const {
  const FusedKernels& kernels = scratch.fused.kernels();
  KeyPool& pool = scratch.heads;
  pool.start(std::min<size_t>(wanted * kHeadsPerList + kMoreHeads, lists_.partitions));
  scratch.scanned.resize(size_t{kGroupsAtOnce} * kFusedDegree);
  for (uint32_t g = 0; g < lists_.root_groups; g += kGroupsAtOnce) {
    const uint32_t n =
        kernels.scan(lists_.layout, lists_.root + size_t{g} * lists_.layout.group_bytes(),
                     std::min(kGroupsAtOnce, lists_.root_groups - g), query, query.norm2,
                     limit_of(pool.limit()), scratch.scanned.data());
    for (uint32_t i = 0; i < n; ++i) {
      if (static_cast<uint32_t>(scratch.scanned[i]) < lists_.partitions) {
        pool.add(scratch.scanned[i]);
      }
    }
  }
  pool.keep_smallest();
  std::vector<uint64_t>& keys = pool.keys();
  for (const uint64_t key : keys) {
    const std::byte* head = lists_.head(static_cast<uint32_t>(key));
    for (size_t i = 0; i < lists_.head_bytes(); i += 64) __builtin_prefetch(head + i);
  }
  for (uint64_t& key : keys) {
    const auto partition = static_cast<uint32_t>(key);
    key = distance_key(kernels.head_distance(lists_.layout, lists_.head(partition), query)) |
          partition;
  }
  std::sort(keys.begin(), keys.end());
  keys.resize(std::min(keys.size(), wanted));
}

bool PartitionIndex::search_lists(const SearchRequest& r, const FusedQuery& query, uint32_t width,
                                  uint64_t deadline, SearchScratch::Impl& scratch,
                                  SearchStats& stats) const {
  const FusedKernels& kernels = scratch.fused.kernels();
  const size_t group_bytes = lists_.layout.group_bytes();
  nearest_partitions(query, lists_for(width, lists_.partitions), scratch);
  stats.distances += scratch.heads.keys().size();
  KeyPool& pool = scratch.codes;
  pool.start(width);
  bool in_time = true;
  for (const uint64_t near : scratch.heads.keys()) {
    if (deadline != 0 && steady_now_ns() > deadline) {
      in_time = false;
      break;
    }
    const auto list = lists_.list(static_cast<uint32_t>(near));
    if (!list) {
      ++stats.bad_lists;
      continue;
    }
    ++stats.expansions;
    const float distance = limit_of(near);
    for (uint32_t g = 0; g < list->count; g += kGroupsAtOnce) {
      const uint32_t n = kernels.scan(lists_.layout, list->groups + g * group_bytes,
                                      std::min(kGroupsAtOnce, list->count - g), query, distance,
                                      limit_of(pool.limit()), scratch.scanned.data());
      for (uint32_t i = 0; i < n; ++i) {
        const auto number = static_cast<uint32_t>(scratch.scanned[i]);
        const uint64_t row = header().first_row + number;
        if (number >= header().total_nodes || !r.may_return(row)) {
          continue;
        }
        pool.add((scratch.scanned[i] & ~uint64_t{0xFFFFFFFF}) | uint64_t{number} << 1);
      }
    }
  }
  pool.keep_smallest();
  scratch.candidates = pool.keys();
  // In the order of the rows: nearer in memory, and a damaged list cannot name a row twice.
  const auto number = [](uint64_t key) { return static_cast<uint32_t>(key); };
  std::ranges::sort(scratch.candidates, {}, number);
  const auto twice = std::ranges::unique(scratch.candidates, {}, number);
  scratch.candidates.erase(twice.begin(), twice.end());
  return in_time;
}

// In the space, of the row that is the tenth as far as has been compared; 0 where there are fewer.
double PartitionIndex::tenth_distance(const SearchRequest& r, SearchScratch::Impl& scratch) const {
  const size_t at = std::min<size_t>(r.params.k, 10) - 1;
  if (scratch.distances.size() <= at) return 0;
  std::vector<std::pair<float, uint64_t>> ranked(scratch.distances.size());
  for (size_t i = 0; i < ranked.size(); ++i) {
    ranked[i] = {scratch.distances[i], scratch.candidates[i]};
  }
  std::nth_element(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(at), ranked.end());
  const uint64_t row = header().first_row + FusedSearcher::node_of(ranked[at].second);
  std::vector<float> vector(header().dim);
  if (!kernels::decode_row((*r.rows)[row], header().dtype, vector)) return 0;
  return static_cast<double>(distance_to(scratch.placed.data(), vector));
}

Result<bool> PartitionIndex::walk(const SearchRequest& r, uint32_t width, uint64_t deadline,
                                  SearchScratch::Impl& scratch, TopK& best,
                                  SearchStats& stats) const {
  RVF_TRY(place_query(r, scratch));
  const FusedQuery query = scratch.fused.prepare(lists_.layout, scratch.placed.data());
  TopK found(r.params.k, r.ids);
  bool in_time = search_lists(r, query, width, deadline, scratch, stats);
  compare_exactly(r, scratch, found, stats);
  const uint32_t wider =
      in_time && r.params.ef == 0 ? wider_for(r, width, tenth_distance(r, scratch)) : 0;
  if (wider > width) {
    found.reset(r.params.k, r.ids);
    in_time = search_lists(r, query, wider, deadline, scratch, stats);
    compare_exactly(r, scratch, found, stats);
    stats.ef = wider;
  }
  best.merge(found);
  stats.layers |= kLayerA;
  return in_time;
}

Result<std::unique_ptr<Index>> open_fused(const std::vector<wire::ByteSpan>& fused) {
  if (fused.size() == 1) {
    RVF_ASSIGN(const wire::FusedPayloadView view, wire::parse_fused(fused.front()));
    if (view.header.partitions) {
      RVF_ASSIGN(auto index, PartitionIndex::open(fused.front()));
      return std::unique_ptr<Index>(std::move(index));
    }
  }
  RVF_ASSIGN(auto index, FusedIndex::open(fused));
  return std::unique_ptr<Index>(std::move(index));
}

}  // namespace rvf::index
