// RVFMETA with a footer that holds, replayed as a snapshot and as deltas.
#include "layouts/rvfmeta.hpp"

#include "fuzz.hpp"
#include "layouts/native_columns.hpp"
#include "wire/sha256.hpp"

RVF_FUZZ {
  using namespace rvf::layouts;
  rvf::wire::Bytes bytes;
  rvf::wire::ByteWriter w(bytes);
  w.text(std::string_view("RVFMETA\0\1\0", 10));
  w.bytes(input);
  const auto digest = rvf::wire::sha256(bytes);
  w.text(std::string_view("RVFDONE\0", 8));
  w.number(digest);
  Budget budget(16U << 20, bytes.size());
  const auto meta = decode_rvfmeta(bytes, budget);
  if (!meta) {
    rvf::fuzz::require(!meta.error().message.empty());
    return;
  }
  const rvf::wire::Bytes again = encode_rvfmeta(*meta);
  Budget second(16U << 20, bytes.size());
  const auto back = decode_rvfmeta(again, second);
  rvf::fuzz::require(back.ok());
  rvf::fuzz::require(*back == *meta);
  rvf::fuzz::require(encode_rvfmeta(*back) == again);

  std::vector<std::string> notes;
  RvfMeta follows = *meta;
  follows.snapshot = false;
  follows.base = meta->generation;
  follows.generation = meta->generation + 1;
  ForeignStore store;
  for (const RvfRecord& r : meta->records) store.ids.push_back(r.id);
  const MetaState state = replay({*meta, follows}, notes);
  Budget third(16U << 20, bytes.size());
  auto columns = columns_of(state, store.ids, third, notes);
  if (!columns) return;
  store.columns = std::move(*columns);
  restore_native_columns(store);
  for (const rvf::Column& c : store.columns) {
    rvf::fuzz::require(is_native_name(c.name) || c.name == rvf::kExpiryField);
    rvf::fuzz::require(c.values.size() == store.ids.size());
  }
}
