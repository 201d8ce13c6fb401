#include <fmt/format.h>

#include <charconv>

#include "command.hpp"
#include "interop/vector_file.hpp"

namespace rvf::cli {
namespace {

struct Options : Common {
  std::string vector, queries;
  QueryOptions query;
};

std::vector<float> parse_vector(const std::string& text) {
  std::vector<float> values;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    if (*at == ' ' || *at == ',' || *at == '[' || *at == ']') {
      ++at;
      continue;
    }
    float v = 0;
    const auto [next, error] = std::from_chars(at, end, v);
    if (error != std::errc()) {
      fail_usage(
          fmt::format("--vector: \"{}\" is not a number", std::string(at, end).substr(0, 20)));
    }
    values.push_back(v);
    at = next;
  }
  return values;
}

void print_result(const Options& o, uint64_t number, const QueryResult& r) {
  if (o.json) {
    std::string ids;
    std::vector<float> distances;
    for (const Neighbor& n : r.neighbors) {
      ids += (ids.empty() ? "" : ",") + fmt::format("{}", n.id);
      distances.push_back(n.distance);
    }
    fmt::print("{{\"query\":{},\"ids\":[{}],\"distances\":{}}}\n", number, ids,
               json_array(distances));
    return;
  }
  if (!o.queries.empty()) fmt::print("{}query {}\n", number == 0 ? "" : "\n", number);
  Table table({"rank", "id", "distance"});
  for (size_t i = 0; i < r.neighbors.size(); ++i) {
    table.add({fmt::format("{}", i + 1), fmt::format("{}", r.neighbors[i].id),
               fmt::format("{:.6g}", r.neighbors[i].distance)});
  }
  if (r.neighbors.empty()) {
    fmt::print("nothing found: the store is empty\n");
  } else {
    table.print();
  }
}

void run(const Options& o) {
  const auto executor = make_executor(o.threads);
  const Store store = open_for_reading(o);
  if (!o.vector.empty()) {
    const std::vector<float> v = parse_vector(o.vector);
    print_result(o, 0, must(store.query(v, o.query)));
    return;
  }
  const auto reader = must_input(interop::open_vectors(o.queries));
  const Snapshot snapshot = must(store.snapshot());
  interop::VectorChunk chunk;
  uint64_t number = 0;
  while (must_input(reader->read(1024, chunk)) > 0) {
    const Vectors queries{chunk.bytes.data(), chunk.dtype, chunk.count, chunk.dim};
    for (const QueryResult& r : must(snapshot.query_batch(queries, o.query, executor.get()))) {
      print_result(o, number++, r);
    }
  }
}

}  // namespace

void register_query(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("query", "find the nearest vectors");
  add_store(*c, *o);
  auto* one = c->add_option("--vector", o->vector, "one query, for example \"0.1,0.2,0.3\"");
  auto* many =
      c->add_option("--queries", o->queries, "a file of queries, of any format that ingest reads");
  one->excludes(many);
  c->add_option("-k", o->query.k, "how many neighbours (10)");
  c->add_option("--ef", o->query.ef,
                "beam width of the graph search; default: chosen for --recall");
  c->add_option("--recall", o->query.target_recall, "recall to aim at, 0.5 to 0.999")
      ->check(CLI::Range(0.5, 0.999));
  c->add_option("--time-budget", o->query.time_budget_us, "microseconds a query may take");
  c->add_flag("--exact", o->query.exact, "compare with every vector");
  add_threads(*c, *o, "threads for --queries (1)");
  add_json(*c, *o);
  c->callback([o] {
    if (o->vector.empty() == o->queries.empty()) fail_usage("give either --vector or --queries");
    run(*o);
  });
}

}  // namespace rvf::cli
