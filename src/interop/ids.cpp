#include "interop/ids.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rvf::interop {
namespace {

constexpr size_t kShown = 40;

}  // namespace

Status IdColumn::present() {
  if (!present_.value_or(true)) {
    return Error(ErrorCode::kCorrupt, "it has an id, the rows before have none");
  }
  present_ = true;
  return {};
}

Status IdColumn::misfit(std::string_view text) const {
  return Error(
      ErrorCode::kCorrupt,
      fmt::format("the id \"{}\" is a text, and {} are numbers (0 to 2^64-2, without signs, "
                  "blanks or leading zeros){}",
                  text.substr(0, kShown), given_ ? "the ids here" : "those before",
                  given_ ? "" : "; --id-type text takes all as texts"));
}

Status IdColumn::add_none() {
  if (present_.value_or(false)) {
    return Error(ErrorCode::kCorrupt, "its id is missing, the rows before have one");
  }
  present_ = false;
  return {};
}

Status IdColumn::add_number(uint64_t id) {
  RVF_TRY(present());
  if (id == kNoId) {
    return Error(ErrorCode::kOutOfRange, fmt::format("the id {} is too large; ids are numbers from "
                                                     "0 to 2^64-2, or texts",
                                                     id));
  }
  if (kind_ == IdKind::kUndecided) kind_ = IdKind::kNumbers;
  if (kind_ == IdKind::kTexts) {
    texts_.push_back(std::to_string(id));
  } else {
    numbers_.push_back(id);
  }
  return {};
}

Status IdColumn::add_text(std::string_view id) {
  if (kind_ == IdKind::kUndecided) kind_ = IdKind::kTexts;
  return add_written(id);
}

Status IdColumn::add_written(std::string_view id) {
  RVF_TRY(present());
  if (id.empty()) return Error(ErrorCode::kCorrupt, "the id is empty");
  if (kind_ != IdKind::kNumbers) {
    texts_.emplace_back(id);
    return {};
  }
  const auto number = number_id(id);
  if (!number) return misfit(id);
  numbers_.push_back(*number);
  return {};
}

void IdColumn::give(std::vector<uint64_t>& numbers, std::vector<std::string>& texts) {
  if (kind_ == IdKind::kUndecided && !texts_.empty()) {
    const bool all = std::all_of(texts_.begin(), texts_.end(),
                                 [](const std::string& t) { return number_id(t).has_value(); });
    kind_ = all ? IdKind::kNumbers : IdKind::kTexts;
    if (all) {
      for (const std::string& t : texts_) numbers_.push_back(*number_id(t));
      texts_.clear();
    }
  }
  numbers.swap(numbers_);
  texts.swap(texts_);
  numbers_.clear();
  texts_.clear();
}

}  // namespace rvf::interop
