// schema, count, scan and update: the fields of vectors.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "command.hpp"
#include "inputs.hpp"
#include "interop/meta_rows.hpp"
#include "metadata_input.hpp"
#include "records.hpp"
#include "types/id_text.hpp"
#include "upkeep_arguments.hpp"

namespace rvf::cli {
namespace {

struct SchemaOptions : Common {
  std::string set;
};

std::string index_names(uint8_t indexed) {
  std::string out;
  if ((indexed & kIndexValues) != 0) out += "index";
  if ((indexed & kIndexWords) != 0) out += out.empty() ? "words" : ", words";
  return out;
}

std::string index_json(uint8_t indexed) {
  std::string out;
  if ((indexed & kIndexValues) != 0) out += "\"values\"";
  if ((indexed & kIndexWords) != 0) out += out.empty() ? "\"words\"" : ",\"words\"";
  return "[" + out + "]";
}

void run_schema(const SchemaOptions& o) {
  if (!o.set.empty()) {
    Store store = open_for_writing(o);
    declare_fields(store, schema_from(o.set, "--set"));
    must(store.close());
  }
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  const StoreStatus status = store.status();
  if (o.json) {
    std::string fields;
    for (const Field& f : snapshot.fields()) {
      fields += (fields.empty() ? "" : ",") + JsonObject()
                                                  .add("name", f.name)
                                                  .add("type", field_type_name(f.type))
                                                  .add_raw("index", index_json(f.indexed))
                                                  .str();
    }
    say("{}\n", JsonObject()
                    .add_raw("fields", "[" + fields + "]")
                    .add("vectors", status.vectors)
                    .add("string_ids", status.id_kind == IdKind::kTexts)
                    .add("metadata_bytes", status.metadata_bytes)
                    .str());
    return;
  }
  if (snapshot.fields().empty()) {
    say("the store has no fields; `rvf ingest --meta` brings some\n");
  } else {
    Table table({"field", "type", "indexed", "vectors with a value"});
    for (const Field& f : snapshot.fields()) {
      const uint64_t n = must(snapshot.count("`" + f.name + "` is not null"));
      table.add({f.name, field_type_name(f.type), index_names(f.indexed), human_count(n)});
    }
    table.print();
  }
  say("{} vectors, {} ids, {} of metadata\n", human_count(status.vectors),
      status.id_kind == IdKind::kTexts ? "text" : "number", human_bytes(status.metadata_bytes));
}

struct CountOptions : Common {
  std::string filter, by;
  size_t limit = 100;
  uint32_t repeat = 1;
};

// Each time from a snapshot of its own, so that nothing is remembered.
double median_micros(const Common& common, const std::string& filter, uint32_t repeat) {
  std::vector<double> times;
  for (uint32_t i = 0; i < repeat; ++i) {
    const Store store = must(Store::open_readonly(common.store, reading_options(common)));
    const Snapshot snapshot = must(store.snapshot());
    (void)must(snapshot.count("id is null"));  // opens the columns
    const auto started = std::chrono::steady_clock::now();
    (void)must(snapshot.count(filter));
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started)
            .count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

void run_count(const CountOptions& o) {
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  if (o.by.empty()) {
    const uint64_t n = must(snapshot.count(o.filter));
    if (o.repeat > 1) {
      const double micros = median_micros(o, o.filter, o.repeat);
      if (o.json) {
        say("{}\n", JsonObject().add("count", n).add("median_us", micros).str());
      } else {
        say("{} ({} median of {})\n", human_count(n), human_time(micros / 1e6), o.repeat);
      }
    } else if (o.json) {
      say("{}\n", JsonObject().add("count", n).str());
    } else {
      say("{}\n", human_count(n));
    }
    return;
  }
  FieldType type = o.by == kExpiryField ? FieldType::kTimestamp : FieldType::kString;
  for (const Field& f : snapshot.fields()) {
    if (f.name == o.by) type = f.type;
  }
  const auto counts = must(snapshot.count_by(o.by, o.filter, o.limit));
  if (type == FieldType::kStringList) type = FieldType::kString;
  Table table({o.by, "vectors"});
  for (const ValueCount& c : counts) {
    if (o.json) {
      say("{}\n",
          JsonObject().add_raw("value", value_json(c.value, type)).add("count", c.count).str());
    }
    table.add({cell_text(c.value, type), human_count(c.count)});
  }
  if (!o.json) table.print();
}

struct ScanCommand : Common {
  ScanOptions scan;
  std::vector<std::string> columns;
  std::string after;
};

// Where ids are texts a page ends at a vector, which is no number that a user knows.
constexpr const char* kTextCursor = "@";

std::string cursor_text(const Snapshot& snapshot, uint64_t next) {
  return fmt::format("{}{}", snapshot.has_keys() ? kTextCursor : "", next);
}

uint64_t cursor_of(const Snapshot& snapshot, const std::string& text) {
  const bool marked = text.starts_with(kTextCursor);
  const auto cursor = number_id(marked ? text.substr(1) : text);
  if (!cursor || marked != snapshot.has_keys()) {
    fail_usage(fmt::format("--after: \"{}\" is not a cursor that a scan of this store gave", text));
  }
  return *cursor;
}

void run_scan(ScanCommand& o) {
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  if (!o.after.empty()) {
    o.scan.after = cursor_of(snapshot, o.after);
  }
  const ScanPage page = must(snapshot.scan(o.scan));
  const Records records(snapshot, o.columns);
  if (o.json) {
    const auto rows = records.objects(page.ids);
    for (size_t i = 0; i < page.ids.size(); ++i) {
      JsonObject line;
      line.add_raw("id", id_json(snapshot, page.ids[i]));
      if (!o.columns.empty()) line.add_raw("row", rows[i]);
      say("{}\n", line.str());
    }
    if (page.next) {
      const std::string next = cursor_text(snapshot, *page.next);
      say("{}\n", JsonObject().add_raw("next", snapshot.has_keys() ? json_text(next) : next).str());
    }
    return;
  }
  std::vector<std::string> header{"id"};
  header.insert(header.end(), records.names().begin(), records.names().end());
  Table table(header);
  const auto cells = records.cells(page.ids);
  for (size_t i = 0; i < page.ids.size(); ++i) {
    std::vector<std::string> row{id_text(snapshot, page.ids[i])};
    row.insert(row.end(), cells[i].begin(), cells[i].end());
    table.add(std::move(row));
  }
  if (page.ids.empty()) {
    say("no vector matches\n");
  } else {
    table.print();
  }
  if (page.next) say("more: --after {}\n", cursor_text(snapshot, *page.next));
}

struct UpdateOptions : Common {
  std::string meta_file, schema, id_column;
  std::vector<std::string> clear;
  OpenOptions open;
  UpkeepArguments upkeep;
};

// What a row does not mention stays as it is.
void keep_old_values(const Snapshot& snapshot, std::span<const uint64_t> ids, Column& column) {
  const auto old = snapshot.values(ids, column.name);
  if (!old) return;  // a new field
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!std::holds_alternative<std::monostate>(column.values[i])) continue;
    Value v = (*old)[i];
    const auto* whole = std::get_if<int64_t>(&v);
    if (column.type == FieldType::kF64 && whole != nullptr) v = static_cast<double>(*whole);
    column.values[i] = std::move(v);
  }
}

void run_update(const UpdateOptions& o) {
  Store store = open_for_writing(o, o.open);
  interop::MetaOptions rows;
  rows.declared = schema_from(o.schema);
  const Snapshot before = must(store.snapshot());
  rows.known = before.fields();
  rows.ids = before.has_keys() ? IdKind::kTexts : IdKind::kNumbers;
  rows.id_required = true;
  if (!o.id_column.empty()) rows.id_field = o.id_column;
  const auto reader = must_input(interop::MetaRowReader::open(o.meta_file, rows));
  constexpr size_t kRows = 10000;
  interop::MetaRows part;
  uint64_t updated = 0;
  while (must_input(reader->read(kRows, part)) > 0) {
    if (interrupted()) fail_usage("interrupted; what was updated so far is in the store");
    const Snapshot snapshot = must(store.snapshot());
    std::vector<std::string> texts = part.keys;
    for (const uint64_t id : part.ids) texts.push_back(fmt::format("{}", id));
    std::vector<uint64_t> ids;  // as the snapshot knows them
    for (const std::string& text : texts) ids.push_back(id_of_text(snapshot, text));
    for (Column& column : part.columns) keep_old_values(snapshot, ids, column);
    for (const std::string& name : o.clear) {
      auto fields = snapshot.fields();
      fields.push_back({kExpiryField, FieldType::kTimestamp});
      const auto at = std::find_if(fields.begin(), fields.end(),
                                   [&](const Field& f) { return f.name == name; });
      if (at == fields.end()) fail_usage(fmt::format("--clear: there is no field '{}'", name));
      if (std::any_of(part.columns.begin(), part.columns.end(),
                      [&](const Column& c) { return c.name == name; })) {
        fail_usage(fmt::format("--clear: {} has values for the field '{}'", o.meta_file, name));
      }
      part.columns.push_back({name, at->type, std::vector<Value>(ids.size())});
    }
    WriteBatch batch;
    if (snapshot.has_keys()) {
      batch.update_keys = texts;
    } else {
      batch.update_ids = ids;
    }
    batch.update_columns = part.columns;
    batch.fields = rows.declared;
    updated += must(store.write(batch)).updated;
    part = {};
  }
  o.upkeep.run(store, false);
  must(store.close());
  if (o.json) {
    say("{}\n", JsonObject().add("updated", updated).str());
  } else {
    say("{} vectors have new metadata\n", human_count(updated));
  }
}

}  // namespace

void register_metadata(CLI::App& app) {
  {
    auto o = std::make_shared<SchemaOptions>();
    CLI::App* c = app.add_subcommand("schema", "show the fields of the vectors, or declare them");
    add_store_to_read(*c, *o);
    add_wait(*c, *o);
    c->add_option("--set", o->set,
                  "declare, widen or index: \"year:i64:index,title:string:words\", or a JSON file");
    add_json(*c, *o);
    c->callback([o] { run_schema(*o); });
  }
  {
    auto o = std::make_shared<CountOptions>();
    CLI::App* c = app.add_subcommand("count", "count vectors, all or those that match");
    add_store_to_read(*c, *o);
    add_filter(*c, o->filter);
    auto* by = c->add_option("--by", o->by, "how many have which value of this field");
    c->add_option("--limit", o->limit, "values to show with --by (100)")
        ->check(at_least(1))
        ->needs(by);
    constexpr double kMostRepeats = 100'000;
    c->add_option("--repeat", o->repeat, "measure: the median of this many times")
        ->check(between(1, kMostRepeats))
        ->excludes(by);
    add_json(*c, *o);
    c->callback([o] { run_count(*o); });
  }
  {
    auto o = std::make_shared<ScanCommand>();
    CLI::App* c = app.add_subcommand("scan", "list the vectors that match, in order of their ids");
    add_store_to_read(*c, *o);
    add_filter(*c, o->scan.filter);
    c->add_option("--columns", o->columns, "fields to show, * for all")->delimiter(',');
    c->add_option("--limit", o->scan.limit, "how many (1000)")->check(at_least(1));
    c->add_option("--after", o->after, "go on after this cursor, which the page before ended with");
    add_json(*c, *o);
    c->callback([o] { run_scan(*o); });
  }
  auto o = std::make_shared<UpdateOptions>();
  CLI::App* c = app.add_subcommand("update", "change metadata; the vectors stay what they are");
  add_store_to_write(*c, *o);
  c->add_option("--meta", o->meta_file,
                "jsonl or csv: a row for each vector to change; other fields keep their values")
      ->required();
  c->add_option("--id-column", o->id_column, "field that holds the ids (id)");
  c->add_option("--schema", o->schema, "types of fields");
  c->add_option("--clear", o->clear, "fields that become null in all these rows")->delimiter(',');
  o->upkeep.add_to(*c);
  add_json(*c, *o);
  c->callback([o] { run_update(*o); });
}

}  // namespace rvf::cli
