// --storage: what a store keeps of its vectors. f32 and f16 are dtypes, chosen when a store is
// made; int8 and rabitq4 are what compactions make of vectors of any float dtype.
#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "rvf/store.hpp"

namespace rvf::cli {

// "f32", ..., or the lossy storage.
std::string storage_shown(const StoreStatus& status);

class StorageArgument {
 public:
  CLI::Option* add_to(CLI::App& command);
  bool given() const { return !name_.empty(); }
  const std::string& name() const { return name_; }

  // Of a new store. `dtype_given`: the caller chose options.dtype; a conflict is an input error.
  void apply(CreateOptions& options, bool dtype_given) const;
  // Of a compaction of a store of this dtype, which cannot change.
  std::optional<Storage> for_compaction(DType dtype) const;

 private:
  std::string name_;
};

}  // namespace rvf::cli
