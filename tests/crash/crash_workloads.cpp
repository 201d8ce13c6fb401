#include "crash/crash_workloads.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/convert.hpp"

namespace rvf::testing {
namespace {

using Ids = std::vector<uint64_t>;

std::vector<Column> columns_for(Life& life, size_t rows) {
  Column year{"year", FieldType::kI64, {}};
  Column title{"title", FieldType::kString, {}};
  for (size_t i = 0; i < rows; ++i) {
    year.values.emplace_back(static_cast<int64_t>(2000 + life.random()() % 30));
    title.values.emplace_back("title number " + std::to_string(life.random()() % 1000));
  }
  return {year, title};
}

void write_rows(Life& life, size_t rows, std::span<const std::string> keys,
                std::span<const Column> columns, std::span<const std::string> gone = {}) {
  const auto values = values_of(life.random()(), rows, kLifeDim);
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(values, kLifeDim);
  batch.keys = keys;
  batch.columns = columns;
  batch.delete_keys = gone;
  life.call(life.store().write(batch));
}

std::vector<std::string> keys_from(size_t first, size_t count) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back("key " + std::to_string(first + i));
  return keys;
}

void create_alone(Life& life) {
  life.create();
  life.close();
}

// What is found often stays hot in a compaction with tiers.
void ask(Life& life, int times) {
  const std::vector<float> query(life.store().status().dimension, 0.5F);
  for (int i = 0; i < times; ++i) {
    if (auto found = life.store().query(query, {.k = 3}); !found) {
      return life.fail(found.error().message);
    }
  }
}

void ingest_durably(Life& life) {
  life.create();
  for (const size_t rows : {12U, 1U, 3U}) life.ingest(rows);
  life.close();
}

void ingest_flushed(Life& life) {
  life.options().durability = Durability::kFlush;
  life.create();
  for (const size_t rows : {5U, 1U, 3U}) life.ingest(rows);
  life.durable_call(life.store().commit());
  life.ingest(2);
  life.remove({1, 6});
  life.close();
}

void ingest_put_off(Life& life) {
  life.options().durability = Durability::kNone;
  life.create();
  life.ingest(6);
  life.ingest(2);
  life.durable_call(life.store().commit());
  life.ingest(3);
  life.remove({0, 7});
  life.close();
  life.open(Durability::kNone);
  life.ingest(2);
  life.durable_call(life.store().commit());
  life.ingest(4);
  life.die();
  life.open();
  life.ingest(1);
  life.close();
}

void upsert(Life& life) {
  life.create();
  life.ingest(10);
  life.ingest(4, Ids{3, 4, 100, 7});
  life.ingest(2, Ids{100, 3});
  life.close();
}

void remove_by_id(Life& life) {
  life.create();
  life.ingest(12);
  life.remove({2, 3, 9});
  life.call(life.store().remove_range(4, 6));
  life.remove({0, 1, 7, 8, 10, 11});
  life.ingest(2);
  life.close();
}

void remove_by_filter(Life& life) {
  life.create();
  write_rows(life, 12, {}, columns_for(life, 12));
  life.call(life.store().remove_where("year >= 2015"));
  write_rows(life, 4, {}, columns_for(life, 4));
  life.call(life.store().remove_where("title = \"title number 1\" or year < 2008"));
  life.close();
}

void metadata(Life& life) {
  life.create();
  const Field words[] = {{"title", FieldType::kString, kIndexWords}};
  life.call(life.store().define_fields(words));
  write_rows(life, 9, {}, columns_for(life, 9));
  const Column wider[] = {{"year", FieldType::kF64, {Value(1.5), Value(2.5)}}};
  write_rows(life, 2, {}, wider);
  const Ids ids = {1, 3};
  const Column update[] = {{"year", FieldType::kI64, {int64_t{1}, int64_t{2}}},
                           {"note", FieldType::kString, {std::string("new"), Value{}}}};
  life.call(life.store().update_metadata(ids, update));
  life.close();
}

void string_ids(Life& life) {
  life.create();
  write_rows(life, 6, keys_from(0, 6), columns_for(life, 6));
  write_rows(life, 4, keys_from(4, 4), {}, keys_from(0, 2));
  write_rows(life, 2, keys_from(0, 2), {});
  life.close();
}

void attachments(Life& life) {
  life.create();
  life.ingest(4);
  Attachment text[2];
  text[0].type = 0xF7;
  text[0].payload.resize(700 + life.random()() % 500, std::byte{7});
  text[1].type = 0xF8;
  text[1].compress = true;
  text[1].payload.resize(3000, std::byte{3});
  const auto values = values_of(life.random()(), 2, kLifeDim);
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(values, kLifeDim);
  batch.attach = text;
  auto first = life.store().write(batch);
  if (!first) return life.fail(first.error().message);
  life.acknowledged(Durability::kSync);
  WriteBatch exchange;
  exchange.attach = std::span(text, 1);
  exchange.detach = first->attached;
  life.call(life.store().write(exchange));
  life.call(life.store().compact());
  life.close();
}

void roll_back(Life& life) {
  life.create();
  life.ingest(8);
  const uint32_t marked = life.store().status().epoch;
  life.remove({1, 2});
  life.ingest(3);
  life.call(life.store().rollback(marked));
  life.ingest(2);
  life.call(life.store().rollback(marked + 1));
  life.close();
}

void compact_alone(Life& life) {
  life.create();
  life.ingest(15);
  life.remove({2, 3, 9});
  CompactOptions plain;
  plain.rebuild_index = false;
  life.call(life.store().compact(plain));
  life.ingest(3);
  life.call(life.store().compact(plain));
  life.close();
}

void compact_stopped(Life& life) {
  life.create();
  life.ingest(15);
  life.remove({2, 3});
  const Progress stop = [](uint64_t, uint64_t) { return false; };
  CompactOptions stopped;
  stopped.progress = &stop;
  life.refused(life.store().compact(stopped));
  life.call(life.store().compact());  // goes on
  life.refused(life.store().compact(stopped));
  life.ingest(2);
  life.call(life.store().compact());  // begins anew
  life.close();
}

void compact_while_writing(Life& life) {
  life.create();
  write_rows(life, 10, {}, columns_for(life, 10));
  life.remove({2});
  const Progress write = [&life](uint64_t, uint64_t) {
    write_rows(life, 3, {}, columns_for(life, 3));
    life.remove({4, 10});
    const Ids ids = {5};
    const Column update[] = {{"year", FieldType::kI64, {int64_t{1}}}};
    life.call(life.store().update_metadata(ids, update));
    return true;
  };
  CompactOptions options;
  options.progress = &write;
  life.call(life.store().compact(options));
  life.ingest(1);
  life.close();
}

void compact_string_ids(Life& life) {
  life.create();
  write_rows(life, 8, keys_from(0, 8), columns_for(life, 8));
  write_rows(life, 3, keys_from(2, 3), columns_for(life, 3), keys_from(6, 1));
  life.call(life.store().compact());
  write_rows(life, 2, keys_from(6, 2), columns_for(life, 2));
  life.close();
}

void compact_to_cold_shard(Life& life) {
  CreateOptions create;
  create.dimension = 32;
  life.create(create);
  life.ingest(40);
  ask(life, 50);
  CompactOptions tiers;
  tiers.tiers = tiers.cold_shard = true;
  tiers.hot_fraction = tiers.warm_fraction = 0.2;
  life.call(life.store().compact(tiers));
  const auto shard = life.fs().exists(kStorePath + ".cold.0");
  if (!shard || !*shard) life.fail("no cold shard was made");
  life.ingest(2);
  ask(life, 50);
  life.call(life.store().compact(tiers));
  life.call(life.store().compact());
  life.close();
}

void expiry(Life& life) {
  life.create();
  Column expires{kExpiryField, FieldType::kTimestamp, {}};
  for (int64_t i = 0; i < 6; ++i) {
    // In 1970, in 2100, or never.
    expires.values.emplace_back(i % 3 == 0   ? Value(int64_t{1})
                                : i % 3 == 1 ? Value(int64_t{4'102'444'800'000'000'000})
                                             : Value());
  }
  write_rows(life, 6, {}, std::span(&expires, 1));
  life.call(life.store().compact());
  write_rows(life, 6, {}, std::span(&expires, 1));
  life.close();
}

void snapshots_held(Life& life) {
  life.create();
  life.ingest(6);
  auto first = life.store().snapshot();
  const Shown before = shown_of(*first);
  life.remove({1});
  life.ingest(3, Ids{0, 2, 50});
  auto second = life.store().snapshot();
  const Shown between = shown_of(*second);
  life.call(life.store().compact());
  life.ingest(2);
  if (!difference(before, shown_of(*first)).empty()) life.fail("a held snapshot changed");
  if (!difference(between, shown_of(*second)).empty()) life.fail("a held snapshot changed");
  life.close();
}

void tiny_rows(Life& life) {
  CreateOptions create;
  create.dimension = 1;
  life.create(create);
  for (int i = 0; i < 4; ++i) life.ingest(1);
  life.ingest(1, Ids{2});
  life.close();
}

void large_rows(Life& life) {
  CreateOptions create;
  create.dimension = 700;
  life.create(create);
  life.ingest(2);
  life.ingest(3, Ids{0, 10, 11});
  life.remove({1});
  life.call(life.store().compact());
  life.close();
}

void reopen_between(Life& life) {
  life.create();
  for (const Durability d :
       {Durability::kSync, Durability::kFlush, Durability::kNone, Durability::kSync}) {
    life.close();
    life.open(d);
    life.ingest(3);
    life.remove({life.random()() % 6});
  }
  life.close();
}

// A writer's process dies, the next one finds what it had flushed and promises it anew.
void commit_what_another_flushed(Life& life) {
  life.create();
  life.close();
  life.open(Durability::kFlush);
  life.ingest(4);
  life.die();
  life.open();
  life.durable_call(life.store().commit());
  life.die();
  life.open(Durability::kFlush);
  life.ingest(2);
  life.die();
  life.open();
  life.close();
}

void many_commits(Life& life) {
  life.create();
  for (uint64_t i = 0; i < 36; ++i) {
    if (i % 5 == 4) {
      life.remove({life.random()() % i});
    } else {
      life.ingest(1);
    }
  }
  life.close();
}

// A batch that is refused after it was written is cut off, and the next one takes its place.
void refused_batches(Life& life) {
  life.create();
  life.ingest(3);
  const Ids no_segment = {999'999};
  for (const size_t rows : {20U, 2U}) {
    const auto values = values_of(life.random()(), rows, kLifeDim);
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(values, kLifeDim);
    batch.detach = no_segment;
    life.refused(life.store().write(batch));
    life.ingest(5);
  }
  life.close();
}

void queries_counted(Life& life) {
  life.create();
  life.ingest(8);
  ask(life, 1100);
  life.close();
  life.open();
  life.ingest(1);
  CompactOptions tiers;
  tiers.tiers = true;
  life.call(life.store().compact(tiers));
  life.close();
}

// The converted file is there in full or not at all, and for good once the call has returned.
void convert(Life& life) {
  life.create();
  life.ingest(5);
  life.close();
  const Shown expected = life.states().back().shown;
  runtime::ConvertOptions options;
  options.file_system = life.options().file_system;
  const std::string container = "out.rvf";
  const std::string native = "back.rvf";
  auto there = runtime::convert_to_runtime(kStorePath, container, options);
  if (!there) return life.fail(there.error().message);
  const size_t container_made = life.fs().size();
  auto back = runtime::convert_to_native(container, native, options);
  if (!back) return life.fail(back.error().message);
  const size_t native_made = life.fs().size();
  life.also = [=](const std::shared_ptr<io::FileSystem>& fs, size_t events, bool) -> std::string {
    for (const std::string& path : {container, native}) {
      const bool promised = events >= (path == container ? container_made : native_made);
      const auto exists = fs->exists(path);
      if (!exists || (!*exists && promised)) return "has lost the converted " + path;
      if (!*exists) continue;
      OpenOptions o;
      o.file_system = fs;
      auto opened = Store::open_readonly(path, o);
      if (!opened) return path + " does not open: " + opened.error().message;
      const std::string d = difference(expected, shown_of(*opened->snapshot()));
      if (!d.empty()) return path + " differs: " + d;
    }
    return {};
  };
  life.open();
  life.ingest(1);
  life.close();
}

CreateOptions small_graph() {
  CreateOptions create;
  create.graph_m = 4;
  create.ef_construction = 8;
  create.dimension = 2;
  return create;
}

void build_index(Life& life) {
  life.create(small_graph());
  life.ingest(4200);
  life.call(life.store().build_index());
  life.ingest(60);
  life.remove({1, 2, 4100});
  life.call(life.store().build_index());  // grows it
  life.close();
}

void compact_with_index(Life& life) {
  life.create(small_graph());
  life.ingest(4300);
  life.call(life.store().build_index());
  life.remove({5, 6, 7});
  life.call(life.store().compact());
  life.close();
}

}  // namespace

std::vector<CrashWorkload> crash_workloads() {
  std::vector<CrashWorkload> all = {
      {"create", create_alone},
      {"ingest, synced", ingest_durably},
      {"ingest, flushed", ingest_flushed},
      {"ingest, put off", ingest_put_off},
      {"upsert", upsert},
      {"delete by id", remove_by_id},
      {"delete by filter", remove_by_filter},
      {"metadata", metadata},
      {"string ids", string_ids},
      {"attachments", attachments},
      {"rollback", roll_back},
      {"compaction", compact_alone},
      {"compaction, stopped and continued", compact_stopped},
      {"compaction while writing", compact_while_writing},
      {"compaction with string ids", compact_string_ids},
      {"compaction to a cold shard", compact_to_cold_shard},
      {"expiry", expiry},
      {"snapshots held", snapshots_held},
      {"tiny rows", tiny_rows},
      {"large rows", large_rows},
      {"reopened between", reopen_between},
      {"commit of what another process flushed", commit_what_another_flushed},
      {"many commits", many_commits},
      {"refused batches", refused_batches},
      {"queries counted", queries_counted},
      {"conversion", convert},
      {"index", build_index, true},
      {"compaction with index", compact_with_index, true},
  };
  const char* wanted = std::getenv("RVF_WORKLOAD");
  if (wanted != nullptr) {
    std::erase_if(all, [&](const CrashWorkload& w) { return w.name != wanted; });
  }
  return all;
}

std::unique_ptr<Life> live(const CrashWorkload& workload, uint64_t seed, DiskLie lie) {
  auto fs = std::make_shared<TraceFileSystem>(Image{}, lie);
  auto life = std::make_unique<Life>(fs, seed);
  workload.run(*life);
  EXPECT_EQ(life->problem(), "") << workload.name << " itself fails";
  return life;
}

}  // namespace rvf::testing
