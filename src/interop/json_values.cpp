#include "interop/json_values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iterator>
#include <type_traits>

#include "unicode/utf8.hpp"
#include "unicode/visible.hpp"

namespace rvf::interop {
namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void append_base64(std::string& out, std::span<const std::byte> bytes) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t v = 0;
    for (size_t k = 0; k < 3; ++k) {
      v = (v << 8) | (k < n ? std::to_integer<uint32_t>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) out += k <= n ? kBase64[(v >> (18 - 6 * k)) & 63] : '=';
  }
}

struct Civil {
  int64_t year;
  unsigned month, day;
};

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
Civil civil_of(int64_t days) noexcept {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<unsigned>(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {era * 400 + yoe + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1};
}

FieldType natural_type(const Value& value) noexcept {
  switch (value.index()) {
    case 2: return FieldType::kBytes;
    case 3: return FieldType::kI64;
    case 4: return FieldType::kU64;
    case 5: return FieldType::kF64;
    case 6: return FieldType::kBool;
    case 7: return FieldType::kStringList;
    default: return FieldType::kString;
  }
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    const char32_t c = unicode::next_code_point(text, at);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else if (unicode::is_control(c)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(c));
    } else if (c == unicode::kReplacement) {
      unicode::append_utf8(out, c);
    } else {
      out.append(text, from, at - from);
    }
  }
  out += '"';
}

std::string f64_text(double value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string out(buffer, end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string timestamp_text(int64_t nanoseconds) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t seconds = nanoseconds / kSecond;
  int64_t fraction = nanoseconds % kSecond;
  if (fraction < 0) {
    fraction += kSecond;
    --seconds;
  }
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const Civil date = civil_of(days);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month,
                                date.day, rest / 3600, rest / 60 % 60, rest % 60);
  if (fraction != 0) {
    out += fmt::format(".{:09}", fraction);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + 'Z';
}

void append_json(std::string& out, const Value& value, FieldType type) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          append_json_text(out, v);
        } else if constexpr (std::is_same_v<T, std::vector<std::byte>>) {
          out += '"';
          append_base64(out, v);
          out += '"';
        } else if constexpr (std::is_same_v<T, int64_t>) {
          if (type == FieldType::kTimestamp) {
            out += '"';
            out += timestamp_text(v);
            out += '"';
          } else {
            fmt::format_to(std::back_inserter(out), "{}", v);
          }
        } else if constexpr (std::is_same_v<T, uint64_t>) {
          fmt::format_to(std::back_inserter(out), "{}", v);
        } else if constexpr (std::is_same_v<T, double>) {
          out += std::isfinite(v) ? f64_text(v) : "null";
        } else if constexpr (std::is_same_v<T, bool>) {
          out += v ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          out += '[';
          for (size_t i = 0; i < v.size(); ++i) {
            if (i > 0) out += ',';
            append_json_text(out, v[i]);
          }
          out += ']';
        } else {
          out += "null";
        }
      },
      value);
}

RecordWriter::RecordWriter(std::span<const Field> fields) {
  for (const Field& f : fields) types_.insert_or_assign(f.name, f.type);
  types_.insert_or_assign(kExpiryField, FieldType::kTimestamp);
}

void RecordWriter::append_members(std::string& out, const Record& record) const {
  bool first = true;
  for (const auto& [name, value] : record) {
    if (!first) out += ',';
    first = false;
    append_json_text(out, name);
    out += ':';
    const auto at = types_.find(name);
    append_json(out, value, at == types_.end() ? natural_type(value) : at->second);
  }
}

std::string RecordWriter::object(const Record& record) const {
  std::string out(1, '{');
  append_members(out, record);
  out += '}';
  return out;
}

}  // namespace rvf::interop
