#include <fmt/format.h>

#include <map>

#include "command.hpp"
#include "types/segment.hpp"

namespace rvf::cli {
namespace {

struct Options : Common {
  bool segments = false, manifest = false, epochs = false;
};

std::string type_name(uint8_t type) {
  const std::string name = segment_type_name(static_cast<SegmentType>(type));
  return name == "?" ? fmt::format("0x{:02X}", type) : name;
}

void print_segments(const Options& o, const Snapshot& snapshot) {
  Table table({"id", "type", "offset", "payload", "rows", "tier", "flags", "packed", "shard"});
  for (const SegmentInfo& s : must(snapshot.segments())) {
    const char* packed = s.compression == 0 ? "-" : s.compression == 1 ? "lz4" : "zstd";
    if (o.json) {
      say("{}\n", JsonObject()
                      .add("segment", s.segment_id)
                      .add("type", type_name(s.type))
                      .add("offset", s.offset)
                      .add("payload_bytes", s.payload_bytes)
                      .add("rows", s.rows)
                      .add("tier", uint64_t{s.tier})
                      .add("flags", uint64_t{s.flags})
                      .add("compression", packed)
                      .add("shard", uint64_t{s.shard})
                      .str());
    } else {
      table.add({fmt::format("{}", s.segment_id), type_name(s.type), fmt::format("{}", s.offset),
                 human_bytes(s.payload_bytes), s.rows == 0 ? "-" : human_count(s.rows),
                 fmt::format("{}", s.tier), fmt::format("0x{:04X}", s.flags), packed,
                 fmt::format("{}", s.shard)});
    }
  }
  if (!o.json) table.print();
}

void print_manifest(const Options& o, const Store& store, const Snapshot& snapshot) {
  const StoreStatus s = store.status();
  struct Sum {
    uint64_t count = 0, bytes = 0;
  };
  std::map<std::string, Sum> by_type;
  for (const SegmentInfo& i : must(snapshot.segments())) {
    Sum& sum = by_type[type_name(i.type)];
    ++sum.count;
    sum.bytes += i.payload_bytes;
  }
  if (o.json) {
    std::string types;
    for (const auto& [name, sum] : by_type) {
      types += (types.empty() ? "" : ",") + json_text(name) +
               fmt::format(":{{\"count\":{},\"bytes\":{}}}", sum.count, sum.bytes);
    }
    say("{}\n", JsonObject()
                    .add("epoch", s.epoch)
                    .add("file_id", hex(s.file_id))
                    .add("vectors", s.vectors)
                    .add("dead_rows", s.deleted)
                    .add("live_bytes", s.live_bytes)
                    .add("file_bytes", s.file_bytes)
                    .add_raw("segments", "{" + types + "}")
                    .str());
    return;
  }
  say("epoch {}, file id {}, {} live vectors, {} dead rows\n", s.epoch, hex(s.file_id),
      human_count(s.vectors), human_count(s.deleted));
  Table table({"type", "segments", "bytes"});
  for (const auto& [name, sum] : by_type)
    table.add({name, human_count(sum.count), human_bytes(sum.bytes)});
  table.print();
}

void print_epochs(const Options& o, const Store& store) {
  Table table({"epoch", "vectors", "directory", "manifest at", "written"});
  for (const EpochEntry& e : must(store.epochs())) {
    if (o.json) {
      say("{}\n", JsonObject()
                      .add("epoch", e.epoch)
                      .add("vectors", e.vectors)
                      .add("full", e.full)
                      .add("manifest_offset", e.manifest_offset)
                      .add("modified", human_date(e.modified_ns))
                      .str());
    } else {
      table.add({fmt::format("{}", e.epoch), human_count(e.vectors), e.full ? "full" : "delta",
                 fmt::format("{}", e.manifest_offset), human_date(e.modified_ns)});
    }
  }
  if (!o.json) table.print();
}

}  // namespace

void register_inspect(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("inspect", "the parts of a store's file");
  add_store_to_read(*c, *o);
  auto* segments = c->add_flag("--segments", o->segments, "every live segment");
  auto* manifest =
      c->add_flag("--manifest", o->manifest, "the newest manifest, by segment type (the default)");
  c->add_flag("--epochs", o->epochs, "the commits that can be rolled back to")
      ->excludes(segments)
      ->excludes(manifest);
  segments->excludes(manifest);
  add_json(*c, *o);
  c->callback([o] {
    OpenOptions open;
    open.verify_at_open = 0;
    const Store store = open_for_reading(*o, open);
    const Snapshot snapshot = must(store.snapshot());
    if (!o->segments && !o->epochs) o->manifest = true;
    if (o->manifest) print_manifest(*o, store, snapshot);
    if (o->segments) print_segments(*o, snapshot);
    if (o->epochs) print_epochs(*o, store);
  });
}

}  // namespace rvf::cli
