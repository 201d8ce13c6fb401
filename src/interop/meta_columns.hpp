// Columns that grow by single values and find their types on the way. Internal to src/interop.
//
// A type is given (declared), known from the store, or inferred: over a batch, and then kept for
// the next ones. What was inferred as i64 can become f64 later; nothing else changes once it was
// handed over. Thread-safety: one thread an object.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "interop/meta_values.hpp"
#include "rvf/metadata.hpp"
#include "rvf/result.hpp"

namespace rvf::interop {

inline constexpr size_t kMaxMetaFields = 65000;
inline constexpr size_t kMaxMetaValue = 16 << 20;
inline constexpr size_t kListItemBytes = 16;  // what an element of a list counts beside its text

// Names that records of vectors have already, in files and in what is printed.
bool is_reserved_name(std::string_view name) noexcept;
inline constexpr const char* kReservedNames =
    "\"id\", \"vector\", \"embedding\" and names that begin with '_' belong to the store";

class MetaColumns {
 public:
  MetaColumns(const std::vector<Field>& declared, const std::vector<Field>& known);

  // The column of a name, which must be one a store accepts (kBadArgument otherwise).
  Result<size_t> column(std::string_view name);
  // The type that is given for a field or that the store has, if any.
  std::optional<FieldType> fixed_type(std::string_view name) const;

  void begin();
  // Rows of a column come in ascending order, each at most once. Messages do not say where.
  Status put(size_t row, size_t column, Cell cell);
  bool has_values(size_t column) const noexcept { return !states_[column].cells.empty(); }
  size_t used() const noexcept { return used_; }  // columns with a value in this batch

  struct Misfit {
    size_t row = 0;
    Error error;
  };
  // Replaces `out` with the columns of the batch that have a value, each of `rows` values.
  std::optional<Misfit> finish(size_t rows, std::vector<Column>& out);

 private:
  struct State {
    std::string name;
    std::optional<FieldType> declared;
    std::optional<FieldType> known;
    std::optional<FieldType> given_out;  // inferred, of an earlier batch
    Looks looks = Looks::kNull;
    bool negative = false;
    std::vector<Cell> cells;
  };

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  size_t add(std::string name);
  static bool accept(State& state, Cell& cell);
  static bool join(State& state, const Cell& cell);
  static Error misfit(const State& state, const Cell& cell);

  std::vector<State> states_;
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> by_name_;
  size_t used_ = 0;
  size_t next_ = 0;  // the likely next one: rows tend to have their fields in one order
};

}  // namespace rvf::interop
