#include "storage_argument.hpp"

#include <fmt/format.h>

#include "command.hpp"

namespace rvf::cli {

std::string storage_shown(const StoreStatus& status) {
  return status.storage == Storage::kExact ? dtype_name(status.dtype)
                                           : storage_name(status.storage);
}

CLI::Option* StorageArgument::add_to(CLI::App& command) {
  return command
      .add_option(
          "--storage", name_,
          "f32, f16: as they are; int8, rabitq4: compactions store vectors in 8 or 4 bits a "
          "dimension (lossy)")
      ->check(CLI::IsMember({"f32", "f16", "int8", "rabitq4"}));
}

void StorageArgument::apply(CreateOptions& options, bool dtype_given) const {
  if (name_ == "int8") options.storage = Storage::kInt8;
  if (name_ == "rabitq4") options.storage = Storage::kRaBitQ4;
  const bool is_float = options.dtype == DType::kF32 || options.dtype == DType::kF16;
  if (options.storage != Storage::kExact && !dtype_given && !is_float) options.dtype = DType::kF32;
  if (!given() || options.storage != Storage::kExact) return;
  DType dtype = options.dtype;
  (void)parse_dtype(name_.c_str(), dtype);
  if (dtype_given && dtype != options.dtype) {
    fail_usage(fmt::format("--storage {} stores dtype {}, --dtype says {}; give one of the two",
                           name_, name_, dtype_name(options.dtype)));
  }
  options.dtype = dtype;
}

std::optional<Storage> StorageArgument::for_compaction(DType dtype) const {
  if (!given()) return std::nullopt;
  if (name_ == "int8") return Storage::kInt8;
  if (name_ == "rabitq4") return Storage::kRaBitQ4;
  if (name_ == dtype_name(dtype)) return Storage::kExact;
  fail_usage(fmt::format(
      "this store holds dtype {}, which a compaction cannot change to {}: create a store "
      "with --storage {} and ingest into it",
      dtype_name(dtype), name_, name_));
}

}  // namespace rvf::cli
