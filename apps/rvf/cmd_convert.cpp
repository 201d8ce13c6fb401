// convert: between the native layout and those of the published packages.
#include <fmt/format.h>

#include <chrono>

#include "command.hpp"
#include "runtime/convert.hpp"

namespace rvf::cli {
namespace {

struct ConvertArguments : Common {
  std::string out;
  std::string to;
  runtime::ConvertOptions convert;
};

std::string json_list(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : ",") + json_text(line);
  return "[" + out + "]";
}

void run(ConvertArguments& o) {
  install_interrupt();
  const auto start = std::chrono::steady_clock::now();
  o.convert.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  runtime::ConvertReport report;
  {
    ProgressBar bar("building the index", "vectors");
    const Progress progress = bar.callback();
    o.convert.progress = &progress;
    report = must(o.to == "native" ? runtime::convert_to_native(o.store, o.out, o.convert)
                                   : runtime::convert_to_runtime(o.store, o.out, o.convert));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (o.json) {
    say("{}\n", JsonObject()
                    .add("from", report.from)
                    .add("to", report.to)
                    .add("file", o.out)
                    .add("vectors", report.vectors)
                    .add("dim", report.dimension)
                    .add("file_bytes", report.bytes)
                    .add_raw("carried", json_list(report.carried))
                    .add_raw("lost", json_list(report.lost))
                    .add("seconds", took.count())
                    .str());
    return;
  }
  say("{} -> {}: {} vectors of dimension {}, {} in {}\n", report.from, report.to,
      human_count(report.vectors), report.dimension, human_bytes(report.bytes),
      human_time(took.count()));
  for (const std::string& line : report.carried) say("  carried: {}\n", line);
  for (const std::string& line : report.lost) say("  not carried: {}\n", line);
}

}  // namespace

void register_convert(CLI::App& app) {
  auto o = std::make_shared<ConvertArguments>();
  CLI::App* c = app.add_subcommand(
      "convert", "make a native store of a file of the published packages, or the other way round");
  c->add_option("IN", o->store, "a store of any layout; it is only read")->required();
  c->add_option("OUT", o->out, "the file to write")->required();
  c->add_option("--to", o->to, "native or runtime")
      ->required()
      ->check(CLI::IsMember({"native", "runtime"}));
  c->add_flag("--force", o->convert.replace, "replace OUT if it is there");
  c->add_flag("!--no-index", o->convert.index, "leave the graph out");
  add_threads(*c, *o, "threads for the index (all cores)");
  add_json(*c, *o);
  c->callback([o] { run(*o); });
}

}  // namespace rvf::cli
