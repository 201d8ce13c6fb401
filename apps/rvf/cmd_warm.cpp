// warm: an index in the page cache before queries ask for it.
#include <fmt/format.h>

#include "command.hpp"

namespace rvf::cli {
namespace {

struct WarmArguments : Common {
  LoadAheadOptions load;
};

void run(WarmArguments& o) {
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  LoadAheadReport r;
  {
    ProgressBar bar("reading", "B");
    const Progress progress = bar.callback();
    o.load.progress = &progress;
    r = must(snapshot.load_ahead(o.load));
  }
  if (o.json) {
    say("{}\n",
        JsonObject().add("layer_a", r.layer_a).add("layer_c", r.layer_c).add("rows", r.rows).str());
    return;
  }
  say("in the page cache: {} of layer A, {} of layer C, {} of vectors\n", human_bytes(r.layer_a),
      human_bytes(r.layer_c), human_bytes(r.rows));
}

}  // namespace

void register_warm(CLI::App& app) {
  auto o = std::make_shared<WarmArguments>();
  CLI::App* c = app.add_subcommand(
      "warm",
      "read the index into the page cache, for the first queries to be as fast as later ones");
  add_store_to_read(*c, *o);
  c->add_flag("--rows", o->load.rows, "the vectors too");
  c->add_option("--most", o->load.most_bytes, "bytes to read at most, for example 2GB (all)")
      ->transform(CLI::AsSizeValue(false))
      ->check(at_least(1));
  add_json(*c, *o);
  c->callback([o] { run(*o); });
}

}  // namespace rvf::cli
