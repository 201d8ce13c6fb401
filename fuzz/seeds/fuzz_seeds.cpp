// What fuzzing starts from: fuzz_seeds <folder> makes <folder>/<target>/<name> out of real stores,
// their segments, and small files of every format that is imported. Nothing of it is kept in the
// repository: it always is what the library writes today.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "embed/text_embedder.hpp"
#include "index/graph.hpp"
#include "io/file.hpp"
#include "runtime/convert.hpp"
#include "rvf/store.hpp"
#include "text_store/catalog.hpp"
#include "wire/compress.hpp"
#include "wire/level1_codec.hpp"
#include "wire/segment.hpp"

namespace rvf {
namespace {

std::string folder;

void keep(const std::string& target, const std::string& name, wire::ByteSpan bytes) {
  std::filesystem::create_directories(folder + "/" + target);
  std::ofstream out(folder + "/" + target + "/" + name, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

void keep(const std::string& target, const std::string& name, std::string_view text) {
  keep(target, name, std::as_bytes(std::span(text)));
}

wire::Bytes content_of(io::FileSystem& fs, const std::string& path) {
  auto file = fs.open(path, io::OpenMode::kRead);
  if (!file) return {};
  wire::Bytes bytes(*(*file)->size());
  if (!(*file)->read(0, bytes)) bytes.clear();
  return bytes;
}

// The targets that read a payload of this type; a part of a type's kinds each.
std::vector<std::string> targets_of(SegmentType type) {
  switch (type) {
    case SegmentType::kVec: return {"vec"};
    case SegmentType::kMeta: return {"meta", "metaidx_range"};
    case SegmentType::kMetaIdx: return {"metaidx_range", "metaidx_bitmap", "inverted", "bitmap"};
    case SegmentType::kJournal: return {"journal"};
    case SegmentType::kQuant: return {"quant"};
    case SegmentType::kHot: return {"hot"};
    case SegmentType::kSketch: return {"sketch"};
    default: return {};
  }
}

void keep_segments(const std::string& name, wire::ByteSpan file) {
  for (uint64_t at = 0; at + kSegmentHeaderSize <= file.size();) {
    const auto view = wire::read_segment(file, at, false);
    if (!view) {
      at += 64;
      continue;
    }
    const std::string own = name + "_" + std::to_string(view->header.segment_id);
    keep("segment", own, file.subspan(at, view->end - at));
    for (const std::string& target : targets_of(view->header.type)) {
      keep(target, own, view->payload);
    }
    if (view->header.type == SegmentType::kManifest && view->payload.size() > kRootSize) {
      keep("level1", own, view->payload.first(view->payload.size() - kRootSize));
      keep("root", own, view->payload.last(kRootSize));
    }
    at = view->end;
  }
}

struct Shape {
  const char* name;
  DType dtype = DType::kF32;
  Metric metric = Metric::kL2;
  bool fields = false, keys = false, compact = false;
};

void fill(Store& s, const Shape& shape, uint64_t round) {
  constexpr uint64_t kCount = 6;
  std::vector<float> values(kCount * s.status().dimension);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((i * 7 + round) % (shape.dtype == DType::kBinary ? 2 : 9));
  }
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(values, s.status().dimension);
  std::vector<uint64_t> ids;
  std::vector<std::string> keys;
  std::vector<Column> columns = {{"year", FieldType::kI64, {}},
                                 {"text", FieldType::kString, {}},
                                 {"tags", FieldType::kStringList, {}},
                                 {"real", FieldType::kF64, {}}};
  for (uint64_t i = 0; i < kCount; ++i) {
    ids.push_back(round * 4 + i * 3);
    keys.push_back("key/" + std::to_string(round * 4 + i));
    columns[0].values.emplace_back(static_cast<int64_t>(2000 + i));
    columns[1].values.emplace_back(std::string("red foxes ") + std::to_string(i));
    columns[2].values.emplace_back(std::vector<std::string>{"red", "fox"});
    columns[3].values.emplace_back(0.5 * static_cast<double>(i));
  }
  if (shape.keys) batch.keys = keys;
  if (!shape.keys) batch.ids = ids;
  if (shape.fields) batch.columns = columns;
  const std::vector<uint64_t> gone = {3, 4};
  const std::vector<std::string> gone_keys = {"key/3", "key/4"};
  if (shape.keys) batch.delete_keys = gone_keys;
  if (!shape.keys) batch.delete_ids = gone;
  if (!s.write(batch)) std::abort();
}

void make_store(const Shape& shape) {
  OpenOptions o;
  o.file_system = io::memory_file_system();
  CreateOptions c;
  c.dimension = 8;
  c.dtype = shape.dtype;
  c.metric = shape.metric;
  if (shape.fields) {
    c.fields = {{"year", FieldType::kI64, kIndexValues},
                {"text", FieldType::kString, kIndexWords},
                {"tags", FieldType::kStringList, kIndexValues}};
  }
  auto s = Store::create("s.rvf", c, o);
  if (!s) std::abort();
  for (uint64_t round = 0; round < 2; ++round) fill(*s, shape, round);
  CompactOptions tiers;
  tiers.tiers = shape.dtype == DType::kF32 && shape.metric != Metric::kHamming;
  if (shape.compact && !s->compact(tiers)) std::abort();
  if (shape.compact) fill(*s, shape, 2);
  if (!s->close()) std::abort();
  const wire::Bytes bytes = content_of(*o.file_system, "s.rvf");
  keep("store", shape.name, bytes);
  keep_segments(shape.name, bytes);
  runtime::ConvertOptions convert;
  convert.file_system = o.file_system;
  if (runtime::convert_to_runtime("s.rvf", "r.rvf", convert)) {
    keep("convert", shape.name, content_of(*o.file_system, "r.rvf"));
    keep("layout_runtime", shape.name, content_of(*o.file_system, "r.rvf"));
  }
  keep("convert", std::string(shape.name) + "_native", bytes);
}

// Stores this small have no index, so the payloads are made by hand.
void make_indexes() {
  constexpr size_t kDim = 8;
  constexpr uint64_t kRows = 40;
  constexpr size_t kStride = 64;
  std::vector<std::byte> memory(kRows * kStride);
  for (uint64_t row = 0; row < kRows; ++row) {
    for (size_t d = 0; d < kDim; ++d) {
      const auto value = static_cast<float>((row * (d + 3) + d * d) % 17);
      std::memcpy(memory.data() + row * kStride + d * sizeof(value), &value, sizeof(value));
    }
  }
  index::RowTable rows;
  if (!rows.append_run({0, kRows, memory.data(), kStride})) std::abort();
  for (const SearchLayout layout : {SearchLayout::kFused, SearchLayout::kPartitions}) {
    // A payload of more than 8 KiB would be cut by the fuzzer.
    const uint64_t count = layout == SearchLayout::kFused ? 12 : kRows;
    const index::GraphInput input = {&rows, 0, count, DType::kF32, kDim, Metric::kL2};
    index::GraphParams params;
    params.layout = layout;
    const auto made = index::build_graph(input, params);
    if (!made) std::abort();
    for (const wire::Bytes& part : made->layer_c) keep("index", "graph", part);
    if (!made->layer_a.empty()) keep("index", "leaders", made->layer_a);
    for (const auto& part : made->fused) keep("fused", search_layout_name(layout), part.span());
  }
}

// One stored array, without a right checksum: mutations would not keep it either.
std::string stored_npz(const std::string& array) {
  using namespace std::string_literals;
  const auto number = [](size_t v, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> (8 * i) & 0xFF);
    return out;
  };
  const std::string sizes = number(0, 4) + number(array.size(), 4) + number(array.size(), 4);
  const std::string local =
      "PK\3\4"s + std::string(10, '\0') + sizes + number(5, 2) + number(0, 2) + "x.npy" + array;
  const std::string entry =
      "PK\1\2"s + std::string(12, '\0') + sizes + number(5, 2) + std::string(16, '\0') + "x.npy";
  return local + entry + "PK\5\6"s + std::string(8, '\0') + number(entry.size(), 4) +
         number(local.size(), 4) + number(0, 2);
}

void make_imports() {
  using namespace std::string_literals;
  const std::string npy_header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  const std::string rows = "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40"s;
  std::string npy = "\x93NUMPY\x01\x00\x76\x00"s + npy_header;
  npy.append(0x76 - npy_header.size() - 1, ' ');
  npy += "\n" + rows;
  keep("import_vectors", "npy", "\x00"s + npy);
  keep("import_vectors", "npy_guess", "\x0b"s + npy);
  keep("import_vectors", "csv", "\x01id,v0,v1,lang\n1,0.5,2,de\n2,1e3,-4,\"a, b\"\n"s);
  keep("import_vectors", "csv_extra", "\x91id,v0,v1,lang\n1,0.5,2,de\n2,1e3,-4,\"a, b\"\n"s);
  keep("import_vectors", "jsonl", "\x02{\"id\":1,\"vector\":[1,2.5],\"lang\":\"de\"}\n[3,4]\n"s);
  keep("import_vectors", "json_array", "\x02[{\"id\":1,\"vector\":[1,2]},\n[3,4]]\n"s);
  keep("import_vectors", "json_huge", "\x82{\"vector\":[1e400],\"n\":18446744073709551616}\n"s);
  keep("import_vectors", "csv_vector", "\x91id,vector\r007,\"[1, 2]\"\r"s);
  keep("import_vectors", "jsonl_keys", "\xaa{\"id\":\"a\",\"embedding\":[1,2]}\n"s);
  const std::string two = "\x02\x00\x00\x00"s;
  keep("import_vectors", "fvecs", "\x03"s + two + rows.substr(0, 8) + two + rows.substr(8));
  keep("import_vectors", "ivecs", "\x04"s + two + two + two);
  keep("import_vectors", "bvecs", "\x05"s + two + "ab" + two + "cd");
  keep("import_vectors", "fbin", "\x06"s + two + two + rows);
  keep("import_vectors", "u8bin", "\x08"s + two + two + "abcd");
  keep("import_vectors", "idx", "\x0a\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x02"s + "abcd");
  keep("json_rows", "array", "[{\"a\":[1e400]},\n[\"x\"]]"s);
  keep("json_rows", "lines", "{\"a\":1}\r\n{\n\"b\":{}}\n"s);
  keep("npz", "stored", stored_npz(npy));
  keep("meta_rows", "array",
       "\x00[{\"id\":\"a\",\"n\":123456789012345678901},\n{\"id\":\"b\",\"n\":[1]}]"s);
  keep("meta_rows", "jsonl",
       "\x01{\"id\":1,\"s\":\"a\",\"i\":2,\"t\":\"2024-01-31\",\"l\":[\"x\"]}\n"s);
  keep("meta_rows", "csv", "\x00id,s,f\n1,red,0.5\n2,\"a \"\"b\"\"\",\n"s);
  keep("schema", "text", "year:i64,lang:enum,title:string:words,tags:list:index");
  keep("schema", "json", R"({"year":"i64","title":{"type":"string","index":["words"]}})");
  keep("schema", "idmap", R"({"idToLabel":{"doc-a":1},"labelToId":{"1":"doc-a"},"nextLabel":2})");
}

void make_texts() {
  keep("text", "markdown",
       "# Foxes\n\nRed foxes dig.\n\n- a\n- b\n\n## Dens\n\n```\ncode\n```\nend\n");
  text_store::Catalog catalog;
  catalog.files = {{"a.md", 10, 5, 7, 0, 2}, {"b/c.txt", 20, 6, 8, 2, 1}};
  keep("text", "catalog", text_store::encode_catalog(catalog));
  auto embedder = embed::TextEmbedder::create({.dimension = 16});
  embedder->learn("red foxes dig dens");
  keep("text", "embedder", embedder->encode());
  keep("filter_text", "whole", "ryear is null or not (i between 1 and 5 and s match 'red')");
  keep("filter_json", "whole", R"(r{"$or":[{"i":{"$gte":1,"$lt":5}},{"s":{"$in":["a",null]}}]})");
  const std::string plain(300, 'x');
  for (const auto algo : {Compression::kLz4, Compression::kZstd}) {
    const auto packed = wire::compress(algo, std::as_bytes(std::span(plain)));
    wire::Bytes input(5);
    input[0] = static_cast<std::byte>(algo);
    input[1] = std::byte{44};
    input[2] = std::byte{1};
    input.insert(input.end(), packed->begin(), packed->end());
    keep("compress", "algorithm_" + std::to_string(static_cast<int>(algo)), input);
  }
  keep("bitmap", "some", wire::encode_bitmap(std::vector<uint64_t>{1, 5, 70000, 70001, 70002}));
}

}  // namespace
}  // namespace rvf

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds <folder>\n");
    return 2;
  }
  rvf::folder = argv[1];
  using rvf::DType;
  using rvf::Metric;
  rvf::make_store({.name = "plain"});
  rvf::make_store({.name = "fields", .fields = true, .compact = true});
  rvf::make_store({.name = "keys",
                   .dtype = DType::kF16,
                   .metric = Metric::kCosine,
                   .fields = true,
                   .keys = true,
                   .compact = true});
  rvf::make_store({.name = "tiers", .metric = Metric::kInnerProduct, .compact = true});
  rvf::make_store({.name = "bits", .dtype = DType::kBinary, .metric = Metric::kHamming});
  rvf::make_store({.name = "bytes", .dtype = DType::kI8, .fields = true});
  rvf::make_indexes();
  rvf::make_imports();
  rvf::make_texts();
  return 0;
}
