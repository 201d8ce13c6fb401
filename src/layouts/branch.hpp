// Copy-on-write branches of runtime containers: COWMAP names the parent, MEMBERSHIP which of its
// ids the branch still has. docs/format.md, 17.
#pragma once
#include <array>
#include <string>

#include "layouts/budget.hpp"
#include "layouts/foreign.hpp"

namespace rvf::layouts {

struct CowMap {
  std::array<uint8_t, 16> base_id{};
  std::array<uint8_t, 32> base_hash{};
  std::string parent;  // path as the branch has it
};
Result<CowMap> decode_cow_map(ByteSpan payload);  // kCowMap, kUnsupported

// One bit an id.
class Membership {
 public:
  static Result<Membership> decode(ByteSpan payload);  // kMembership, kUnsupported
  bool contains(uint64_t id) const noexcept;

 private:
  ByteSpan bits_;  // borrowed
};

// Adds to `child`, which has no columns yet, the rows of the parent that it has not got itself,
// with their metadata. `membership` may be null: all. `deleted` ascends.
Status add_parent_rows(const ForeignStore& parent, const Membership* membership,
                       const std::vector<uint64_t>& deleted, Budget& budget, ForeignStore& child);

}  // namespace rvf::layouts
