#include "interop/vector_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "interop/csv_text.hpp"
#include "interop/row_convert.hpp"

namespace rvf::interop {
namespace {

constexpr size_t kShown = 40;

}  // namespace

bool has_decimal_comma(std::string_view text) noexcept {
  return !text.empty() && std::count(text.begin(), text.end(), ',') == 1 &&
         text.find_first_not_of("0123456789,+-eE") == std::string_view::npos &&
         text.front() != ',' && text.back() != ',';
}

NumberRead read_number(std::string_view s, float& out) noexcept {
  if (s.starts_with('+')) {
    s.remove_prefix(1);
    if (s.starts_with('-')) return NumberRead::kText;
  }
  double v = 0;
  const auto r = std::from_chars(s.data(), s.data() + s.size(), v);
  if (r.ptr != s.data() + s.size() || s.empty()) return NumberRead::kText;
  if (r.ec == std::errc::result_out_of_range) {
    // Too small is zero, too large is an error; the exponent's sign tells them apart.
    const size_t e = s.find_first_of("eE");
    const bool tiny = e != std::string_view::npos ? s.substr(e + 1).starts_with('-')
                                                  : s.substr(s[0] == '-').starts_with("0");
    if (!tiny) return NumberRead::kOutOfRange;
    v = 0;
  } else if (r.ec != std::errc()) {
    return NumberRead::kText;
  }
  if (!std::isfinite(v)) return NumberRead::kNotFinite;
  if (std::fabs(v) >= kFloatOverflow) return NumberRead::kOutOfRange;
  out = static_cast<float>(v);
  return NumberRead::kNumber;
}

Error number_fault(NumberRead read, std::string_view text) {
  switch (read) {
    case NumberRead::kNotFinite: return {ErrorCode::kNotFinite, "NaN or infinity"};
    case NumberRead::kOutOfRange: return {ErrorCode::kOutOfRange, "beyond the range of f32"};
    default: break;
  }
  return {ErrorCode::kCorrupt,
          fmt::format("\"{}\" is no number{}", text.substr(0, kShown),
                      has_decimal_comma(text)
                          ? "; a decimal comma? numbers are written with a point, 1.5"
                          : "")};
}

Status read_vector(std::string_view text, std::vector<float>& out) {
  constexpr std::string_view kOpen = "[({";
  constexpr std::string_view kClose = "])}";
  out.clear();
  text = trim_blanks(text);
  const size_t kind = text.empty() ? std::string_view::npos : kOpen.find(text.front());
  if (kind != std::string_view::npos) {
    if (text.back() != kClose[kind]) {
      return Error(ErrorCode::kCorrupt, "a vector whose bracket stays open");
    }
    text = trim_blanks(text.substr(1, text.size() - 2));
  }
  constexpr std::string_view kBlanks = " \t\r\n";
  const bool commas = text.find(',') != std::string_view::npos;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(commas ? "," : kBlanks), text.size());
    const std::string_view part = trim_blanks(text.substr(0, end));
    float v = 0;
    const NumberRead read = read_number(part, v);
    if (read != NumberRead::kNumber) {
      Error e = number_fault(read, part);
      e.message = fmt::format("element {}: {}", out.size(), e.message);
      return e;
    }
    if (out.size() == kMaxDimension) {
      return Error(ErrorCode::kWrongDimension, fmt::format("more than {} elements", kMaxDimension));
    }
    out.push_back(v);
    if (end == text.size()) return {};
    text.remove_prefix(end + 1);
    if (!commas) text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (commas && trim_blanks(text).empty()) {
      return Error(ErrorCode::kCorrupt, "a comma with no number behind it");
    }
  }
  if (out.empty()) return Error(ErrorCode::kWrongDimension, "an empty vector");
  return {};
}

}  // namespace rvf::interop
