// get and delete: single vectors by id.
#include <fmt/format.h>

#include <algorithm>

#include "command.hpp"
#include "inputs.hpp"
#include "interop/vector_file.hpp"
#include "records.hpp"
#include "upkeep_arguments.hpp"

namespace rvf::cli {
namespace {

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  std::string_view rest = list;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    if (comma != 0) parts.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return parts;
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
      say("{{\"id\":{},\"vector\":{}{}{}}}\n", id_json(snapshot, id), json_array(v),
          fields.empty() ? "" : ",", fields);
    } else {
      say("{}  {}{}{}\n", id_text(snapshot, id), json_array(v), fields.empty() ? "" : "  ",
          fields.empty() ? "" : row);
    }
  }
  if (!missing.empty()) fail_usage("not in the store:" + missing);
}

struct DeleteOptions : Common {
  std::string ids, ids_file, filter;
  OpenOptions open;
  UpkeepArguments upkeep;
};

// What a delete names: text ids, or numbers and ranges of them.
struct Doomed {
  std::vector<std::string> keys;
  std::vector<uint64_t> ids;
};

// A range may be far larger than the store, so it picks from the ids that exist.
void add_range(const Snapshot& snapshot, uint64_t first, uint64_t last, Doomed& out) {
  ScanOptions page;
  if (first > 0) page.after = first - 1;
  while (true) {
    const ScanPage found = must(snapshot.scan(page));
    for (const uint64_t id : found.ids) {
      if (id > last) return;
      out.ids.push_back(id);
    }
    if (!found.next) return;
    page.after = found.next;
  }
}

void add_list(const Snapshot& snapshot, const std::string& list, Doomed& out) {
  const std::vector<std::string> parts = parts_of(list);
  if (parts.empty()) fail_usage(fmt::format("--ids: \"{}\" names no id", list));
  for (const std::string& part : parts) {
    const size_t dash = part.find('-');
    if (snapshot.has_keys()) {
      out.keys.push_back(part);
    } else if (dash == std::string::npos) {
      out.ids.push_back(number_of_id(part));
    } else {
      const uint64_t first = number_of_id(part.substr(0, dash));
      const uint64_t last = number_of_id(part.substr(dash + 1));
      if (last < first) fail_usage(fmt::format("the range {} ends before it begins", part));
      add_range(snapshot, first, last, out);
    }
  }
}

template <class T>
void sort_unique(std::vector<T>& v) {
  std::sort(v.begin(), v.end());
  v.erase(std::unique(v.begin(), v.end()), v.end());
}

// The JSON filter that is true for all; the library refuses blank text itself.
bool empty_object(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  return text == "{}";
}

void run_delete(const DeleteOptions& o) {
  if (empty_object(o.filter)) fail_usage("an empty filter would delete everything");
  Store store = open_for_writing(o, o.open);
  Doomed doomed;
  if (!o.ids_file.empty()) {
    interop::IdList list = must_input(interop::read_ids(o.ids_file, store.status().id_kind));
    doomed.ids = std::move(list.numbers);
    doomed.keys = std::move(list.texts);
  }
  if (!o.ids.empty()) add_list(must(store.snapshot()), o.ids, doomed);
  sort_unique(doomed.keys);
  sort_unique(doomed.ids);
  WriteBatch batch;
  batch.delete_keys = doomed.keys;
  batch.delete_ids = doomed.ids;
  const WriteReport report =
      must(o.filter.empty() ? store.write(batch) : store.remove_where(o.filter));
  o.upkeep.run(store, false);
  const StoreStatus status = store.status();
  must(store.close());
  const uint64_t asked = doomed.keys.size() + doomed.ids.size();
  const uint64_t missing = asked > report.deleted ? asked - report.deleted : 0;
  if (o.json) {
    say("{}\n", JsonObject()
                    .add("deleted", report.deleted)
                    .add("not_found", missing)
                    .add("epoch", report.epoch)
                    .add("vectors", status.vectors)
                    .str());
  } else {
    say("{} deleted{}, {} left\n", human_count(report.deleted),
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
    add_store_to_read(*c, *o);
    c->add_option("ID", *ids, "ids")->required();
    add_json(*c, *o);
    c->callback([o, ids] { run_get(*o, *ids); });
  }
  auto o = std::make_shared<DeleteOptions>();
  CLI::App* c = app.add_subcommand("delete", "delete vectors by id or by their fields");
  add_store_to_write(*c, *o);
  auto* list = c->add_option("--ids", o->ids, "ids and ranges, for example 1,2,5-9");
  auto* file = c->add_option("--ids-file", o->ids_file, "file of ids (npy, text or ivecs)");
  list->excludes(file);
  const FilterOptions filter = add_filter(*c, o->filter, "all vectors whose fields match");
  for (CLI::Option* option : {filter.text, filter.file}) option->excludes(list)->excludes(file);
  o->upkeep.add_to(*c);
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
