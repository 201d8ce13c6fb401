// Workloads that write, replace and delete rows, in each durability.
#include "crash/crash_workload_steps.hpp"
#include "crash/crash_workloads.hpp"

namespace rvf::testing {
namespace {

void create_alone(Life& life) {
  life.create();
  life.close();
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

}  // namespace

std::vector<CrashWorkload> row_workloads() {
  return {
      {"create", create_alone},
      {"ingest, synced", ingest_durably},
      {"ingest, flushed", ingest_flushed},
      {"ingest, put off", ingest_put_off},
      {"upsert", upsert},
      {"delete by id", remove_by_id},
      {"delete by filter", remove_by_filter},
      {"metadata", metadata},
      {"string ids", string_ids},
      {"rollback", roll_back},
      {"expiry", expiry},
      {"tiny rows", tiny_rows},
      {"large rows", large_rows},
      {"reopened between", reopen_between},
      {"commit of what another process flushed", commit_what_another_flushed},
      {"many commits", many_commits},
      {"refused batches", refused_batches},
  };
}

}  // namespace rvf::testing
