// Workloads that compact, convert, index and attach.
#include "crash/crash_workload_steps.hpp"
#include "crash/crash_workloads.hpp"
#include "runtime/convert.hpp"

namespace rvf::testing {
namespace {

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
  if (!shard.ok() || !*shard) life.fail("no cold shard was made");
  life.ingest(2);
  ask(life, 50);
  life.call(life.store().compact(tiers));
  life.call(life.store().compact());
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
      if (!exists.ok() || (!*exists && promised)) return "has lost the converted " + path;
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

std::vector<CrashWorkload> rewrite_workloads() {
  return {
      {"attachments", attachments},
      {"compaction", compact_alone},
      {"compaction, stopped and continued", compact_stopped},
      {"compaction while writing", compact_while_writing},
      {"compaction with string ids", compact_string_ids},
      {"compaction to a cold shard", compact_to_cold_shard},
      {"snapshots held", snapshots_held},
      {"queries counted", queries_counted},
      {"conversion", convert},
      {"index", build_index, true},
      {"compaction with index", compact_with_index, true},
  };
}

}  // namespace rvf::testing
