#include <fmt/format.h>

#include "command.hpp"
#include "inputs.hpp"
#include "interop/vector_file.hpp"
#include "interop/vector_text.hpp"
#include "records.hpp"
#include "types_arguments.hpp"

namespace rvf::cli {
namespace {

struct Options : Common {
  std::string vector, queries, like, vector_field;
  QueryOptions query;
  HybridOptions hybrid;
  std::optional<float> within;
  std::vector<std::string> columns;
  bool explain = false;
};

std::vector<float> parse_vector(const std::string& text) {
  std::vector<float> values;
  if (auto s = interop::read_vector(text, values); !s) fail_usage("--vector: " + s.error().message);
  return values;
}

std::string plan_json(const QueryPlan& plan) {
  std::string steps;
  for (const std::string& s : plan.steps) steps += (steps.empty() ? "" : ",") + json_text(s);
  return JsonObject()
      .add("strategy", filter_strategy_name(plan.strategy))
      .add("matching", plan.matching)
      .add("rows", plan.rows)
      .add("filter_us", plan.filter_us)
      .add("filter", plan.filter)
      .add("reason", plan.reason)
      .add_raw("steps", "[" + steps + "]")
      .str();
}

void print_plan(const QueryPlan& plan) {
  if (plan.filter.empty()) {
    say("plan: no filter\n");
    return;
  }
  const double share =
      plan.rows == 0 ? 0
                     : 100.0 * static_cast<double>(plan.matching) / static_cast<double>(plan.rows);
  say("plan: {}-filtering, {} of {} vectors match ({:.4g} %), found in {}\n",
      filter_strategy_name(plan.strategy), human_count(plan.matching), human_count(plan.rows),
      share, human_time(plan.filter_us / 1e6));
  say("  {}\n  filter: {}\n", plan.reason, plan.filter);
  for (const std::string& s : plan.steps) say("  - {}\n", s);
}

class Printer {
 public:
  Printer(const Options& o, const Snapshot& snapshot)
      : o_(o), snapshot_(snapshot), records_(snapshot, o.columns) {}

  void print(uint64_t number, const QueryResult& r) const {
    std::vector<uint64_t> ids;
    for (const Neighbor& n : r.neighbors) ids.push_back(n.id);
    if (o_.json) return print_json(number, r, ids);
    if (!o_.queries.empty()) say("{}query {}\n", number == 0 ? "" : "\n", number);
    std::vector<std::string> header{"rank", "id", "distance"};
    header.insert(header.end(), records_.names().begin(), records_.names().end());
    Table table(header);
    const auto cells = records_.cells(ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      std::vector<std::string> row{fmt::format("{}", i + 1), id_text(snapshot_, ids[i]),
                                   fmt::format("{:.6g}", r.neighbors[i].distance + 0.0F)};
      row.insert(row.end(), cells[i].begin(), cells[i].end());
      table.add(std::move(row));
    }
    finish_table(table, ids.empty());
    if (!o_.explain) return;
    print_plan(r.plan);
    say("answered by layers {} at width {}, {} distances{}\n", layers_text(r.layers), r.ef,
        human_count(r.distances), r.exact ? ", exact" : "");
  }

  void print(uint64_t number, const HybridResult& r) const {
    std::vector<uint64_t> ids;
    for (const HybridHit& h : r.hits) ids.push_back(h.id);
    if (o_.json) return print_json(number, r, ids);
    std::vector<std::string> header{"rank", "id", "score", "distance", "words"};
    header.insert(header.end(), records_.names().begin(), records_.names().end());
    Table table(header);
    const auto cells = records_.cells(ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      const HybridHit& h = r.hits[i];
      std::vector<std::string> row{fmt::format("{}", i + 1), id_text(snapshot_, h.id),
                                   fmt::format("{:.4g}", h.score),
                                   h.distance ? fmt::format("{:.6g}", *h.distance) : "-",
                                   h.text_score ? fmt::format("{:.4g}", *h.text_score) : "-"};
      row.insert(row.end(), cells[i].begin(), cells[i].end());
      table.add(std::move(row));
    }
    finish_table(table, ids.empty());
    if (o_.explain) print_plan(r.plan);
  }

 private:
  void finish_table(const Table& table, bool empty) const {
    if (!empty) return table.print();
    say("nothing found: {}\n",
        must(snapshot_.size()) == 0 ? "the store is empty" : "no vector matches");
  }

  std::string ids_json(std::span<const uint64_t> ids) const {
    std::string out;
    for (const uint64_t id : ids) out += (out.empty() ? "" : ",") + id_json(snapshot_, id);
    return "[" + out + "]";
  }

  void finish_json(JsonObject& line, std::span<const uint64_t> ids, const QueryPlan& plan) const {
    if (!o_.columns.empty()) {
      std::string rows;
      for (const std::string& s : records_.objects(ids)) rows += (rows.empty() ? "" : ",") + s;
      line.add_raw("rows", "[" + rows + "]");
    }
    if (o_.explain) line.add_raw("plan", plan_json(plan));
    say("{}\n", line.str());
  }

  void print_json(uint64_t number, const QueryResult& r, std::span<const uint64_t> ids) const {
    std::vector<float> distances;
    // A sum of nothing, negated, is -0.
    for (const Neighbor& n : r.neighbors) distances.push_back(n.distance + 0.0F);
    JsonObject line;
    line.add("query", number).add_raw("ids", ids_json(ids));
    line.add_raw("distances", json_array(distances));
    if (o_.explain) {
      line.add("layers", layers_text(r.layers)).add("ef", uint64_t{r.ef}).add("exact", r.exact);
    }
    finish_json(line, ids, r.plan);
  }

  void print_json(uint64_t number, const HybridResult& r, std::span<const uint64_t> ids) const {
    std::string scores;
    std::string distances;
    for (const HybridHit& h : r.hits) {
      const char* comma = scores.empty() ? "" : ",";
      scores += comma + fmt::format("{:.9g}", h.score);
      distances += comma + (h.distance ? json_number(*h.distance) : "null");
    }
    JsonObject line;
    line.add("query", number).add_raw("ids", ids_json(ids));
    line.add_raw("scores", "[" + scores + "]");
    line.add_raw("distances", "[" + distances + "]");
    finish_json(line, ids, r.plan);
  }

  const Options& o_;
  const Snapshot& snapshot_;
  Records records_;
};

void run_hybrid(const Options& o, const Snapshot& snapshot, std::span<const float> vector) {
  HybridOptions h = o.hybrid;
  h.k = o.query.k;
  h.ef = o.query.ef;
  h.filter = o.query.filter;
  h.group_by = o.query.group_by;
  h.group_size = o.query.group_size;
  h.max_distance = o.query.max_distance;
  Printer(o, snapshot).print(0, must(snapshot.hybrid(vector, h)));
}

void run(const Options& o) {
  const auto executor = make_executor(o.threads);
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  std::vector<float> one;
  if (!o.vector.empty()) one = parse_vector(o.vector);
  if (!o.like.empty()) one = must(snapshot.get(id_of_text(snapshot, o.like)));
  if (!o.hybrid.words.empty()) return run_hybrid(o, snapshot, one);
  const Printer printer(o, snapshot);
  if (!one.empty()) return printer.print(0, must(snapshot.query(one, o.query)));
  interop::ReadOptions how;
  how.want_extra = true;  // a csv with other columns has the dimension here that it has in ingest
  how.vector_field = o.vector_field;
  const auto reader = must_input(interop::open_vectors(o.queries, how));
  interop::VectorChunk chunk;
  uint64_t number = 0;
  while (must_input(reader->read(1024, chunk)) > 0) {
    const Vectors queries{chunk.bytes.data(), chunk.dtype, chunk.count, chunk.dim};
    for (const QueryResult& r : must(snapshot.query_batch(queries, o.query, executor.get()))) {
      printer.print(number++, r);
    }
  }
}

}  // namespace

void register_query(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("query", "find the nearest vectors");
  add_store_to_read(*c, *o);
  auto* one = c->add_option("--vector", o->vector, "one query, for example \"0.1,0.2,0.3\"");
  auto* many =
      c->add_option("--queries", o->queries, "a file of queries, of any format that ingest reads");
  one->excludes(many);
  c->add_option("--vector-field", o->vector_field,
                "key or column of --queries that holds the vector")
      ->needs(many);
  c->add_option("--like", o->like, "the vector of this id is the query")
      ->excludes(one)
      ->excludes(many);
  auto* words =
      c->add_option("--words", o->hybrid.words,
                    "rank by the words of a text field too, or by them alone without a vector")
          ->excludes(many);
  c->add_option("--text-field", o->hybrid.text_field,
                "the field that --words looks in (the only one with words indexed)")
      ->needs(words);
  add_fusion(*c, o->hybrid.fusion)->needs(words);
  c->add_option("--vector-weight", o->hybrid.vector_weight,
                "what the vector counts next to the words, 0 to 1 (0.5)")
      ->check(between(0, 1))
      ->needs(words);
  add_filter(*c, o->query.filter,
             "only vectors whose fields match, for example \"lang = 'de' and year >= 2020\"");
  c->add_option("--columns", o->columns, "fields to show, * for all")->delimiter(',');
  auto* group =
      c->add_option("--group-by", o->query.group_by,
                    "of the -k results at most --group-size have the same value in this field");
  c->add_option("--group-size", o->query.group_size, "results a group (1)")
      ->check(at_least(1))
      ->needs(group);
  auto* within =
      c->add_option("--within", o->within, "all vectors no farther than this, however many")
          ->excludes(words);
  c->add_option("--max-distance", o->query.max_distance, "of the -k nearest those no farther")
      ->excludes(within);
  c->add_option("--min-score", o->hybrid.min_score, "no results with a lower score")->needs(words);
  auto* strategy = add_strategy(*c, o->query.strategy)->excludes(words);
  c->add_flag("--explain", o->explain, "say how the filter was answered, and by which layers");
  c->add_option("-k", o->query.k, "how many neighbours (10)")->check(at_least(1))->excludes(within);
  auto* ef = c->add_option("--ef", o->query.ef,
                           "beam width of the graph search; default: chosen for --recall")
                 ->check(at_least(1));
  auto* recall = c->add_option("--recall", o->query.target_recall, "recall to aim at, 0.5 to 0.999")
                     ->check(between(0.5, 0.999))
                     ->excludes(ef)
                     ->excludes(words);
  constexpr double kLongestBudget = 1e12;  // added to a clock, so it has an end
  auto* budget =
      c->add_option("--time-budget", o->query.time_budget_us, "microseconds a query may take")
          ->check(between(1, kLongestBudget))
          ->excludes(words);
  c->add_flag("--exact", o->query.exact, "compare with every vector")
      ->excludes(ef)
      ->excludes(recall)
      ->excludes(budget)
      ->excludes(words);
  add_threads(*c, *o, "threads for --queries (1)");
  add_json(*c, *o);
  c->callback([o, strategy] {
    const bool queried = !o->vector.empty() || !o->queries.empty() || !o->like.empty();
    if (!queried && o->hybrid.words.empty()) {
      fail_usage("give --vector, --queries, --like or --words");
    }
    if (strategy->count() > 0 && o->query.filter.empty()) {
      fail_usage("--strategy says how a filter is put to work; give --filter or --filter-file");
    }
    if (o->within) {
      o->query.max_distance = o->within;
      o->query.range = true;
    }
    run(*o);
  });
}

}  // namespace rvf::cli
