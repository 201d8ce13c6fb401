#include "layouts/branch.hpp"

#include <algorithm>

#include "layouts/runtime_bytes.hpp"

namespace rvf::layouts {
namespace {

constexpr uint32_t kCowMagic = 0x5256434D;
constexpr uint32_t kMembershipMagic = 0x52564D42;
constexpr uint64_t kMaxBitmap = 64U << 20;

// Where each row of the joined store comes from.
struct Source {
  uint64_t id;
  bool own;
  size_t row;
};

}  // namespace

Result<CowMap> decode_cow_map(ByteSpan payload) {
  wire::ByteReader in(payload);
  const uint32_t magic = in.u32();
  const uint16_t version = in.u16();
  in.skip(10);
  CowMap map;
  map.base_id = in.number<std::array<uint8_t, 16>>();
  map.base_hash = in.number<std::array<uint8_t, 32>>();
  in.skip(9);  // bytes a vector, frozen, snapshot epoch
  const uint32_t parent_length = in.u32();
  in.skip(4);
  map.parent = in.text(parent_length);
  if (!in.ok() || magic != kCowMagic) {
    return Error(ErrorCode::kCowMap, "the branch's COWMAP does not decode");
  }
  if (version != 1) {
    return Error(ErrorCode::kUnsupported, "a COWMAP of version " + std::to_string(version));
  }
  return map;
}

Result<Membership> Membership::decode(ByteSpan payload) {
  wire::ByteReader in(payload);
  const uint32_t magic = in.u32();
  const uint16_t version = in.u16();
  const uint8_t type = in.u8();
  const uint8_t mode = in.u8();
  in.skip(16);
  const uint64_t offset = in.u64();
  const uint32_t size = in.u32();
  in.skip(4);
  const auto hash = in.number<std::array<uint8_t, 32>>();
  if (!in.ok() || magic != kMembershipMagic || offset > payload.size() ||
      size > payload.size() - offset || size > kMaxBitmap) {
    return Error(ErrorCode::kMembership, "the branch's MEMBERSHIP does not decode");
  }
  if (version != 1 || type != 0 || mode != 0) {
    return Error(ErrorCode::kUnsupported, "a MEMBERSHIP of version " + std::to_string(version) +
                                              ", type " + std::to_string(type) + ", mode " +
                                              std::to_string(mode));
  }
  Membership m;
  m.bits_ = payload.subspan(static_cast<size_t>(offset), size);
  if (fold_hash(m.bits_) != hash) {
    return Error(ErrorCode::kMembership, "the branch's MEMBERSHIP fails its hash");
  }
  return m;
}

bool Membership::contains(uint64_t id) const noexcept {
  return id / 8 < bits_.size() &&
         (std::to_integer<unsigned>(bits_[static_cast<size_t>(id / 8)]) >> (id % 8) & 1U) != 0;
}

Status add_parent_rows(const ForeignStore& parent, const Membership* membership,
                       const std::vector<uint64_t>& deleted, Budget& budget, ForeignStore& child) {
  RVF_TRY(budget.take(parent.ids.size() + child.ids.size(), sizeof(Source), "rows of the branch"));
  std::vector<Source> rows;
  rows.reserve(parent.ids.size() + child.ids.size());
  for (size_t i = 0; i < child.ids.size(); ++i) rows.push_back({child.ids[i], true, i});
  for (size_t i = 0; i < parent.ids.size(); ++i) {
    const uint64_t id = parent.ids[i];
    if (membership != nullptr && !membership->contains(id)) continue;
    if (std::binary_search(child.ids.begin(), child.ids.end(), id)) continue;
    if (std::binary_search(deleted.begin(), deleted.end(), id)) continue;
    rows.push_back({id, false, i});
  }
  std::sort(rows.begin(), rows.end(), [](const Source& a, const Source& b) { return a.id < b.id; });

  const size_t dim = child.dimension;
  RVF_TRY(budget.take(rows.size(), 8 + dim * 4 + parent.columns.size() * sizeof(Value),
                      "rows of the branch"));
  std::vector<uint64_t> ids(rows.size());
  std::vector<float> vectors(rows.size() * dim);
  for (size_t i = 0; i < rows.size(); ++i) {
    ids[i] = rows[i].id;
    const float* from =
        (rows[i].own ? child.vectors.data() : parent.vectors.data()) + rows[i].row * dim;
    std::copy_n(from, dim, vectors.data() + i * dim);
  }
  for (const Column& from : parent.columns) {
    Column c{from.name, from.type, std::vector<Value>(rows.size())};
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].own) c.values[i] = from.values[rows[i].row];
    }
    child.columns.push_back(std::move(c));
  }
  child.ids = std::move(ids);
  child.vectors = std::move(vectors);
  return {};
}

}  // namespace rvf::layouts
