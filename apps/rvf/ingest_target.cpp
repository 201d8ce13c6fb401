#include "ingest_target.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "metadata_input.hpp"
#include "types_arguments.hpp"

namespace rvf::cli {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

IngestTarget::IngestTarget(const Common& common, TargetOptions& options)
    : common_(common), o_(options) {
  if (o_.create && !exists(common.store)) return;
  store_ = open_for_writing(common_, o_.open);
  refuse_contradictions();
}

IngestTarget::~IngestTarget() {
  if (!made_ || !store_) return;
  // While the lock is held, so that nobody else's store is removed.
  ::unlink(common_.store.c_str());
  (void)store_->close();
  ::unlink((common_.store + ".lock").c_str());
}

void IngestTarget::refuse_contradictions() const {
  const StoreStatus status = store_->status();
  const auto refuse = [&](const char* option, const std::string& wanted, const std::string& is) {
    fail_usage(fmt::format("{} has {} {}, not {}; --{} is for a store that --create makes",
                           common_.store, option, is, wanted, option));
  };
  if (o_.metric_given && o_.shape.metric != status.metric) {
    refuse("metric", metric_name(o_.shape.metric), metric_name(status.metric));
  }
  if (o_.dtype_given && o_.shape.dtype != status.dtype) {
    refuse("dtype", dtype_name(o_.shape.dtype), dtype_name(status.dtype));
  }
  for (const auto& [given, option] :
       {std::pair(o_.storage.given(), "--storage"), {o_.layout_given, "--search-layout"}}) {
    if (!given) continue;
    fail_usage(fmt::format("{} is for a store that --create makes; rvf compact {} changes one",
                           option, option));
  }
}

IdKind IngestTarget::id_kind() const {
  if (!store_) return IdKind::kUndecided;
  return store_->status().id_kind;
}

std::vector<Field> IngestTarget::fields() const {
  return store_ ? must(store_->snapshot()).fields() : std::vector<Field>();
}

void IngestTarget::make(const interop::VectorInfo& info) {
  if (store_) return;
  CreateOptions& shape = o_.shape;
  shape.dimension = info.dim;
  if (!o_.dtype_given) {
    const DType t = info.dtype;
    shape.dtype = t == DType::kF16 || t == DType::kU8 || t == DType::kI8 ? t : DType::kF32;
  }
  o_.storage.apply(shape, o_.dtype_given);
  choose_metric(shape, o_.metric_given);
  store_ = must(Store::create(common_.store, shape, writing_options(common_, o_.open)));
  made_ = true;
}

}  // namespace rvf::cli
