// index, verify, compact, rollback: what keeps a store in shape.
#include <fmt/format.h>

#include "command.hpp"
#include "rvf/recall.hpp"
#include "storage_argument.hpp"
#include "types_arguments.hpp"

namespace rvf::cli {
namespace {

void register_index(CLI::App& app) {
  auto o = std::make_shared<Common>();
  CLI::App* c = app.add_subcommand("index", "bring all vectors into the graph index");
  add_store_to_write(*c, *o);
  add_threads(*c, *o, "threads (all cores)");
  add_json(*c, *o);
  c->callback([o] {
    OpenOptions open;
    open.executor = make_executor(o->threads == 0 ? core_count() : o->threads);
    Store store = open_for_writing(*o, open);
    {
      ProgressBar bar("building the index", "vectors");
      const Progress progress = bar.callback();
      must(store.build_index(&progress));
    }
    const StoreStatus s = store.status();
    must(store.close());
    if (o->json) {
      say("{}\n",
          JsonObject().add("index", s.index_kind).add("indexed_rows", s.indexed_rows).str());
    } else if (s.indexed_rows > 0) {
      say("{} {} rows\n", s.index_kind == "graph" ? "the graph covers" : "the partitions cover",
          human_count(s.indexed_rows));
    } else {
      say("no graph is needed yet: a few thousand vectors are compared exactly\n");
    }
  });
}

void register_verify(CLI::App& app) {
  auto o = std::make_shared<Common>();
  auto deep = std::make_shared<bool>(false);
  CLI::App* c = app.add_subcommand("verify", "check every hash of a store");
  c->add_option("STORE", o->store, "the store's file")->required();
  c->add_flag("--deep", *deep, "also block checksums, ids, finite values and the graph");
  add_json(*c, *o);
  c->callback([o, deep] {
    OpenOptions open;
    open.verify_at_open = 0;  // problems are to be listed, not to keep the store shut
    open.last_intact = true;
    const Store store = open_for_reading(*o, open);
    VerifyReport report;
    {
      ProgressBar bar("verifying", "B");
      const Progress progress = bar.callback();
      VerifyOptions options;
      options.deep = *deep;
      options.progress = &progress;
      report = must(store.verify(options));
    }
    const RecoveryInfo recovery = store.status().recovery;
    const bool damaged = !report.problems.empty() || recovery.damaged;
    if (o->json) {
      std::string problems;
      for (const Error& e : report.problems) {
        problems += (problems.empty() ? "" : ",") + JsonObject()
                                                        .add("code", error_name(e.code))
                                                        .add("message", e.message)
                                                        .add("segment", e.segment_id)
                                                        .add("offset", e.file_offset)
                                                        .str();
      }
      say("{}\n", JsonObject()
                      .add("ok", !damaged)
                      .add("segments", report.segments)
                      .add("bytes", report.bytes)
                      .add("lost_epochs", recovery.lost_epochs)
                      .add_raw("problems", "[" + problems + "]")
                      .str());
    } else {
      for (const Error& e : report.problems) say("{}: {}\n", error_name(e.code), e.message);
      say("{} segments, {}: {}\n", human_count(report.segments), human_bytes(report.bytes),
          damaged ? "DAMAGED" : "ok");
    }
    if (damaged) {
      throw Failure{kDamaged,
                    "the store is damaged; `rvf inspect --epochs` lists commits to roll back to"};
    }
  });
}

struct CompactArguments : Common {
  CompactOptions compact;
  StorageArgument storage;
  double io_budget = 0;
};

struct CompactOutcome {
  CompactReport report;
  std::string storage;
  std::optional<double> recall;  // where rows were coded, or a storage asked for
  size_t questions = 0;
};

void print_json(const CompactOutcome& o) {
  const CompactReport& r = o.report;
  JsonObject json;
  json.add("bytes_before", r.bytes_before)
      .add("bytes_after", r.bytes_after)
      .add("rows_dropped", r.rows_dropped)
      .add("resumed", r.resumed)
      .add("storage", o.storage)
      .add_raw("tiers", fmt::format("{{\"hot\":{},\"warm\":{},\"cold\":{}}}", r.tier_rows[0],
                                    r.tier_rows[1], r.tier_rows[2]));
  if (o.recall) json.add("recall_at_10", *o.recall).add("recall_queries", o.questions);
  say("{}\n", json.str());
}

void print_text(const CompactOutcome& o, bool tiers) {
  const CompactReport& r = o.report;
  say("{} -> {}, {} dead rows dropped{}\n", human_bytes(r.bytes_before), human_bytes(r.bytes_after),
      human_count(r.rows_dropped), r.resumed ? " (continued an interrupted compaction)" : "");
  if (tiers) {
    say("tiers: {} hot, {} warm (8 bit), {} cold (4 bit)\n", human_count(r.tier_rows[0]),
        human_count(r.tier_rows[1]), human_count(r.tier_rows[2]));
  }
  if (o.recall) {
    say("storage {}: recall@10 {:.4f} of what was stored before ({} questions)\n", o.storage,
        *o.recall, o.questions);
  }
}

void run_compact(CompactArguments& o) {
  constexpr size_t kQuestions = 200;
  OpenOptions open;
  open.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  Store store = open_for_writing(o, open);
  const StoreStatus before = store.status();
  o.compact.storage = o.storage.for_compaction(before.dtype);
  const bool codes_rows = o.compact.storage.value_or(before.storage) != Storage::kExact &&
                          before.coded_rows < before.vectors;
  CompactOutcome out;
  std::optional<RecallSample> sample;
  if (codes_rows || o.compact.storage) {
    sample = must(RecallSample::take(must(store.snapshot()), kQuestions, open.executor.get()));
  }
  {
    ProgressBar bar("compacting", "vectors");
    const Progress progress = bar.callback();
    o.compact.bytes_per_second = static_cast<uint64_t>(o.io_budget * 1e6);
    o.compact.progress = &progress;
    out.report = must(store.compact(o.compact));
  }
  if (sample) {
    out.recall = must(sample->recall(must(store.snapshot()), open.executor.get()));
    out.questions = sample->size();
  }
  const StoreStatus status = store.status();
  out.storage = storage_shown(status);
  must(store.close());
  if (o.json) {
    print_json(out);
  } else {
    print_text(out, o.compact.tiers);
  }
}

void register_compact(CLI::App& app) {
  auto o = std::make_shared<CompactArguments>();
  CLI::App* c = app.add_subcommand(
      "compact", "rewrite a store without what is dead; old or new, never neither");
  add_store_to_write(*c, *o);
  constexpr double kFastest = 1e9;
  c->add_option("--io-budget", o->io_budget, "MB/s of reading and writing (no limit)")
      ->check(between(1e-3, kFastest));
  auto* tiers =
      c->add_flag("--tiers", o->compact.tiers,
                  "store vectors that are seldom found in 8 and 4 bits a dimension (lossy)");
  c->add_option("--hot", o->compact.hot_fraction, "share of vectors kept exact with --tiers (0.2)")
      ->check(between(0, 1))
      ->needs(tiers);
  c->add_option("--warm", o->compact.warm_fraction,
                "share of vectors kept in 8 bits with --tiers (0.5)")
      ->check(between(0, 1))
      ->needs(tiers);
  c->add_flag("--cold-shard", o->compact.cold_shard,
              "with --tiers: the coldest go to STORE.cold.N beside the store")
      ->needs(tiers);
  o->storage.add_to(*c)->excludes(tiers);
  add_search_layout(*c, o->compact.search_layout);
  c->add_flag("!--no-index", o->compact.rebuild_index,
              "leave the graph out; rvf index builds it later");
  add_threads(*c, *o, "threads for the index (all cores)");
  add_json(*c, *o);
  c->callback([o] {
    if (o->compact.hot_fraction + o->compact.warm_fraction > 1 && o->compact.tiers) {
      fail_usage("--hot and --warm are shares of the same vectors: together they are 1 at most");
    }
    run_compact(*o);
  });
}

void register_rollback(CLI::App& app) {
  auto o = std::make_shared<Common>();
  auto epoch = std::make_shared<uint32_t>(0);
  CLI::App* c = app.add_subcommand("rollback",
                                   "make an earlier commit the newest state; can itself be undone");
  add_store_to_write(*c, *o);
  c->add_option("--epoch", *epoch, "as listed by rvf inspect --epochs")->required();
  add_json(*c, *o);
  c->callback([o, epoch] {
    OpenOptions open;
    open.index_policy = IndexPolicy::kManual;
    // This is the way out of a damaged commit.
    open.verify_at_open = 0;
    open.last_intact = true;
    Store store = open_for_writing(*o, open);
    const uint32_t now = must(store.rollback(*epoch));
    const StoreStatus s = store.status();
    must(store.close());
    if (o->json) {
      say("{}\n", JsonObject().add("epoch", now).add("vectors", s.vectors).str());
    } else {
      say("epoch {} now holds what epoch {} held: {} vectors\n", now, *epoch,
          human_count(s.vectors));
    }
  });
}

}  // namespace

void register_maintain(CLI::App& app) {
  register_index(app);
  register_verify(app);
  register_compact(app);
  register_rollback(app);
}

}  // namespace rvf::cli
