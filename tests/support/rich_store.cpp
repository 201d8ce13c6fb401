#include "support/rich_store.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "support/store_model.hpp"
#include "wire/segment.hpp"

namespace rvf::testing {
namespace {

// A maker that cannot make its store has nothing to test with.
void must(const Status& s) {
  if (s) return;
  std::fprintf(stderr, "the store for the test cannot be made: %s\n", s.error().message.c_str());
  std::abort();
}
template <class T>
T must(Result<T> r) {
  if (!r) must(Status(r.error()));
  return std::move(*r);
}

std::string refusal(const Error& e) { return kErrorMark + std::string(error_name(e.code)); }

void add_value(std::string& out, const Value& value) {
  out += std::to_string(value.index()) + ":";
  if (const auto* s = std::get_if<std::string>(&value)) out += *s;
  if (const auto* i = std::get_if<int64_t>(&value)) out += std::to_string(*i);
  if (const auto* u = std::get_if<uint64_t>(&value)) out += std::to_string(*u);
  if (const auto* d = std::get_if<double>(&value)) out += std::to_string(*d);
  if (const auto* b = std::get_if<bool>(&value)) out += *b ? "t" : "f";
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& s : *list) out += s + ",";
  }
  out += ";";
}

std::string text_of(const Result<QueryResult>& r) {
  if (!r) return refusal(r.error());
  std::string out;
  for (const Neighbor& n : r->neighbors) {
    out += std::to_string(n.id) + "=" + std::to_string(n.distance) + ";";
  }
  return out;
}

std::string text_of(const Result<HybridResult>& r) {
  if (!r) return refusal(r.error());
  std::string out;
  for (const HybridHit& h : r->hits) {
    out += std::to_string(h.id) + "=" + std::to_string(h.score) + ";";
  }
  return out;
}

std::string bytes_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void ask_metadata(const Snapshot& s, const std::vector<uint64_t>& ids, Answers& out) {
  for (const Field& f : s.fields()) {
    out["fields"] += f.name + std::to_string(static_cast<int>(f.type)) + ";";
  }
  if (s.fields().empty()) return;
  std::string all;
  for (const uint64_t id : ids) {
    const auto record = s.record(id);
    if (!record) {
      all = refusal(record.error());
      break;
    }
    for (const auto& [name, value] : *record) {
      all += name;
      add_value(all, value);
    }
    all += "\n";
  }
  out["records"] = std::move(all);
  for (const char* filter :
       {"year > 2010", "tag = 'red'", "text match 'storm'", "note = 'note 7'", "tags has 'a'"}) {
    const auto count = s.count(filter);
    out[std::string("count ") + filter] = count ? std::to_string(*count) : refusal(count.error());
    QueryOptions o;
    o.k = 4;
    o.filter = filter;
    out[std::string("query ") + filter] = text_of(s.query(values_of(9, 1, s.dimension()), o));
  }
  HybridOptions hybrid;
  hybrid.k = 5;
  hybrid.words = "storm harbour";
  out["hybrid"] = text_of(s.hybrid(values_of(11, 1, s.dimension()), hybrid));
  const auto counts = s.count_by("tag");
  std::string text = counts ? "" : refusal(counts.error());
  for (size_t i = 0; counts && i < counts->size(); ++i) {
    add_value(text, (*counts)[i].value);
    text += std::to_string((*counts)[i].count) + "\n";
  }
  out["count by tag"] = text;
  for (const char* key : {"key 3", "key 17", "late 2"}) {
    const auto id = s.id_of(key);
    out[std::string("id of ") + key] = id ? std::to_string(*id) : refusal(id.error());
  }
}

}  // namespace

Answers answers_of(const Store& store, const Snapshot& s) {
  Answers out;
  out["shape"] = std::to_string(s.dimension()) + " " + std::to_string(static_cast<int>(s.dtype())) +
                 " " + std::to_string(static_cast<int>(s.metric()));
  out["application"] = store.status().application;
  std::vector<uint64_t> ids;
  std::string all;
  const Status seen = s.for_each([&](uint64_t id, std::span<const std::byte> vector) {
    ids.push_back(id);
    all += bytes_text(std::as_bytes(std::span(&id, 1)));
    all += bytes_text(vector);
    return true;
  });
  out["vectors"] = seen ? std::move(all) : refusal(seen.error());
  const auto size = s.size();
  out["size"] = size ? std::to_string(*size) : refusal(size.error());
  for (uint64_t seed = 1; seed < 4; ++seed) {
    QueryOptions o;
    o.k = 5;
    o.exact = seed == 3;
    std::vector<float> vector = values_of(seed, 1, s.dimension());
    if (s.dtype() == DType::kI8) {
      for (float& v : vector) v *= 100;
    }
    out["query " + std::to_string(seed)] = text_of(s.query(vector, o));
  }
  for (size_t i = 0; i < ids.size(); i += 13) {
    const auto vector = s.get(ids[i]);
    std::string text = vector ? "" : refusal(vector.error());
    for (size_t d = 0; vector && d < vector->size(); ++d)
      text += std::to_string((*vector)[d]) + " ";
    out["get " + std::to_string(ids[i])] = text;
  }
  ask_metadata(s, ids, out);
  const auto segments = s.segments();
  if (!segments) return out;
  for (const SegmentInfo& segment : *segments) {
    if (segment.type != 0xF3 && segment.type != 0x33) continue;
    const auto payload = s.payload(segment.segment_id);
    out["payload " + std::to_string(segment.segment_id)] =
        payload ? bytes_text(*payload) : refusal(payload.error());
  }
  return out;
}

std::string contradiction(const Answers& expected, const Answers& actual, size_t* errors) {
  std::string first;
  for (const auto& [question, answer] : expected) {
    const auto at = actual.find(question);
    if (at == actual.end()) {
      // Nothing was said to this question where the store says that it has no such thing.
      if (first.empty()) first = question + ": nothing";
      continue;
    }
    if (at->second == answer) continue;
    if (!at->second.empty() && at->second.front() == kErrorMark) {
      if (errors != nullptr) ++*errors;
      // "There is no such id" is an answer, and a wrong one where there was one.
      if (at->second != "!not_found") continue;
    }
    if (first.empty()) first = question;
  }
  for (const auto& [question, answer] : actual) {
    if (first.empty() && !expected.contains(question)) first = question + ": should not be there";
  }
  return first;
}

RichStore make_rich_store() {
  RichStore out;
  out.fs = io::memory_file_system();
  OpenOptions o;
  o.file_system = out.fs;
  CreateOptions c;
  c.dimension = kRichDim;
  c.application = "an application's settings";
  c.fields = {
      {"year", FieldType::kI64, kIndexValues},   {"tag", FieldType::kEnum, kIndexValues},
      {"text", FieldType::kString, kIndexWords}, {"note", FieldType::kString, kIndexValues},
      {"score", FieldType::kF64, kIndexNone},    {"tags", FieldType::kStringList, kIndexValues}};
  Store s = must(Store::create(out.path, c, o));
  uint64_t seed = 100;
  const auto ingest = [&](const std::string& prefix, size_t n) {
    const auto values = values_of(++seed, n, kRichDim);
    std::vector<std::string> keys;
    std::vector<Column> columns = {
        {"year", FieldType::kI64, {}},    {"tag", FieldType::kEnum, {}},
        {"text", FieldType::kString, {}}, {"note", FieldType::kString, {}},
        {"score", FieldType::kF64, {}},   {"tags", FieldType::kStringList, {}}};
    static const char* const kWords[] = {"storm", "harbour", "lamp", "river", "copper", "north"};
    for (size_t i = 0; i < n; ++i) {
      keys.push_back(prefix + " " + std::to_string(i));
      columns[0].values.emplace_back(static_cast<int64_t>(1990 + i * 7 % 35));
      columns[1].values.emplace_back(std::string(i % 3 == 0   ? "red"
                                                 : i % 3 == 1 ? "blue"
                                                              : "green"));
      columns[2].values.emplace_back(std::string(kWords[i % 6]) + " by the " + kWords[i * 5 % 6]);
      columns[3].values.emplace_back("note " + std::to_string(i % 11));
      columns[4].values.emplace_back(static_cast<double>(i) / 8);
      columns[5].values.emplace_back(i % 2 == 0 ? std::vector<std::string>{"a", "b"}
                                                : std::vector<std::string>{"c"});
    }
    must(s.ingest(Vectors::from_f32(values, kRichDim), keys, columns));
  };
  const auto attach = [&](uint8_t type, size_t bytes, bool compress) {
    std::vector<Attachment> list(1);
    list[0].type = type;
    list[0].compress = compress;
    for (size_t i = 0; i < bytes; ++i) list[0].payload.push_back(std::byte(i / 16 * 7 % 251));
    WriteBatch batch;
    batch.attach = list;
    must(s.write(batch));
  };
  const auto remember = [&] { out.states[s.status().epoch] = answers_of(s, must(s.snapshot())); };
  ingest("key", 60);
  ingest("other", 40);
  attach(0xF3, 700, true);
  must(s.remove(std::vector<std::string>{"key 5", "key 6", "key 44", "other 30"}));
  for (uint64_t i = 0; i < 60; ++i) must(s.query(values_of(i % 7, 1, kRichDim)));
  CompactOptions compact;
  compact.tiers = true;
  compact.hot_fraction = 0.4;
  compact.warm_fraction = 0.3;
  must(s.compact(compact));
  remember();
  ingest("late", 30);
  remember();
  must(s.ingest(Vectors::from_f32(values_of(77, 2, kRichDim), kRichDim),
                std::vector<std::string>{"key 3", "one more"}, {}));
  remember();
  must(s.remove(std::vector<std::string>{"key 8", "late 4"}));
  remember();
  const std::vector<std::string> updated = {"key 9", "key 10", "late 10"};
  const std::vector<Column> change = {
      {"year", FieldType::kI64, {int64_t{2040}, int64_t{2041}, std::monostate{}}}};
  must(s.update_metadata(updated, change));
  remember();
  attach(0x33, 300, false);
  remember();
  must(s.close());
  out.bytes = bytes_of(*out.fs, out.path);
  return out;
}

RichStore make_graph_store() {
  RichStore out;
  out.path = "graph.rvf";
  out.fs = io::memory_file_system();
  OpenOptions o;
  o.file_system = out.fs;
  CreateOptions c;
  c.dimension = 4;
  c.dtype = DType::kI8;
  Store s = must(Store::create(out.path, c, o));
  const auto ingest = [&](uint64_t seed, size_t n) {
    auto values = values_of(seed, n, 4);
    for (float& v : values) v = static_cast<float>(static_cast<int>(v * 127));
    must(s.ingest(Vectors::from_f32(values, 4)));
  };
  const auto remember = [&] { out.states[s.status().epoch] = answers_of(s, must(s.snapshot())); };
  remember();
  ingest(1, 4200);
  remember();
  must(s.build_index());
  remember();
  must(s.remove(std::vector<uint64_t>{17, 4000}));
  remember();
  ingest(2, 20);
  remember();
  must(s.close());
  out.bytes = bytes_of(*out.fs, out.path);
  return out;
}

std::vector<Place> places_of(const std::vector<std::byte>& bytes) {
  std::vector<Place> out;
  for (uint64_t at = 0; at < bytes.size();) {
    const auto view = wire::read_segment(bytes, at, false);
    if (!view) {
      at += kSegmentAlignment;
      continue;
    }
    out.push_back(
        {at, view->end, static_cast<uint8_t>(view->header.type), view->header.segment_id});
    at = view->end;
  }
  return out;
}

const RichStore& rich() {
  static const RichStore made = make_rich_store();
  return made;
}

const RichStore& graph() {
  static const RichStore made = make_graph_store();
  return made;
}

}  // namespace rvf::testing
