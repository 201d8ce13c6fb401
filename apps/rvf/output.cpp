#include "output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "interop/json_values.hpp"
#include "unicode/visible.hpp"

namespace rvf::cli {
namespace {

bool is_number(const std::string& s) {
  return !s.empty() && s.find_first_not_of("0123456789.,-+eE%") == std::string::npos;
}

// Characters a terminal shows, counting a UTF-8 sequence once.
size_t width_of(const std::string& s) {
  return static_cast<size_t>(std::count_if(
      s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string visible(std::string_view text, std::string_view keep) {
  std::string out;
  unicode::append_visible(out, text, keep);
  return out;
}

void say_raw(std::string_view text) { fmt::print("{}", text); }

std::string json_text(std::string_view text) {
  std::string out;
  interop::append_json_text(out, text);
  return out;
}

std::string json_number(float value) {
  // JSON reads -0 as an integer, and so as 0.
  if (value == 0 && std::signbit(value)) return "-0.0";
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string json_array(std::span<const float> values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    out += json_number(values[i]);
  }
  return out + "]";
}

std::string human_bytes(uint64_t bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  auto v = static_cast<double>(bytes);
  size_t u = 0;
  while (v >= 1000 && u + 1 < std::size(units)) {
    v /= 1000;
    ++u;
  }
  return u == 0 ? fmt::format("{} B", bytes)
                : fmt::format("{:.{}f} {}", v, v < 10 ? 2 : 1, units[u]);
}

std::string human_count(uint64_t n) {
  std::string digits = fmt::format("{}", n);
  for (auto at = static_cast<ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string human_time(double s) {
  if (s < 1e-3) return fmt::format("{:.1f} us", s * 1e6);
  if (s < 1) return fmt::format("{:.1f} ms", s * 1e3);
  if (s < 60) return fmt::format("{:.1f} s", s);
  const auto whole = static_cast<uint64_t>(s);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string human_date(uint64_t ns) {
  if (ns == 0) return "-";
  const auto seconds = static_cast<time_t>(ns / 1'000'000'000U);
  tm utc{};
  char text[32] = "?";
  if (::gmtime_r(&seconds, &utc) != nullptr)
    (void)std::strftime(text, sizeof(text), "%F %T UTC", &utc);
  return text;
}

std::string hex(std::span<const uint8_t> bytes) {
  std::string out;
  for (const uint8_t b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = visible(cell);
  rows_.push_back(std::move(row));
}

void Table::print() const {
  std::vector<size_t> width(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size() && c < width.size(); ++c)
      width[c] = std::max(width[c], width_of(row[c]));
  }
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < rows_[r].size(); ++c) {
      const std::string& cell = rows_[r][c];
      const bool right = rows_.size() > 1 && is_number(rows_[1][c]);
      const std::string pad(width[c] - width_of(cell), ' ');
      line += (c > 0 ? "  " : "") + (right ? pad + cell : cell + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    say("{}\n", line);
  }
}

JsonObject& JsonObject::add_raw(std::string_view key, std::string_view json) {
  if (!body_.empty()) body_ += ',';
  body_ += json_text(key);
  body_ += ':';
  body_ += json;
  return *this;
}
JsonObject& JsonObject::add(std::string_view key, std::string_view text) {
  return add_raw(key, json_text(text));
}
JsonObject& JsonObject::add(std::string_view key, uint64_t number) {
  return add_raw(key, fmt::format("{}", number));
}
JsonObject& JsonObject::add(std::string_view key, double number) {
  return add_raw(key, std::isfinite(number) ? fmt::format("{:.6g}", number) : "null");
}
JsonObject& JsonObject::add(std::string_view key, bool value) {
  return add_raw(key, value ? "true" : "false");
}

}  // namespace rvf::cli
