// The store that `ingest` writes to: opened, or made of the shape of the first file. One that was made
// goes again, as if it had never been, where nothing was acknowledged.
#pragma once
#include <optional>
#include <string>

#include "command.hpp"
#include "interop/vector_file.hpp"
#include "storage_argument.hpp"

namespace rvf::cli {

struct TargetOptions {
  bool create = false;
  CreateOptions shape;  // of a new store
  bool metric_given = false, dtype_given = false, layout_given = false;
  StorageArgument storage;
  OpenOptions open;
};

class IngestTarget {
 public:
  // Opens a store that exists; fails the command where the options contradict it, or where there is
  // none and none is to be made.
  IngestTarget(const Common& common, TargetOptions& options);
  ~IngestTarget();
  IngestTarget(const IngestTarget&) = delete;
  IngestTarget& operator=(const IngestTarget&) = delete;

  // The kind of the ids that the files have to bring.
  IdKind id_kind() const;
  std::vector<Field> fields() const;
  // Makes the store if there is none.
  void make(const interop::VectorInfo& info);
  Store& store() { return *store_; }
  void keep() { made_ = false; }

 private:
  void refuse_contradictions() const;

  const Common& common_;
  TargetOptions& o_;
  std::optional<Store> store_;
  bool made_ = false;
};

}  // namespace rvf::cli
