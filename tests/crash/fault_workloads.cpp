#include "crash/fault_workloads.hpp"

#include <gtest/gtest.h>

#include "io/file.hpp"

namespace rvf::testing {

Status ingest(Store& s, uint64_t seed, size_t count, std::span<const uint64_t> ids) {
  const auto values = values_of(seed, count, kFaultDim);
  return status_of(s.ingest(Vectors::from_f32(values, kFaultDim), ids));
}

std::vector<std::byte> prepared_store(size_t rows) {
  auto fs = io::memory_file_system();
  OpenOptions options;
  options.file_system = fs;
  CreateOptions c;
  c.dimension = kFaultDim;
  c.ef_construction = 8;
  c.graph_m = 4;
  auto s = Store::create(kFaultPath, c, options);
  EXPECT_TRUE(s.ok());
  for (uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(ingest(*s, i, rows / 4).ok());
  EXPECT_TRUE(s->close().ok());
  return bytes_of(*fs, kFaultPath);
}

namespace {

// Vectors with string ids and fields, one of them with its words indexed.
Status ingest_with_fields(Store& s, uint64_t seed, size_t rows) {
  const auto values = values_of(seed, rows, kFaultDim);
  std::vector<std::string> keys;
  Column year{"year", FieldType::kI64, {}};
  Column title{"title", FieldType::kString, {}};
  for (size_t i = 0; i < rows; ++i) {
    keys.push_back("key " + std::to_string(seed + i));
    year.values.emplace_back(static_cast<int64_t>(seed * 100 + i));
    title.values.emplace_back("the title of " + keys.back());
  }
  const Field words[] = {{"title", FieldType::kString, kIndexWords}};
  RVF_TRY(s.define_fields(words));
  const Column columns[] = {year, title};
  return status_of(s.ingest(Vectors::from_f32(values, kFaultDim), keys, columns));
}

}  // namespace

std::vector<FaultWorkload> metadata_fault_workloads() {
  const auto prepare = [](Store& s) { return ingest_with_fields(s, 60, 12); };
  const auto update = [](Store& s) {
    const std::string keys[] = {"key 65", "key 62"};
    const Column columns[] = {{"year", FieldType::kI64, {int64_t{1}, int64_t{2}}},
                              {"note", FieldType::kString, {std::string("new"), Value{}}}};
    return status_of(s.update_metadata(keys, columns));
  };
  std::vector<FaultWorkload> all;
  all.push_back({"ingest with string ids and fields", 0, Durability::kSync,
                 [](Store& s) { return ingest_with_fields(s, 50, 9); }, true, prepare});
  all.push_back({"update of fields", 0, Durability::kSync, update, true, prepare});
  all.push_back({"delete by filter", 0, Durability::kSync,
                 [](Store& s) { return status_of(s.remove_where("year >= 6005")); }, true,
                 prepare});
  all.push_back({"compact with fields", 0, Durability::kSync,
                 [](Store& s) { return status_of(s.compact()); }, false,
                 [prepare, update](Store& s) -> Status {
                   RVF_TRY(prepare(s));
                   return update(s);
                 },
                 false, true});
  return all;
}

std::vector<FaultWorkload> fault_workloads() {
  const std::vector<uint64_t> upserted = {3, 4, 100, 7};
  std::vector<FaultWorkload> all;
  all.push_back(
      {"ingest with sync", 20, Durability::kSync, [](Store& s) { return ingest(s, 50, 9); }});
  all.push_back(
      {"ingest with flush", 20, Durability::kFlush, [](Store& s) { return ingest(s, 50, 9); }});
  all.push_back({"ingest without durability, then commit", 20, Durability::kNone,
                 [](Store& s) -> Status {
                   RVF_TRY(ingest(s, 50, 9));
                   return s.commit();
                 },
                 true, nullptr, true});
  all.push_back({"close with uncommitted rows", 20, Durability::kNone,
                 [](Store& s) { return s.close(); }, true,
                 [](Store& s) { return ingest(s, 50, 9); }});
  all.push_back({"upsert", 20, Durability::kSync,
                 [upserted](Store& s) { return ingest(s, 51, 4, upserted); }});
  all.push_back({"delete", 20, Durability::kSync,
                 [](Store& s) { return status_of(s.remove(std::vector<uint64_t>{1, 2, 19})); }});
  all.push_back({"attach", 20, Durability::kSync,
                 [](Store& s) {
                   Attachment a;
                   a.type = 0xF7;
                   a.payload.resize(5000, std::byte{3});
                   WriteBatch b;
                   b.attach = std::span(&a, 1);
                   return status_of(s.write(b));
                 },
                 false});
  all.push_back(
      {"rollback", 20, Durability::kSync, [](Store& s) { return status_of(s.rollback(3)); }});
  all.push_back({"compact", 20, Durability::kSync, [](Store& s) { return status_of(s.compact()); },
                 false, [](Store& s) { return status_of(s.remove(std::vector<uint64_t>{5, 6})); },
                 false, true});
  return all;
}

FaultWorkload index_fault_workload() {
  return {"build_index", 4200, Durability::kSync, [](Store& s) { return s.build_index(); }, false};
}

std::vector<FaultWorkload> tier_fault_workloads() {
  CompactOptions tiers;
  tiers.tiers = true;
  tiers.rebuild_index = false;
  CompactOptions shard = tiers;
  shard.cold_shard = true;
  // What is found often stays hot; without a search no row would be cold.
  const auto search = [](Store& s) -> Status {
    const std::vector<float> query(kFaultDim, 0.5F);
    for (int i = 0; i < 50; ++i) RVF_TRY(status_of(s.query(query, {.k = 3})));
    return {};
  };
  return {{"compact with tiers", 400, Durability::kSync,
           [tiers](Store& s) { return status_of(s.compact(tiers)); }, true, nullptr, false, true},
          {"compact to a cold shard", 400, Durability::kSync,
           [shard](Store& s) { return status_of(s.compact(shard)); }, true, search, false, true}};
}

}  // namespace rvf::testing
