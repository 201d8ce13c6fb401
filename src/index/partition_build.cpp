#include "index/partition_build.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "index/byte_row.hpp"
#include "index/graph_calibrate.hpp"
#include "index/partition_index.hpp"
#include "index/partition_train.hpp"
#include "types/splitmix.hpp"

namespace rvf::index {
namespace {

constexpr uint64_t kChunk = 4096;  // rows placed at once
constexpr uint32_t kHeldOut = 384;  // rows that make the queries of the calibration
constexpr uint32_t kFewHeldOut = 128;  // where finding their true neighbours takes long
constexpr uint64_t kManyRows = 2'000'000;
constexpr uint32_t kLeastToCalibrate = 2000;

class PartitionMaker {
 public:
  PartitionMaker(const GraphInput& input, const GraphParams& params, Executor& executor,
                 const Progress* progress)
      : input_(input), params_(params), executor_(executor), progress_(progress) {}

  Result<LargePayload> run() {
    RVF_TRY(report(0));
    RVF_ASSIGN(FusedSpace space, FusedSpace::fit(input_, params_.seed));
    RVF_TRY(report(0.05));
    RVF_ASSIGN(const PartitionCentroids centroids,
               PartitionCentroids::train(space, input_, params_.seed, executor_,
                                         [&](double share) { return report(0.05 + 0.2 * share); }));
    RVF_TRY(assign(space, centroids));
    RVF_TRY(lay_out(space, centroids.count()));
    RVF_TRY(encode(space, centroids));
    write_root(space, centroids);
    calibrate_lists(std::move(space));
    header_.calibration.resize(most_calibration_points(), {});
    wire::write_fused_prefix(header_, {root_.get(), root_bytes_}, payload_.bytes.get());
    RVF_TRY(report(1));
    return std::move(payload_);
  }

 private:
  Status report(double share) const {
    const auto done = static_cast<uint64_t>(share * static_cast<double>(input_.count));
    if (progress_ != nullptr && *progress_ && !(*progress_)(done, input_.count)) {
      return Error(ErrorCode::kCancelled, "the build was asked to stop");
    }
    return {};
  }

  // Which partition each row belongs to, then the rows of each, ascending.
  Status assign(const FusedSpace& space, const PartitionCentroids& centroids) {
    const size_t padded = space.layout().padded;
    std::vector<uint32_t> partition(static_cast<size_t>(input_.count));
    struct Worker {
      PartitionCentroids::Scratch scratch;
      std::vector<float> placed;
      std::vector<float> vector;
    };
    std::vector<Worker> workers(executor_.width());
    constexpr uint64_t kPass = kChunk * 256;
    for (uint64_t begin = 0; begin < input_.count; begin += kPass) {
      const uint64_t end = std::min(input_.count, begin + kPass);
      executor_.parallel_for(end - begin, kChunk, [&](size_t worker, uint64_t b, uint64_t e) {
        Worker& w = workers[worker];
        w.placed.resize(kChunk * padded);
        w.vector.resize(input_.dim);
        for (uint64_t i = b; i < e; ++i) {
          place_row(space, input_, input_.first_row + begin + i, w.vector,
                    &w.placed[(i - b) * padded]);
        }
        centroids.nearest(w.placed.data(), e - b, &partition[begin + b], w.scratch);
      });
      RVF_TRY(report(0.25 + 0.45 * static_cast<double>(end) / static_cast<double>(input_.count)));
    }
    first_.assign(size_t{centroids.count()} + 1, 0);
    for (const uint32_t p : partition) ++first_[p + 1];
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    rows_.resize(partition.size());
    std::vector<uint64_t> at(first_.begin(), first_.end() - 1);
    for (uint32_t row = 0; row < partition.size(); ++row) rows_[at[partition[row]]++] = row;
    return {};
  }

  Status lay_out(const FusedSpace& space, uint32_t partitions) {
    const FusedLayout& l = space.layout();
    lists_.layout = l;
    lists_.partitions = partitions;
    lists_.root_groups = fused_groups(partitions);
    for (uint32_t p = 0; p < partitions; ++p) {
      lists_.group_count += fused_groups(first_[p + 1] - first_[p]);
    }
    describe_space(space, input_, header_);
    header_.partitions = true;
    header_.block_bytes = static_cast<uint32_t>(lists_.head_bytes());
    header_.total_nodes = header_.node_count = input_.count;
    header_.partition_count = partitions;
    header_.group_count = lists_.group_count;
    header_.root_groups = lists_.root_groups;

    root_bytes_ = size_t{lists_.root_groups} * l.group_bytes();
    const size_t prefix =
        wire::fused_prefix_bytes(header_.centre.size(), most_calibration_points(), root_bytes_);
    const size_t heads = partitions * lists_.head_bytes();
    payload_.size = prefix + heads + lists_.group_count * l.group_bytes();
    if (payload_.size >= kMaxPayload) {
      return Error(ErrorCode::kTooLarge, "an index of " + std::to_string(input_.count) +
                                             " rows is larger than a segment may be");
    }
    payload_.bytes = aligned_array<std::byte>(payload_.size);
    root_ = aligned_array<std::byte>(root_bytes_);
    if (payload_.bytes == nullptr || root_ == nullptr) {
      return Error(ErrorCode::kOutOfMemory, "no memory for the codes of the partitions");
    }
    std::memset(payload_.bytes.get(), 0, prefix + heads);
    heads_ = payload_.bytes.get() + prefix;
    groups_ = heads_ + heads;
    lists_.root = root_.get();
    lists_.heads = heads_;
    lists_.groups = groups_;
    uint64_t group = 0;
    for (uint32_t p = 0; p < partitions; ++p) {
      const uint32_t n = fused_groups(first_[p + 1] - first_[p]);
      std::byte* head = heads_ + p * lists_.head_bytes();
      std::memcpy(head + wire::kHeadFirstGroup, &group, sizeof(group));
      std::memcpy(head + wire::kHeadGroups, &n, sizeof(n));
      group += n;
    }
    return {};
  }

  Status encode(const FusedSpace& space, const PartitionCentroids& centroids) {
    const FusedLayout& l = lists_.layout;
    const FusedKernels& kernels = fused_kernels();
    constexpr uint32_t kPass = 1024;
    for (uint32_t begin = 0; begin < lists_.partitions; begin += kPass) {
      const uint32_t end = std::min(lists_.partitions, begin + kPass);
      executor_.parallel_for(end - begin, 4, [&](size_t, uint64_t b, uint64_t e) {
        std::vector<float> vector(input_.dim);
        std::vector<float> placed(l.padded);
        std::vector<int8_t> centre(l.vector_bytes);
        std::vector<int8_t> codes(size_t{kFusedDegree} * l.vector_bytes);
        for (uint64_t i = b; i < e; ++i) {
          const auto p = static_cast<uint32_t>(begin + i);
          std::byte* head = heads_ + p * lists_.head_bytes();
          const ByteRow own = to_byte_row(l, centroids.centroid(p), 0, centre.data());
          write_head(l, centre.data(), own, head);
          uint64_t group;
          std::memcpy(&group, head + wire::kHeadFirstGroup, sizeof(group));
          for (uint64_t at = first_[p]; at < first_[p + 1]; at += kFusedDegree, ++group) {
            GroupMember members[kFusedDegree];
            const auto n =
                static_cast<size_t>(std::min<uint64_t>(kFusedDegree, first_[p + 1] - at));
            for (size_t m = 0; m < n; ++m) {
              const uint32_t row = rows_[at + m];
              int8_t* code = &codes[m * l.vector_bytes];
              const float lift =
                  place_row(space, input_, input_.first_row + row, vector, placed.data());
              const ByteRow bytes = to_byte_row(l, placed.data(), lift, code);
              members[m] = {row, code, bytes.scale, lift};
            }
            write_group(kernels, l, centre.data(), own.scale, {members, n},
                        groups_ + group * l.group_bytes());
          }
        }
      });
      RVF_TRY(report(0.7 + 0.2 * end / lists_.partitions));
    }
    return {};
  }

  void write_root(const FusedSpace& space, const PartitionCentroids& centroids) {
    const FusedLayout& l = space.layout();
    const std::vector<int8_t> origin(l.vector_bytes, 0);
    std::vector<int8_t> codes(size_t{kFusedDegree} * l.vector_bytes);
    for (uint32_t g = 0; g < lists_.root_groups; ++g) {
      GroupMember members[kFusedDegree];
      const uint32_t first = g * kFusedDegree;
      const uint32_t n = std::min(kFusedDegree, lists_.partitions - first);
      for (uint32_t m = 0; m < n; ++m) {
        int8_t* code = &codes[size_t{m} * l.vector_bytes];
        const ByteRow bytes = to_byte_row(l, centroids.centroid(first + m), 0, code);
        members[m] = {first + m, code, bytes.scale, 0};
      }
      write_group(fused_kernels(), l, origin.data(), 0, {members, n},
                  root_.get() + size_t{g} * l.group_bytes());
    }
  }

  void calibrate_lists(FusedSpace space) {
    if (!params_.calibrate || input_.count < kLeastToCalibrate) return;
    std::vector<uint32_t> held;
    const uint32_t wanted = input_.count > kManyRows ? kFewHeldOut : kHeldOut;
    const uint64_t span = input_.count / wanted;
    for (uint32_t i = 0; i < wanted; ++i) {
      held.push_back(static_cast<uint32_t>(i * span + splitmix64(params_.seed + i) % span));
    }
    const PartitionIndex index(std::move(space), lists_, header_);
    header_.calibration = calibrate(index, input_, held, true, executor_);
  }

  const GraphInput& input_;
  const GraphParams& params_;
  Executor& executor_;
  const Progress* progress_;
  std::vector<uint64_t> first_;  // [partitions + 1] into rows_
  std::vector<uint32_t> rows_;  // numbers of rows, partition after partition
  wire::FusedHeader header_;
  LargePayload payload_;
  AlignedArray<std::byte> root_;
  size_t root_bytes_ = 0;
  PartitionLists lists_;
  std::byte* heads_ = nullptr;
  std::byte* groups_ = nullptr;
};

}  // namespace

Result<LargePayload> build_partitions(const GraphInput& input, const GraphParams& params,
                                      Executor& executor, const Progress* progress) {
  return PartitionMaker(input, params, executor, progress).run();
}

}  // namespace rvf::index
