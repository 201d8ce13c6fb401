#include "layouts/runtime_writer.hpp"

#include <algorithm>

#include "layouts/runtime_bytes.hpp"
#include "wire/segment.hpp"

namespace rvf::layouts {
namespace {

// Large enough for a short directory, small enough to be built in memory without a thought.
constexpr uint64_t kVecBytes = 64ULL << 20;
constexpr uint64_t kOldestReaderManifest = 65536;

class Output {
 public:
  explicit Output(io::File& file) : file_(file) {}

  Status append(SegmentType type, uint16_t flags, ByteSpan payload) {
    if (payload.size() > kMaxRuntimePayload) {
      return Error(ErrorCode::kTooLarge,
                   std::string("a ") + segment_type_name(type) + " segment of " +
                       std::to_string(payload.size()) +
                       " bytes: readers of runtime containers take at most 256 MiB");
    }
    SegmentHeader header;
    header.type = type;
    header.flags = flags;
    header.segment_id = directory_.size() + 1;
    header.payload_length = payload.size();
    header.checksum = ChecksumAlgo{0};
    header.content_hash = runtime_hash(payload);
    std::array<std::byte, kSegmentHeaderSize> head{};
    wire::encode_header(header, head);
    const std::span<const std::byte> parts[] = {head, payload};
    RVF_TRY(file_.write(size_, std::span<const std::span<const std::byte>>(parts)));
    directory_.push_back({header.segment_id, size_, payload.size(), static_cast<uint8_t>(type)});
    size_ += kSegmentHeaderSize + payload.size();
    return {};
  }
  const std::vector<RuntimeDirEntry>& directory() const noexcept { return directory_; }
  uint64_t size() const noexcept { return size_; }

 private:
  io::File& file_;
  uint64_t size_ = 0;
  std::vector<RuntimeDirEntry> directory_;
};

Status write_vectors(Output& out, const RuntimeContent& c) {
  const size_t row_bytes = 8 + size_t{c.dimension} * 4;
  const size_t per_segment = std::max<size_t>(1, kVecBytes / row_bytes);
  std::vector<float> row(c.dimension);
  for (size_t at = 0; at < c.ids.size(); at += per_segment) {
    const size_t count = std::min(per_segment, c.ids.size() - at);
    Bytes payload;
    payload.reserve(6 + count * row_bytes);
    wire::ByteWriter w(payload);
    w.u16(static_cast<uint16_t>(c.dimension));
    w.u32(static_cast<uint32_t>(count));
    for (size_t i = at; i < at + count; ++i) {
      RVF_TRY(c.row(i, row));
      w.u64(c.ids[i]);
      w.raw(row.data(), row.size() * 4);
    }
    RVF_TRY(out.append(SegmentType::kVec, 0, payload));
  }
  return {};
}

Status write_graph(Output& out, const RuntimeContent& c, WrittenRuntime& result) {
  if (c.graph == nullptr || c.ids.empty()) return {};
  auto payload = encode_runtime_index(*c.graph, c.ids);
  if (!payload && payload.error().code == ErrorCode::kTooLarge) {
    result.notes.push_back(payload.error().message);
    return {};
  }
  if (!payload) return std::move(payload).error();
  result.has_graph = true;
  return out.append(SegmentType::kIndex, 0, *payload);
}

bool says_something(const RvfMeta& m) {
  return !m.schema.empty() || !m.file.empty() || !m.records.empty();
}

}  // namespace

Result<WrittenRuntime> write_runtime(io::File& file, const RuntimeContent& content) {
  if (content.metric > Metric::kCosine) {
    return Error(ErrorCode::kWrongMetric, std::string("a runtime container cannot hold metric ") +
                                              metric_name(content.metric));
  }
  WrittenRuntime result;
  Output out(file);
  RVF_TRY(write_vectors(out, content));
  if (says_something(content.metadata)) {
    RVF_TRY(out.append(SegmentType::kMeta, 0, encode_rvfmeta(content.metadata)));
  }
  for (const OpaqueSegment& s : content.others) {
    RVF_TRY(out.append(static_cast<SegmentType>(s.type), s.flags, s.payload));
  }
  RVF_TRY(write_graph(out, content, result));

  RuntimeManifest manifest;
  manifest.epoch = content.epoch;
  manifest.dimension = static_cast<uint16_t>(content.dimension);
  manifest.total_vectors = content.ids.size();
  manifest.metric = static_cast<uint8_t>(content.metric);
  manifest.directory = out.directory();
  manifest.identity = content.identity;
  const Bytes payload = encode_runtime_manifest(manifest);
  RVF_TRY(out.append(SegmentType::kManifest, 0, payload));
  result.manifest_bytes = kSegmentHeaderSize + payload.size();
  if (result.manifest_bytes > kOldestReaderManifest) {
    result.notes.emplace_back(
        "there are so many segments that rvf-node up to 0.1.8 will not find the manifest");
  }
  result.bytes = out.size();
  RVF_TRY(file.sync());
  return result;
}

}  // namespace rvf::layouts
