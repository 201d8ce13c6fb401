// The reader of wire containers. The root's and the manifest's hashes are made to hold, so that
// what they name is reached.
#include "fuzz.hpp"
#include "layouts/readers.hpp"
#include "wire/segment.hpp"

RVF_FUZZ {
  using namespace rvf::layouts;
  if (input.size() < 16) return;
  // The input is the file before its manifest, and the manifest's records.
  const size_t records = std::to_integer<size_t>(input[0]) * 4;
  const rvf::wire::ByteSpan rest = input.subspan(1);
  const size_t at = rest.size() - std::min(records, rest.size());
  Bytes file(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(at));
  rvf::wire::Root root;
  const auto root_bytes = rvf::wire::encode_root(root);
  Bytes manifest(rest.begin() + static_cast<ptrdiff_t>(at), rest.end());
  manifest.insert(manifest.end(), root_bytes.begin(), root_bytes.end());
  rvf::SegmentHeader header;
  header.type = rvf::SegmentType::kManifest;
  const Bytes segment = rvf::wire::make_segment(header, manifest);
  file.insert(file.end(), segment.begin(), segment.end());

  DecodeOptions options;
  options.memory_budget = 16U << 20;
  const auto store = decode(file, options);
  if (!store) {
    rvf::fuzz::require(!store.error().message.empty());
    return;
  }
  rvf::fuzz::require(store->vectors.size() == store->ids.size() * store->dimension);
  for (size_t i = 1; i < store->ids.size(); ++i) {
    rvf::fuzz::require(store->ids[i - 1] < store->ids[i]);
  }
}
