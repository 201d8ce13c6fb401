#include <fmt/format.h>

#include "command.hpp"
#include "inputs.hpp"
#include "storage_argument.hpp"
#include "types_arguments.hpp"

namespace rvf::cli {

void register_create(CLI::App& app) {
  struct Options : Common {
    CreateOptions create;
    StorageArgument storage;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("create", "make an empty store");
  add_store_to_write(*c, *o);
  c->add_option("--dim", o->create.dimension, "dimensions of a vector, 1 to 65535")->required();
  CLI::Option* metric = add_metric(*c, o->create.metric);
  CLI::Option* dtype = add_dtype(*c, o->create.dtype);
  o->storage.add_to(*c);
  c->add_option(
       "--graph-m", o->create.graph_m,
       "graph: neighbours of a leader (16); the base layer has 32, 20 in the standard layout")
      ->check(CLI::Range(4, 64));
  c->add_option("--ef-construction", o->create.ef_construction,
                "graph: width of the search for a vector's neighbours (128)")
      ->check(CLI::Range(8, 4096));
  add_search_layout(*c, o->create.search_layout);
  add_id_type(*c, o->create.ids);
  add_json(*c, *o);
  c->callback([o, metric, dtype] {
    o->storage.apply(o->create, dtype->count() > 0);
    choose_metric(o->create, metric->count() > 0);
    Store s = must(Store::create(o->store, o->create, writing_options(*o)));
    const StoreStatus status = s.status();
    must(s.close());
    if (o->json) {
      say("{}\n", JsonObject()
                      .add("created", o->store)
                      .add("dim", status.dimension)
                      .add("metric", metric_name(status.metric))
                      .add("dtype", dtype_name(status.dtype))
                      .add("storage", storage_shown(status))
                      .add("file_bytes", status.file_bytes)
                      .str());
    } else {
      say("created {}: {} dimensions, {}, {}\n", o->store, status.dimension,
          metric_name(status.metric), dtype_name(status.dtype));
    }
  });
}

}  // namespace rvf::cli
