// get and delete: single vectors by id.
#include <fmt/format.h>

#include <charconv>

#include "command.hpp"
#include "inputs.hpp"
#include "interop/vector_file.hpp"
#include "records.hpp"

namespace rvf::cli {
namespace {

uint64_t parse_id(std::string_view text) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail_usage(fmt::format("\"{}\" is not an id; ids are numbers from 0 to 2^64-2", text));
  }
  return id;
}

struct IdRange {
  uint64_t first, last;
};

std::vector<IdRange> parse_ranges(const std::string& text) {
  std::vector<IdRange> ranges;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (part.empty()) continue;
    const size_t dash = part.find('-');
    const uint64_t first = parse_id(part.substr(0, dash));
    const uint64_t last = dash == std::string_view::npos ? first : parse_id(part.substr(dash + 1));
    if (last < first) fail_usage(fmt::format("the range {} ends before it begins", part));
    ranges.push_back({first, last});
  }
  return ranges;
}

void run_get(const Common& o, const std::vector<std::string>& ids) {
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  const Records records(snapshot, {"*"});
  std::string missing;
  for (const std::string& text : ids) {
    bool absent = false;
    const uint64_t id = id_of_text(snapshot, text, &absent);
    if (absent) {
      missing += " " + text;
      continue;
    }
    const std::vector<float> v = must(snapshot.get(id));
    const std::string row = records.objects(std::span(&id, 1)).front();
    const std::string fields = row.size() > 2 ? row.substr(1, row.size() - 2) : "";
    if (o.json) {
      fmt::print("{{\"id\":{},\"vector\":{}{}{}}}\n", id_json(snapshot, id), json_array(v),
                 fields.empty() ? "" : ",", fields);
    } else {
      fmt::print("{}  {}{}{}\n", id_text(snapshot, id), json_array(v), fields.empty() ? "" : "  ",
                 fields.empty() ? "" : row);
    }
  }
  if (!missing.empty()) fail_usage("not in the store:" + missing);
}

struct DeleteOptions : Common {
  std::string ids, ids_file, filter;
  OpenOptions open;
};

// Ids and ranges of a store whose ids are numbers, or string ids.
void collect_ids(const Snapshot& snapshot, const std::string& list, std::vector<uint64_t>& ids,
                 uint64_t& asked) {
  if (snapshot.has_keys()) {
    std::string_view rest = list;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      const std::string part(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      if (part.empty()) continue;
      ++asked;
      bool missing = false;
      const uint64_t id = id_of_text(snapshot, part, &missing);
      if (!missing) ids.push_back(id);
    }
    return;
  }
  // A range may be far larger than the store, so it picks from the ids that exist.
  const std::vector<uint64_t> all = snapshot.ids();
  for (const IdRange& r : parse_ranges(list)) {
    auto at = std::lower_bound(all.begin(), all.end(), r.first);
    if (r.first == r.last) ++asked;
    for (; at != all.end() && *at <= r.last; ++at) {
      ids.push_back(*at);
      if (r.first != r.last) ++asked;
    }
  }
}

// The JSON filter that is true for all; the library refuses blank text itself.
bool empty_object(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  return text == "{}";
}

void run_delete(const DeleteOptions& o) {
  if (empty_object(o.filter)) fail_usage("an empty filter would delete everything");
  Store store = open_for_writing(o, o.open);
  std::vector<uint64_t> ids;
  uint64_t asked = 0;
  if (!o.ids_file.empty()) ids = must_input(interop::read_ids(o.ids_file));
  asked = ids.size();
  if (!o.ids.empty()) collect_ids(must(store.snapshot()), o.ids, ids, asked);
  const WriteReport report =
      must(o.filter.empty() ? store.remove(ids) : store.remove_where(o.filter));
  const StoreStatus status = store.status();
  must(store.close());
  const uint64_t missing = asked > report.deleted ? asked - report.deleted : 0;
  if (o.json) {
    fmt::print("{}\n", JsonObject()
                           .add("deleted", report.deleted)
                           .add("not_found", missing)
                           .add("epoch", report.epoch)
                           .add("vectors", status.vectors)
                           .str());
  } else {
    fmt::print("{} deleted{}, {} left\n", human_count(report.deleted),
               missing > 0 ? ", " + human_count(missing) + " were not there" : "",
               human_count(status.vectors));
  }
}

}  // namespace

void register_rows(CLI::App& app) {
  {
    auto o = std::make_shared<Common>();
    auto ids = std::make_shared<std::vector<std::string>>();
    CLI::App* c = app.add_subcommand("get", "print vectors and their fields by id");
    add_store(*c, *o);
    c->add_option("ID", *ids, "ids")->required();
    add_json(*c, *o);
    c->callback([o, ids] { run_get(*o, *ids); });
  }
  auto o = std::make_shared<DeleteOptions>();
  CLI::App* c = app.add_subcommand("delete", "delete vectors by id or by their fields");
  add_store(*c, *o);
  auto* list = c->add_option("--ids", o->ids, "ids and ranges, for example 1,2,5-9");
  auto* file = c->add_option("--ids-file", o->ids_file, "file of ids (npy, text or ivecs)");
  list->excludes(file);
  const FilterOptions filter = add_filter(*c, o->filter, "all vectors whose fields match");
  for (CLI::Option* option : {filter.text, filter.file}) option->excludes(list)->excludes(file);
  add_json(*c, *o);
  c->callback([o] {
    if (o->ids.empty() && o->ids_file.empty() && o->filter.empty()) {
      fail_usage("give --ids, --ids-file or --filter");
    }
    o->open.index_policy = IndexPolicy::kManual;
    run_delete(*o);
  });
}

}  // namespace rvf::cli
