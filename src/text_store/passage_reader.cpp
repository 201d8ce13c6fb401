#include "text_store/passage_reader.hpp"

#include <algorithm>

#include "types/segment.hpp"

namespace rvf::text_store {
namespace {

constexpr size_t kKeepDecoded = 64;
enum Field : uint16_t { kPath = 1, kHeading = 2, kFirstLine = 3, kLastLine = 4, kText = 5 };

const wire::MetaColumn* column(const wire::MetaSegment& meta, Field field) {
  const auto it = std::find_if(meta.columns.begin(), meta.columns.end(),
                               [&](const wire::MetaColumn& c) { return c.id == field; });
  return it == meta.columns.end() ? nullptr : &*it;
}

std::string text_of(const wire::MetaSegment& meta, Field field, size_t row) {
  const wire::MetaColumn* c = column(meta, field);
  if (c == nullptr) return {};
  const wire::MetaValue value = c->value(row);
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string() : *text;
}

uint32_t line_of(const wire::MetaSegment& meta, Field field, size_t row) {
  const wire::MetaColumn* c = column(meta, field);
  if (c == nullptr) return 0;
  const wire::MetaValue value = c->value(row);
  const auto* number = std::get_if<int64_t>(&value);
  return number == nullptr ? 0 : static_cast<uint32_t>(*number);
}

}  // namespace

wire::Bytes encode_passages(uint64_t first_id, const std::vector<StoredPassage>& passages) {
  std::vector<wire::MetaValue> path, heading, first, last, text;
  for (const StoredPassage& p : passages) {
    path.emplace_back(p.path);
    heading.emplace_back(p.heading);
    first.emplace_back(int64_t{p.first_line});
    last.emplace_back(int64_t{p.last_line});
    text.emplace_back(p.text);
  }
  wire::MetaSegment meta;
  meta.first_id = first_id;
  meta.row_count = static_cast<uint32_t>(passages.size());
  const auto add = [&](Field field, wire::MetaType type, const char* name,
                       const std::vector<wire::MetaValue>& values) {
    // The values were just made to fit the type.
    meta.columns.push_back(*wire::make_column(field, type, name, values));
  };
  add(kPath, wire::MetaType::kString, "path", path);
  add(kHeading, wire::MetaType::kString, "heading", heading);
  add(kFirstLine, wire::MetaType::kI64, "first_line", first);
  add(kLastLine, wire::MetaType::kI64, "last_line", last);
  add(kText, wire::MetaType::kString, "text", text);
  return wire::encode_meta(meta);
}

Result<PassageReader> PassageReader::open(const Snapshot& snapshot, const Catalog& catalog) {
  PassageReader reader(snapshot);
  std::vector<uint64_t> segments;
  for (const SegmentInfo& s : snapshot.segments()) {
    if (s.type == static_cast<uint8_t>(SegmentType::kMeta)) segments.push_back(s.segment_id);
  }
  std::sort(segments.begin(), segments.end());
  if (segments.size() != catalog.ranges.size()) {
    return Error(ErrorCode::kBadMetadata,
                 "the text collection lists other passages than the store holds");
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    reader.ranges_.push_back({catalog.ranges[i], segments[i]});
  }
  std::sort(reader.ranges_.begin(), reader.ranges_.end(),
            [](const Range& a, const Range& b) { return a.ids.first_id < b.ids.first_id; });
  return reader;
}

Result<const wire::MetaSegment*> PassageReader::segment(uint64_t segment_id) {
  const auto known = std::find_if(decoded_.begin(), decoded_.end(),
                                  [&](const Decoded& d) { return d.segment_id == segment_id; });
  if (known != decoded_.end()) {
    decoded_.splice(decoded_.begin(), decoded_, known);
  } else {
    RVF_ASSIGN(const auto payload, snapshot_.payload(segment_id));
    RVF_ASSIGN(auto meta, wire::decode_meta(payload));
    decoded_.push_front({segment_id, std::move(meta)});
    if (decoded_.size() > kKeepDecoded) decoded_.pop_back();
  }
  return static_cast<const wire::MetaSegment*>(&decoded_.front().meta);
}

Result<StoredPassage> PassageReader::read(uint64_t id) {
  auto it = std::upper_bound(ranges_.begin(), ranges_.end(), id,
                             [](uint64_t v, const Range& r) { return v < r.ids.first_id; });
  if (it == ranges_.begin() || id - (it - 1)->ids.first_id >= (it - 1)->ids.count) {
    return Error(ErrorCode::kNotFound, "no passage has the id " + std::to_string(id));
  }
  --it;
  RVF_ASSIGN(const wire::MetaSegment* meta, segment(it->segment_id));
  const uint64_t row = id - it->ids.first_id;
  if (meta->first_id != it->ids.first_id || row >= meta->row_count) {
    return Error(ErrorCode::kBadMetadata,
                 "a META segment holds other passages than the collection lists", it->segment_id);
  }
  StoredPassage p;
  p.path = text_of(*meta, kPath, row);
  p.heading = text_of(*meta, kHeading, row);
  p.text = text_of(*meta, kText, row);
  p.first_line = line_of(*meta, kFirstLine, row);
  p.last_line = line_of(*meta, kLastLine, row);
  return p;
}

}  // namespace rvf::text_store
