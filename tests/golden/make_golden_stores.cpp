// Writes a set of small stores and what they hold, for tests/golden/stores/<set>:
//   make_golden_stores FOLDER
// Sets that are there stay as they are; a version that writes something new gets a new one.
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "golden/golden_stores.hpp"
#include "runtime/convert.hpp"
#include "support/rich_store.hpp"
#include "support/store_model.hpp"

namespace rvf::testing {
namespace {

std::filesystem::path folder;

void keep(const std::string& name, const std::vector<std::byte>& bytes,
          const std::shared_ptr<io::FileSystem>& fs, const std::string& path) {
  OpenOptions o;
  o.file_system = fs;
  const auto store = Store::open_readonly(path, o);
  if (!store || bytes.empty()) {
    std::fprintf(stderr, "%s cannot be made\n", name.c_str());
    std::exit(1);
  }
  gzFile out = gzopen((folder / (name + ".rvf.gz")).c_str(), "wb9");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
  std::ofstream(folder / (name + ".json")) << golden_text(*store);
}

void keep_dtype(DType dtype) {
  auto fs = io::memory_file_system();
  OpenOptions o;
  o.file_system = fs;
  CreateOptions c;
  c.dimension = 12;
  c.dtype = dtype;
  c.metric = dtype == DType::kBinary ? Metric::kHamming : Metric::kCosine;
  auto store = Store::create("s.rvf", c, o);
  auto values = values_of(static_cast<uint64_t>(dtype) + 1, 9, 12);
  for (float& v : values) {
    if (dtype == DType::kI8) v = static_cast<float>(static_cast<int>(v * 100));
    if (dtype == DType::kU8) v = static_cast<float>(static_cast<int>(v * 100 + 100));
  }
  if (!store || !store->ingest(Vectors::from_f32(values, 12)) ||
      !store->remove(std::vector<uint64_t>{4}) || !store->close()) {
    std::exit(1);
  }
  keep(std::string("dtype_") + dtype_name(dtype), bytes_of(*fs, "s.rvf"), fs, "s.rvf");
}

void keep_graph() {
  auto fs = io::memory_file_system();
  OpenOptions o;
  o.file_system = fs;
  CreateOptions c;
  c.dimension = 4;
  c.dtype = DType::kI8;
  c.search_layout = SearchLayout::kStandard;  // node blocks would fill the set by themselves
  auto store = Store::create("s.rvf", c, o);
  auto values = values_of(5, 4100, 4);
  for (float& v : values) v = static_cast<float>(static_cast<int>(v * 100));
  if (!store || !store->ingest(Vectors::from_f32(values, 4)) || !store->build_index() ||
      !store->close()) {
    std::exit(1);
  }
  keep("graph", bytes_of(*fs, "s.rvf"), fs, "s.rvf");
}

}  // namespace
}  // namespace rvf::testing

int main(int argc, char** argv) {
  using namespace rvf::testing;
  if (argc != 2) return 2;
  folder = argv[1];
  if (!std::filesystem::create_directories(folder)) {
    std::fprintf(stderr, "%s is there: a set is written once\n", argv[1]);
    return 1;
  }
  for (const rvf::DType d : {rvf::DType::kF32, rvf::DType::kF16, rvf::DType::kBF16, rvf::DType::kI8,
                             rvf::DType::kU8, rvf::DType::kBinary}) {
    keep_dtype(d);
  }
  const RichStore rich = make_rich_store();
  keep("everything", rich.bytes, rich.fs, rich.path);
  keep_graph();
  rvf::runtime::ConvertOptions convert;
  convert.file_system = rich.fs;
  if (!rvf::runtime::convert_to_runtime(rich.path, "runtime.rvf", convert)) return 1;
  // Alone, as it would be found: without the file of string ids beside it.
  (void)rich.fs->remove("runtime.rvf.idmap.json");
  keep("runtime_layout", bytes_of(*rich.fs, "runtime.rvf"), rich.fs, "runtime.rvf");
  return 0;
}
