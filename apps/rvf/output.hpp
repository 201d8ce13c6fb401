// Tables and figures for people, JSON for programs. All that the command prints goes through say():
// what stores and file names hold must not steer a terminal.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rvf::cli {

// Controls as \x1b, ends of lines too unless kept; unicode/visible.hpp.
std::string visible(std::string_view text, std::string_view keep = {});

template <class T>
decltype(auto) visible_argument(T&& value) {
  if constexpr (std::is_convertible_v<T, std::string_view>) {
    return visible(value);
  } else {
    return std::forward<T>(value);
  }
}

// fmt::print, with visible() around every text among the arguments. JSON has no controls.
template <class... T>
void say(std::FILE* to, fmt::format_string<T...> format, T&&... arguments) {
  const auto print = [&](const auto&... a) {
    fmt::vprint(to, format, fmt::make_format_args(a...));
  };
  print(visible_argument(std::forward<T>(arguments))...);
}
template <class... T>
void say(fmt::format_string<T...> format, T&&... arguments) {
  say(stdout, format, std::forward<T>(arguments)...);
}
void say_raw(std::string_view text);  // holds nothing but what this program made visible

std::string json_text(std::string_view text);  // with quotes, escaped; always valid UTF-8
std::string json_number(float value);  // shortest form that reads back to the same float
std::string json_array(std::span<const float> values);

std::string human_bytes(uint64_t bytes);  // "12.3 MB"
std::string human_count(uint64_t n);  // "1,234,567"
std::string human_time(double seconds);  // "1.2 ms", "3.4 s", "2 min 05 s"
std::string human_date(uint64_t ns);  // "2026-11-21 10:00:00 UTC"
std::string hex(std::span<const uint8_t> bytes);

class Table {
 public:
  explicit Table(std::vector<std::string> header) { add(std::move(header)); }
  void add(std::vector<std::string> row);
  void print() const;  // numbers to the right, text to the left

 private:
  std::vector<std::vector<std::string>> rows_;
};

// One object of a JSON document, built field by field.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view text);
  JsonObject& add(std::string_view key, const char* text) {
    return add(key, std::string_view(text));
  }
  JsonObject& add(std::string_view key, uint64_t number);
  JsonObject& add(std::string_view key, uint32_t number) { return add(key, uint64_t{number}); }
  JsonObject& add(std::string_view key, double number);
  JsonObject& add(std::string_view key, bool value);
  JsonObject& add_raw(std::string_view key, std::string_view json);
  std::string str() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

}  // namespace rvf::cli
