// Metadata for people and programs: which fields to show, cells of tables, JSON.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "interop/json_values.hpp"
#include "rvf/store.hpp"

namespace rvf::cli {

// Shows chosen fields of a snapshot's vectors. "*" chooses all.
class Records {
 public:
  // Fails the command for a field that the store has not.
  Records(const Snapshot& snapshot, const std::vector<std::string>& columns);
  const std::vector<std::string>& names() const noexcept { return names_; }
  // One row of cells an id, in the order of names().
  std::vector<std::vector<std::string>> cells(std::span<const uint64_t> ids) const;
  // One JSON object an id, of the chosen fields that are not null.
  std::vector<std::string> objects(std::span<const uint64_t> ids) const;

 private:
  std::string key_of(const std::string& name) const;
  std::vector<std::vector<Value>> values(std::span<const uint64_t> ids) const;

  const Snapshot& snapshot_;
  std::vector<std::string> names_;
  std::map<std::string, FieldType> types_;
};

std::string cell_text(const Value& value, FieldType type);  // cut to a sensible width
std::string value_json(const Value& value, FieldType type);

// Ids as their user knows them: the string id where there is one, else the number.
std::string id_text(const Snapshot& snapshot, uint64_t id);
std::string id_json(const Snapshot& snapshot, uint64_t id);
// The number that an id is in a store of numbers; fails the command for any other text.
uint64_t number_of_id(const std::string& text);
// The vector that a user names; fails the command where there is none by that id. `missing` is set
// instead, if given.
uint64_t id_of_text(const Snapshot& snapshot, const std::string& text, bool* missing = nullptr);

}  // namespace rvf::cli
