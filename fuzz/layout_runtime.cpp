// Everything that a runtime container can be, with a parent that is the file itself.
#include "layouts/foreign.hpp"

#include "fuzz.hpp"
#include "layouts/runtime_bytes.hpp"
#include "layouts/runtime_writer.hpp"

namespace rvf {
namespace {

void check(const layouts::ForeignStore& s) {
  fuzz::require(s.vectors.size() == s.ids.size() * s.dimension);
  fuzz::require(s.keys.empty() || s.keys.size() == s.ids.size());
  for (size_t i = 1; i < s.ids.size(); ++i) fuzz::require(s.ids[i - 1] < s.ids[i]);
  for (const Column& c : s.columns) fuzz::require(c.values.size() == s.ids.size());
}

// What decodes can be written as a runtime container that decodes to the same rows.
void write_again(const layouts::ForeignStore& s) {
  if (s.dimension > UINT16_MAX) return;
  layouts::RuntimeContent content;
  content.dimension = s.dimension;
  content.metric = s.metric;
  content.ids = s.ids;
  for (const layouts::OpaqueSegment& o : s.others) {
    if (layouts::means_the_same_everywhere(o.type) && o.type != layouts::kCarriedType) {
      content.others.push_back(o);
    }
  }
  content.row = [&](size_t i, std::span<float> out) -> Status {
    std::copy_n(s.vectors.data() + i * s.dimension, s.dimension, out.data());
    return {};
  };
  const auto file = io::memory_file({});
  if (!layouts::write_runtime(*file, content)) return;
  wire::Bytes bytes(*file->size());
  fuzz::require(file->read(0, bytes).ok());
  const auto back = layouts::decode(bytes);
  fuzz::require(back.ok());
  fuzz::require(back->ids == s.ids);
  fuzz::require(back->others.size() == content.others.size());
  fuzz::require(std::memcmp(back->vectors.data(), s.vectors.data(), s.vectors.size() * 4) == 0);
}

}  // namespace
}  // namespace rvf

RVF_FUZZ {
  rvf::layouts::DecodeOptions options;
  options.memory_budget = 16U << 20;
  options.string_ids = input.last(input.size() / 4);
  options.parent = [&](const std::string&) -> rvf::Result<rvf::wire::Bytes> {
    return rvf::wire::Bytes(input.begin(), input.end());
  };
  const auto store = rvf::layouts::decode(input, options);
  if (!store) {
    rvf::fuzz::require(!store.error().message.empty());
    return;
  }
  rvf::check(*store);
  if (!store->vectors.empty()) rvf::write_again(*store);
}
