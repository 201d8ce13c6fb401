#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/convert.hpp"
#include "runtime/snapshot_impl.hpp"
#include "wire/compress.hpp"

namespace rvf {

using runtime::no_throw;

namespace {

// What a compressed attachment may unpack to.
constexpr uint64_t kMaxUnpacked = 1ULL << 30;

}  // namespace

void Snapshot::Impl::expect_scan() const {
  std::call_once(scan_expected_, [&] {
    for (const auto& segment : state.segments) state.will_need(segment->entry());
  });
}

Result<uint64_t> Snapshot::Impl::find_row(uint64_t id) const {
  const auto row = ids->find(state, id);
  bool gone = !row;
  if (row && schema->find(kExpiryField) != nullptr) {
    RVF_ASSIGN(const Dead now, dead());
    gone = now->test(*row);
  }
  if (gone) return Error(ErrorCode::kNotFound, "no vector has the id " + std::to_string(id));
  return *row;
}

uint32_t Snapshot::epoch() const noexcept { return impl_->epoch; }
Result<uint64_t> Snapshot::size() const {
  return impl_->answer([&]() -> Result<uint64_t> {
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    return impl_->state.rows.size() - dead->count();
  });
}
uint32_t Snapshot::dimension() const noexcept { return impl_->state.dimension; }
DType Snapshot::dtype() const noexcept { return impl_->state.dtype; }
Metric Snapshot::metric() const noexcept { return impl_->state.metric; }

Result<QueryResult> Snapshot::query(std::span<const float> vector,
                                    const QueryOptions& options) const {
  return impl_->answer([&]() -> Result<QueryResult> {
    index::SearchScratch scratch = impl_->scratch->take();
    auto result = impl_->query(vector, options, scratch);
    impl_->scratch->give_back(std::move(scratch));
    if (result) impl_->hand_out(*result, options);
    return result;
  });
}

Result<std::vector<QueryResult>> Snapshot::query_batch(const Vectors& queries,
                                                       const QueryOptions& options,
                                                       Executor* executor) const {
  return impl_->answer([&]() -> Result<std::vector<QueryResult>> {
    if (queries.count > 0 && queries.data == nullptr) {
      return Error(ErrorCode::kBadArgument, "the batch has no data");
    }
    const size_t bytes = vector_bytes(queries.dtype, queries.dimension);
    std::vector<QueryResult> results(queries.count);
    std::mutex mutex;
    std::optional<Error> failed;
    const auto body = [&](size_t, uint64_t begin, uint64_t end) {
      index::SearchScratch scratch = impl_->scratch->take();
      std::vector<float> vector(queries.dimension);
      for (uint64_t i = begin; i < end; ++i) {
        const auto* row = static_cast<const std::byte*>(queries.data) + i * bytes;
        auto decoded = kernels::decode_row(row, queries.dtype, vector);
        Result<QueryResult> one =
            decoded ? impl_->query(vector, options, scratch) : Result<QueryResult>(decoded.error());
        if (one) {
          results[i] = std::move(*one);
          impl_->hand_out(results[i], options);
          continue;
        }
        std::lock_guard lock(mutex);
        Error e = std::move(one).error();
        e.message = "query " + std::to_string(i) + ": " + e.message;
        if (!failed) failed = std::move(e);
        break;
      }
      impl_->scratch->give_back(std::move(scratch));
    };
    if (executor != nullptr && executor->width() > 1 && queries.count > 1) {
      executor->parallel_for(queries.count, 8, body);
    } else {
      body(0, 0, queries.count);
    }
    if (failed) return *std::move(failed);
    return results;
  });
}

Status Snapshot::intact() const {
  return impl_->answer([] { return Status(); });
}

Result<bool> Snapshot::contains(uint64_t id) const {
  return impl_->answer([&]() -> Result<bool> {
    const auto row = impl_->find_row(impl_->outside(id));
    if (!row && row.error().code != ErrorCode::kNotFound) return row.error();
    return row.ok();
  });
}

Result<std::vector<float>> Snapshot::get(uint64_t id) const {
  return impl_->answer([&]() -> Result<std::vector<float>> {
    RVF_ASSIGN(const uint64_t row, impl_->find_row(impl_->outside(id)));
    std::vector<float> out(impl_->state.dimension);
    RVF_TRY(kernels::decode_row(impl_->state.rows[row], impl_->state.dtype, out));
    return out;
  });
}

Status Snapshot::get_raw(uint64_t id, std::span<std::byte> out) const {
  return impl_->answer([&]() -> Status {
    const size_t bytes = vector_bytes(impl_->state.dtype, impl_->state.dimension);
    if (out.size() != bytes) {
      return Error(ErrorCode::kBadArgument,
                   "a vector of this store takes " + std::to_string(bytes) + " bytes");
    }
    RVF_ASSIGN(const uint64_t row, impl_->find_row(impl_->outside(id)));
    std::memcpy(out.data(), impl_->state.rows[row], bytes);
    return {};
  });
}

Status Snapshot::for_each(
    const std::function<bool(uint64_t, std::span<const std::byte>)>& visit) const {
  return impl_->answer([&]() -> Status {
    const runtime::LiveState& s = impl_->state;
    const size_t bytes = vector_bytes(s.dtype, s.dimension);
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    std::vector<uint64_t> ids;
    for (const auto& segment : s.segments) {
      ids.clear();
      segment->copy_ids(ids);
      const uint64_t first = segment->rows().first_row;
      for (size_t i = 0; i < ids.size(); ++i) {
        if (dead->test(first + i)) continue;
        if (!visit(impl_->outside(ids[i]), {s.rows[first + i], bytes})) return {};
      }
    }
    return {};
  });
}

Result<std::vector<uint64_t>> Snapshot::ids() const {
  return impl_->answer([&]() -> Result<std::vector<uint64_t>> {
    RVF_ASSIGN(const Impl::Dead dead, impl_->dead());
    std::vector<uint64_t> all;
    for (const auto& segment : impl_->state.segments) {
      const size_t begin = all.size();
      segment->copy_ids(all);
      const uint64_t first = segment->rows().first_row;
      size_t kept = begin;
      for (size_t i = begin; i < all.size(); ++i) {
        if (!dead->test(first + i - begin)) all[kept++] = impl_->outside(all[i]);
      }
      all.resize(kept);
    }
    std::sort(all.begin(), all.end());
    return all;
  });
}

Result<std::vector<SegmentInfo>> Snapshot::segments() const {
  return no_throw([&]() -> Result<std::vector<SegmentInfo>> {
    std::vector<SegmentInfo> all;
    for (const wire::DirEntry& e : impl_->directory) {
      SegmentInfo info;
      info.segment_id = e.segment_id;
      info.type = static_cast<uint8_t>(e.type);
      info.tier = e.tier;
      info.flags = e.flags;
      info.offset = e.offset;
      info.payload_bytes = e.payload_length;
      info.compression = static_cast<uint8_t>(e.compression);
      info.shard = e.shard;
      info.attachment = impl_->owner.is_attachment(e);
      all.push_back(info);
    }
    for (const auto& s : impl_->state.segments) {
      auto it =
          std::lower_bound(all.begin(), all.end(), s->entry().segment_id,
                           [](const SegmentInfo& a, uint64_t id) { return a.segment_id < id; });
      if (it != all.end() && it->segment_id == s->entry().segment_id) it->rows = s->rows().rows;
    }
    std::sort(all.begin(), all.end(),
              [](const SegmentInfo& a, const SegmentInfo& b) { return a.offset < b.offset; });
    return all;
  });
}

Result<wire::DirEntry> Snapshot::Impl::entry(uint64_t segment_id) const {
  const auto it =
      std::lower_bound(directory.begin(), directory.end(), segment_id,
                       [](const wire::DirEntry& e, uint64_t id) { return e.segment_id < id; });
  if (it == directory.end() || it->segment_id != segment_id) {
    return Error(ErrorCode::kNotFound, "the store has no segment " + std::to_string(segment_id));
  }
  return *it;
}

Result<std::vector<std::byte>> Snapshot::payload(uint64_t segment_id) const {
  return impl_->answer([&]() -> Result<std::vector<std::byte>> {
    RVF_ASSIGN(const wire::DirEntry entry, impl_->entry(segment_id));
    RVF_ASSIGN(const wire::SegmentView view, impl_->state.verified_segment(entry));
    if (view.header.compression == Compression::kNone) {
      return std::vector<std::byte>(view.payload.begin(), view.payload.end());
    }
    return wire::decompress(view.header.compression, view.payload, view.header.uncompressed_length,
                            kMaxUnpacked);
  });
}

Result<std::span<const std::byte>> Snapshot::mapped(uint64_t segment_id) const {
  return impl_->answer([&]() -> Result<std::span<const std::byte>> {
    RVF_ASSIGN(const wire::DirEntry entry, impl_->entry(segment_id));
    RVF_ASSIGN(const wire::SegmentView view, impl_->state.segment(entry));
    if (view.header.compression != Compression::kNone) {
      return Error(ErrorCode::kUnsupported, "the segment is compressed; payload() unpacks it",
                   segment_id);
    }
    return view.payload;
  });
}

}  // namespace rvf
