#include <fmt/format.h>

#include "command.hpp"
#include "storage_argument.hpp"

namespace rvf::cli {
namespace {

void print_json(const StoreStatus& s) {
  JsonObject o;
  o.add("vectors", s.vectors)
      .add("deleted", s.deleted)
      .add("dim", s.dimension)
      .add("metric", metric_name(s.metric))
      .add("dtype", dtype_name(s.dtype))
      .add("storage", storage_shown(s))
      .add("coded_rows", s.coded_rows)
      .add("epoch", s.epoch)
      .add("file_bytes", s.file_bytes)
      .add("live_bytes", s.live_bytes)
      .add("segments", s.segments)
      .add("next_id", s.next_id)
      .add("layout", s.layout)
      .add("file_id", hex(s.file_id))
      .add("created", human_date(s.created_ns))
      .add("modified", human_date(s.modified_ns))
      .add("index", s.index_kind)
      .add("search_layout", s.indexed_rows > 0 ? search_layout_name(s.search_layout) : "none")
      .add("indexed_rows", s.indexed_rows)
      .add("index_bytes", s.index_bytes)
      .add("index_default_ef", s.index_default_ef)
      .add_raw("tiers", fmt::format("{{\"hot\":{},\"warm\":{},\"cold\":{}}}", s.tier_rows[0],
                                    s.tier_rows[1], s.tier_rows[2]));
  o.add("fields", s.fields)
      .add("ids", id_kind_name(s.id_kind))
      .add("string_ids", s.id_kind == IdKind::kTexts)
      .add("metadata_bytes", s.metadata_bytes);
  if (!s.application.empty()) o.add("application", s.application);
  if (!s.notes.empty()) {
    std::string notes;
    for (const std::string& n : s.notes) notes += (notes.empty() ? "" : ",") + json_text(n);
    o.add_raw("notes", "[" + notes + "]");
  }
  if (s.recovery.recovered) {
    o.add("recovered_from", s.recovery.reason);
  } else {
    o.add_raw("recovered_from", "null");
  }
  o.add("lost_epochs", s.recovery.lost_epochs)
      .add("damaged", s.recovery.damaged)
      .add("ignored_bytes", s.recovery.ignored_bytes);
  say("{}\n", o.str());
}

void print_table(const std::string& path, const StoreStatus& s) {
  const auto line = [](const char* name, const std::string& value) {
    say("{:<12} {}\n", name, value);
  };
  line("store", path);
  line("vectors", human_count(s.vectors));
  line("deleted",
       s.deleted == 0 ? "0" : human_count(s.deleted) + " (rvf compact reclaims their space)");
  line("shape",
       fmt::format("{} x {}, metric {}", s.dimension, dtype_name(s.dtype), metric_name(s.metric)));
  if (s.storage != Storage::kExact) {
    line("storage", fmt::format("{}, {} of {} rows coded", storage_name(s.storage),
                                human_count(s.coded_rows), human_count(s.vectors + s.deleted)));
  } else {
    line("storage", storage_shown(s));
  }
  line("size",
       fmt::format("{} file, {} live", human_bytes(s.file_bytes), human_bytes(s.live_bytes)));
  line("segments", human_count(s.segments));
  if (s.indexed_rows > 0) {
    line("index", fmt::format("{} over {} of {} rows, {} ({} layout), ef {}", s.index_kind,
                              human_count(s.indexed_rows), human_count(s.vectors + s.deleted),
                              human_bytes(s.index_bytes), search_layout_name(s.search_layout),
                              s.index_default_ef));
  } else {
    line("index", s.index_kind);
  }
  if (s.tier_rows[1] + s.tier_rows[2] > 0) {
    line("tiers", fmt::format("{} hot, {} warm, {} cold", human_count(s.tier_rows[0]),
                              human_count(s.tier_rows[1]), human_count(s.tier_rows[2])));
  }
  if (s.fields > 0 || s.id_kind == IdKind::kTexts) {
    line("metadata", fmt::format("{} field(s), {} ids, {}", s.fields,
                                 s.id_kind == IdKind::kTexts ? "text" : "number",
                                 human_bytes(s.metadata_bytes)));
  }
  if (s.layout != "native") line("layout", s.layout + ", read-only: see rvf convert");
  for (const std::string& n : s.notes) line("note", n);
  line("epoch", fmt::format("{}", s.epoch));
  line("created", human_date(s.created_ns));
  line("modified", human_date(s.modified_ns));
  line("next id", fmt::format("{}", s.next_id));
  if (s.recovery.recovered) {
    line("recovered", fmt::format("{}; {} epoch(s) lost, {} ignored", s.recovery.reason,
                                  s.recovery.lost_epochs, human_bytes(s.recovery.ignored_bytes)));
  }
}

}  // namespace

void register_status(CLI::App& app) {
  auto o = std::make_shared<Common>();
  CLI::App* c = app.add_subcommand("status", "what a store holds");
  add_store_to_read(*c, *o);
  add_json(*c, *o);
  c->callback([o] {
    OpenOptions open;
    open.verify_at_open = 0;  // a look must not depend on every byte
    const Store store = open_for_reading(*o, open);
    const StoreStatus s = store.status();
    if (o->json) {
      print_json(s);
    } else {
      print_table(o->store, s);
    }
  });
}

}  // namespace rvf::cli
