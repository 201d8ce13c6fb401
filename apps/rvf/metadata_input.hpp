// Metadata that comes with vectors: from the vector file itself, from a file of rows beside it.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "interop/meta_rows.hpp"
#include "rvf/store.hpp"

namespace rvf::cli {

// What `ingest` is told about metadata.
struct MetadataOptions {
  std::string meta_file;   // --meta
  std::string schema;      // --schema: a list, or a file
  std::string id_column;   // --id-column
  std::string ttl;         // --ttl
};

// "year:i64,lang:enum:index", or the name of a JSON file that says the same. Fails the command.
std::vector<Field> schema_from(const std::string& spec, const char* option = "--schema");
// Fails the command: a field of another type than the store's is a mistake of the user, no damage.
void declare_fields(Store& store, const std::vector<Field>& fields);
// "30d", "12h", "90m", "45s": nanoseconds, as many as there can be. Fails the command.
int64_t duration_from(const std::string& text);

// Rows of a metadata file for chunk after chunk of vectors. Vectors that have ids get the row with
// the same id, wherever it stands; others get the next row, and its id.
class MetaJoin {
 public:
  MetaJoin(std::string path, interop::MetaOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}
  // out.columns have as many values as there are vectors; out.ids or out.keys only where the
  // vectors had none.
  void take(const interop::VectorChunk& chunk, interop::MetaRows& out);
  // Fails the command if rows are left that no vector took; of rows with ids it only says so.
  void finish();

 private:
  struct Place {
    size_t block, row;
    bool taken = false;
  };
  void open(IdKind kind);
  static bool are_in_order(const std::vector<interop::MetaRows>& parts,
                           const interop::VectorChunk& chunk);
  void read_all(std::vector<interop::MetaRows> parts);
  void remember(interop::MetaRows rows);
  void look_up(const interop::VectorChunk& chunk, interop::MetaRows& out);
  void copy_row(const Place& place, std::vector<Column>& to, size_t to_row, size_t rows) const;

  std::string path_;
  interop::MetaOptions options_;
  std::unique_ptr<interop::MetaRowReader> reader_;
  uint64_t in_order_ = 0;  // rows that went by, each with its vector
  uint64_t rows_ = 0;  // in blocks_
  std::optional<bool> vectors_have_ids_;
  bool rows_have_ids_ = false;
  bool by_id_ = false;  // everything was read, rows are looked up
  std::vector<interop::MetaRows> blocks_;
  std::unordered_map<uint64_t, Place> by_number_;
  std::unordered_map<std::string, Place> by_key_;
};

// Adds the columns of `from` to `to`; a name that both have is an error of the user's.
void add_columns(std::vector<Column> from, std::vector<Column>& to, const std::string& where);

}  // namespace rvf::cli
