#include "runtime/part_cache.hpp"

#include <set>
#include <string_view>

namespace rvf::runtime {

Result<meta::Schema> schema_of(const std::vector<wire::SchemaEntry>& entries) {
  meta::Schema schema;
  std::set<std::string_view> names;
  for (const wire::SchemaEntry& e : entries) {
    if (!names.insert(e.name).second) {
      return Error(ErrorCode::kManifestInvalid,
                   "the schema has two fields with the name '" + e.name + "'");
    }
    RVF_TRY(schema.restore({e.field_id, {e.name, e.type, e.indexed}}));
  }
  return schema;
}

std::vector<wire::SchemaEntry> schema_entries(const meta::Schema& schema) {
  std::vector<wire::SchemaEntry> out;
  for (const meta::SchemaField& f : schema.fields()) {
    out.push_back({f.id, f.field.type, f.field.indexed, f.field.name});
  }
  return out;
}

Result<meta::Table> PartCache::table(const LiveState& state,
                                     const std::vector<wire::DirEntry>& directory,
                                     const meta::Schema& schema) {
  std::vector<const wire::DirEntry*> parts;
  std::vector<const wire::DirEntry*> indexes;
  for (const wire::DirEntry& entry : directory) {
    if (!is_own_metadata(entry)) continue;
    (entry.type == SegmentType::kMeta ? parts : indexes).push_back(&entry);
  }
  std::vector<std::shared_ptr<const meta::Part>> all;
  {
    std::lock_guard guard(mutex_);
    RVF_TRY(open_new(state, parts, indexes));
    for (const wire::DirEntry* entry : parts) all.push_back(parts_.at(entry->segment_id));
  }
  return meta::Table::make(schema, std::move(all), state.rows.size());
}

Status PartCache::open_new(const LiveState& state, const std::vector<const wire::DirEntry*>& parts,
                           const std::vector<const wire::DirEntry*>& indexes) {
  std::map<uint64_t, meta::Part> opened;
  std::set<uint64_t> new_indexes;
  for (const wire::DirEntry* entry : parts) {
    if (parts_.contains(entry->segment_id)) continue;
    RVF_ASSIGN(const wire::ByteSpan payload, state.usable_payload(*entry));
    auto part = meta::Part::open(entry->segment_id, payload);
    if (!part) {
      Error e = std::move(part).error();
      e.segment_id = entry->segment_id;
      e.file_offset = entry->offset;
      return e;
    }
    opened.emplace(entry->segment_id, std::move(*part));
  }
  // An index is written in the commit of its part, so it belongs to one that is new as well. One
  // that does not read costs time, not answers.
  for (const wire::DirEntry* entry : indexes) {
    if (indexes_.contains(entry->segment_id)) continue;
    new_indexes.insert(entry->segment_id);
    const auto payload = state.usable_payload(*entry);
    if (!payload) continue;
    const auto owner = meta::Part::index_owner(*payload);
    if (!owner) continue;
    const auto part = opened.find(*owner);
    if (part != opened.end()) (void)part->second.add_index(*payload);
  }
  for (auto& [id, part] : opened) {
    auto shared = std::make_shared<const meta::Part>(std::move(part));
    parts_[id] = std::move(shared);
  }
  indexes_.merge(new_indexes);
  return {};
}

}  // namespace rvf::runtime
