// A whole store file: opened, asked everything, written to, rolled back, compacted, opened again.
#include "store_fuzz.hpp"

using namespace rvf;        // NOLINT: a program of one function
using namespace rvf::fuzz;  // NOLINT

namespace {

const std::string kPath = "s.rvf";

void write_to(Store& store) {
  const StoreStatus status = store.status();
  if (status.vectors > 100'000 || status.dimension > 4096) return;
  const std::vector<float> one(status.dimension, 1.0F);
  const std::vector<uint64_t> ids = {3};
  explained(store.ingest(Vectors::from_f32(one, status.dimension), ids));
  explained(store.remove(ids));
  explained(store.remove_where("id < 2"));
  if (const auto epochs = store.epochs(); epochs && epochs->size() > 1) {
    explained(store.rollback(epochs->back().epoch));
  }
  ask_everything(store);
  explained(store.compact());
  ask_everything(store);
}

}  // namespace

RVF_FUZZ {
  const BelieveHashes believe;
  const auto fs = files_with(kPath, input);
  {
    const auto reader = Store::open_readonly(kPath, options_for(fs));
    explained(reader);
    if (!reader) return;
    ask_everything(*reader);
  }
  auto writer = Store::open(kPath, options_for(fs));
  explained(writer);
  if (!writer) return;
  write_to(*writer);
  if (!writer->close()) return;
  const auto again = Store::open_readonly(kPath, options_for(fs));
  explained(again);
}
