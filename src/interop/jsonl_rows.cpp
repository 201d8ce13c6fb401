// One JSON value a line: {"id": 7, "vector": [...], ...} or a bare array of numbers. "embedding"
// and "values" are accepted for "vector". The first row fixes the dimension and the kind of id.
#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <new>

#include "interop/readers.hpp"

namespace rvf::interop {
namespace {

class JsonlReader final : public VectorReader {
 public:
  JsonlReader(std::unique_ptr<ByteSource> source, bool want_extra)
      : source_(std::move(source)), want_extra_(want_extra) {}

  Status start() {
    info_ = {DType::kF32, 0, std::nullopt, Format::kJsonl, source_->compressed()};
    RVF_ASSIGN(const bool any, next_row());
    if (!any) return source_->error(ErrorCode::kBadArgument, "the file holds no rows");
    info_.dim = static_cast<uint32_t>(values_.size());
    pending_ = true;
    return {};
  }

  Result<size_t> read(size_t max_rows, VectorChunk& out) override {
    try {
      return read_rows(max_rows, out);
    } catch (const std::bad_alloc&) {
      return source_->error(ErrorCode::kOutOfMemory, "no memory for its rows");
    }
  }

 private:
  enum class IdKind { kUnknown, kNone, kNumber, kText };

  Result<size_t> read_rows(size_t max_rows, VectorChunk& out) {
    out.clear();
    out.dtype = DType::kF32;
    out.dim = info_.dim;
    out.first_row = row_;
    while (out.count < max_rows && (out.count == 0 || out.bytes.size() < kMaxChunkBytes)) {
      if (!pending_) {
        RVF_ASSIGN(const bool any, next_row());
        if (!any) break;
      }
      pending_ = false;
      if (values_.size() != info_.dim) {
        return fault(ErrorCode::kWrongDimension,
                     fmt::format("{} elements, the first row has {}", values_.size(), info_.dim));
      }
      const auto* raw = reinterpret_cast<const std::byte*>(values_.data());
      out.bytes.insert(out.bytes.end(), raw, raw + values_.size() * 4);
      if (id_kind_ == IdKind::kNumber) out.ids.push_back(id_);
      if (id_kind_ == IdKind::kText) out.string_ids.push_back(string_id_);
      if (want_extra_) out.extra.push_back(extra_);
      ++out.count;
    }
    row_ += out.count;
    return out.count;
  }

  Result<bool> next_row() {
    for (;;) {
      RVF_ASSIGN(const bool any, source_->line(line_, kMaxLine));
      if (!any) return false;
      ++line_number_;
      if (line_number_ == 1 && line_.starts_with("\xEF\xBB\xBF")) line_.erase(0, 3);
      if (line_.find_first_not_of(" \t") != std::string::npos) break;
    }
    // The parser reads past the end of the text, into this padding.
    const size_t length = line_.size();
    line_.reserve(length + simdjson::SIMDJSON_PADDING);
    simdjson::dom::element row;
    if (auto e = parser_.parse(line_.data(), length, false).get(row)) {
      return fault(e == simdjson::MEMALLOC ? ErrorCode::kOutOfMemory : ErrorCode::kCorrupt,
                   fmt::format("not JSON: {}", simdjson::error_message(e)));
    }
    RVF_TRY(take(row));
    return true;
  }

  Status take(simdjson::dom::element row) {
    IdKind kind = IdKind::kNone;
    bool found = false;
    extra_.assign(1, '{');
    simdjson::dom::array array;
    simdjson::dom::object object;
    if (row.get(array) == simdjson::SUCCESS) {
      RVF_TRY(take_values(array));
      found = true;
    } else if (row.get(object) == simdjson::SUCCESS) {
      for (const simdjson::dom::key_value_pair field : object) {
        if (field.key == "id") {
          RVF_TRY(take_id(field.value, kind));
        } else if (!found &&
                   (field.key == "vector" || field.key == "embedding" || field.key == "values")) {
          if (field.value.get(array) != simdjson::SUCCESS) {
            return fault(ErrorCode::kCorrupt, fmt::format("\"{}\" is no array", field.key));
          }
          RVF_TRY(take_values(array));
          found = true;
        } else if (want_extra_) {
          append_extra(field);
        }
      }
    } else {
      return fault(ErrorCode::kCorrupt, "neither an object nor an array");
    }
    extra_ += '}';
    if (!found) return fault(ErrorCode::kCorrupt, "no \"vector\" in it");
    if (id_kind_ == IdKind::kUnknown) id_kind_ = kind;
    if (id_kind_ != kind) {
      return fault(ErrorCode::kCorrupt, "its id is missing or of another kind than those before");
    }
    return {};
  }

  void append_extra(const simdjson::dom::key_value_pair& field) {
    if (extra_.size() > 1) extra_ += ',';
    std::string key;
    for (const char c : field.key) {
      if (c == '"' || c == '\\') key += '\\';
      if (static_cast<unsigned char>(c) < 0x20) {
        key += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      } else {
        key += c;
      }
    }
    extra_ += '"';
    extra_ += key;
    extra_ += "\":";
    extra_ += simdjson::minify(field.value);
  }

  Status take_id(simdjson::dom::element value, IdKind& kind) {
    std::string_view text;
    if (value.get(id_) == simdjson::SUCCESS) {
      kind = IdKind::kNumber;
    } else if (value.get(text) == simdjson::SUCCESS) {
      kind = IdKind::kText;
      string_id_ = text;
    } else {
      return fault(ErrorCode::kOutOfRange, "\"id\" is neither a whole number >= 0 nor a text");
    }
    return {};
  }

  Status take_values(simdjson::dom::array array) {
    values_.clear();
    for (const simdjson::dom::element e : array) {
      double v = 0;
      if (e.get(v) != simdjson::SUCCESS) {
        return fault(ErrorCode::kNotFinite, fmt::format("element {} is no number", values_.size()));
      }
      if (std::fabs(v) >= kFloatOverflow) {
        return fault(ErrorCode::kOutOfRange,
                     fmt::format("element {} is beyond the range of f32", values_.size()));
      }
      if (values_.size() == kMaxDimension) {
        return fault(ErrorCode::kWrongDimension,
                     fmt::format("more than {} elements", kMaxDimension));
      }
      values_.push_back(static_cast<float>(v));
    }
    if (values_.empty()) return fault(ErrorCode::kWrongDimension, "an empty vector");
    return {};
  }

  Error fault(ErrorCode code, const std::string& what) const {
    return source_->error(code, fmt::format("line {}: {}", line_number_, what));
  }

  std::unique_ptr<ByteSource> source_;
  simdjson::dom::parser parser_;
  std::string line_;
  std::vector<float> values_;
  std::string string_id_;
  std::string extra_;
  uint64_t id_ = 0;
  uint64_t line_number_ = 0;
  uint64_t row_ = 0;
  IdKind id_kind_ = IdKind::kUnknown;
  bool want_extra_;
  bool pending_ = false;  // the first row is parsed and not yet handed over
};

}  // namespace

Result<std::unique_ptr<VectorReader>> open_jsonl(std::unique_ptr<ByteSource> source,
                                                 bool want_extra) {
  auto reader = std::make_unique<JsonlReader>(std::move(source), want_extra);
  RVF_TRY(reader->start());
  return std::unique_ptr<VectorReader>(std::move(reader));
}

}  // namespace rvf::interop
