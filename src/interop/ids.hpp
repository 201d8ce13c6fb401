// Ids as they stand in files. One rule for all of them: a written id is a number if it is the
// canonical decimal form of one from 0 to 2^64-2, without sign, blanks or leading zeros; all others
// are texts. JSON says itself which of the two a value is.
//
// The ids of a store are of one kind. Where that is texts, a number is taken as its text; where it is
// numbers, a text must be the canonical form of one. Where nothing is decided yet, the first row of a
// jsonl file decides, and of files that hold only text all ids together: one that is no number makes
// all of them texts. Internal to src/interop but for IdList.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "types/id_text.hpp"

namespace rvf::interop {

// Numbers or texts, never both.
struct IdList {
  std::vector<uint64_t> numbers;
  std::vector<std::string> texts;
  size_t size() const noexcept { return numbers.size() + texts.size(); }
};

// The ids of a file, row by row and batch by batch. Messages do not say where. Errors: kCorrupt,
// kOutOfRange.
class IdColumn {
 public:
  explicit IdColumn(IdKind kind) : kind_(kind), given_(kind != IdKind::kUndecided) {}

  Status add_number(uint64_t id);  // a JSON number
  Status add_text(std::string_view id);  // a JSON text
  Status add_written(std::string_view id);  // of a file that holds only text
  Status add_none();  // a row without an id, which is an error among rows that have one
  // The ids since the last call. What is undecided by now is decided by them.
  void give(std::vector<uint64_t>& numbers, std::vector<std::string>& texts);

 private:
  Status present();
  Status misfit(std::string_view text) const;

  IdKind kind_;
  bool given_;  // by the store or the user, not by rows before
  std::optional<bool> present_;  // whether the rows have ids
  std::vector<uint64_t> numbers_;
  std::vector<std::string> texts_;
};

}  // namespace rvf::interop
