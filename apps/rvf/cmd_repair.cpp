// repair: what is left of a damaged store, in a new one.
#include <fmt/format.h>

#include "command.hpp"
#include "rvf/repair.hpp"
#include "types/segment.hpp"

namespace rvf::cli {
namespace {

struct RepairArguments : Common {
  std::string out;
  RepairOptions repair;
};

std::string type_of(const LostSegment& l) {
  return segment_type_name(static_cast<SegmentType>(l.type));
}

void print_json(const RepairArguments& o, const RepairReport& r) {
  std::string lost;
  for (const LostSegment& l : r.lost) {
    lost += (lost.empty() ? "" : ",") + JsonObject()
                                            .add("segment", l.segment_id)
                                            .add("type", type_of(l))
                                            .add("offset", l.offset)
                                            .add("bytes", l.bytes)
                                            .add("vectors", l.rows)
                                            .add("first_id", l.first_id)
                                            .add("last_id", l.last_id)
                                            .add("reason", l.reason)
                                            .str();
  }
  std::string notes;
  for (const std::string& n : r.notes) notes += (notes.empty() ? "" : ",") + json_text(n);
  say("{}\n", JsonObject()
                  .add("outcome", repair_outcome_name(r.outcome))
                  .add("file", o.out)
                  .add("directory", r.has_directory)
                  .add("epoch", r.epoch)
                  .add("vectors", r.vectors)
                  .add("vectors_lost", r.vectors_lost)
                  .add("attachments", r.attachments)
                  .add("segments_after_directory", r.segments_after_directory)
                  .add_raw("lost", "[" + lost + "]")
                  .add_raw("notes", "[" + notes + "]")
                  .str());
}

void print_text(const RepairArguments& o, const RepairReport& r) {
  for (const LostSegment& l : r.lost) {
    say("lost: {} segment {} at offset {}, {}: {}\n", type_of(l), l.segment_id, l.offset,
        human_bytes(l.bytes), l.reason);
    if (l.rows > 0) {
      say("      {} vectors with ids from {} to {}\n", human_count(l.rows), l.first_id, l.last_id);
    }
  }
  for (const std::string& n : r.notes) say("note: {}\n", n);
  if (r.outcome == RepairOutcome::kNothing) {
    say("nothing is left of {}\n", o.store);
    return;
  }
  say("{}: {} vectors and {} attachments are in {}{}\n", repair_outcome_name(r.outcome),
      human_count(r.vectors), human_count(r.attachments), o.out,
      r.has_directory ? fmt::format(", as of epoch {}", r.epoch) : "");
}

void run(RepairArguments& o) {
  install_interrupt();
  o.repair.survive_lost_pages = true;
  o.repair.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  RepairReport report;
  {
    ProgressBar bar("reading", "B");
    const Progress progress = bar.callback();
    o.repair.progress = &progress;
    report = must(repair(o.store, o.out, o.repair));
  }
  o.json ? print_json(o, report) : print_text(o, report);
  if (report.outcome == RepairOutcome::kNothing) {
    throw Failure{kNothingLeft, "nothing could be saved"};
  }
  if (report.outcome == RepairOutcome::kPartial) {
    throw Failure{kDamaged, "not everything could be saved; the report above says what is lost"};
  }
}

}  // namespace

void register_repair(CLI::App& app) {
  auto o = std::make_shared<RepairArguments>();
  CLI::App* c = app.add_subcommand(
      "repair", "save what is left of a damaged store into a new one; OLD is only read");
  c->add_option("OLD", o->store, "the damaged store's file")->required();
  c->add_option("NEW", o->out, "the file to write; it must not exist")->required();
  c->add_flag("!--no-index", o->repair.index, "leave the graph out; rvf index builds it later");
  add_threads(*c, *o, "threads for the index (all cores)");
  add_json(*c, *o);
  c->callback([o] { run(*o); });
}

}  // namespace rvf::cli
