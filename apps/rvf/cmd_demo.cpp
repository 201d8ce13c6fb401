// rvf demo: the main job on real input, with the figures a user wants to see first.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "bench_run.hpp"
#include "command.hpp"
#include "interop/vector_file.hpp"
#include "text_output.hpp"

namespace rvf::cli {
namespace {

namespace fs = std::filesystem;
using text_store::TextStore;

struct Options : Common {
  std::string folder;  // where the stores go
  std::vector<std::string> text = {"/usr/share/doc"};
  std::string data;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void headline(const std::string& text) { say("\n== {} ==\n", text); }

void text_demo(const Options& o) {
  const std::string path = (fs::path(o.folder) / "documents.rvf").string();
  std::string folders;
  std::vector<std::string> present;
  for (const std::string& t : o.text) {
    if (!fs::exists(t)) continue;
    present.push_back(t);
    folders += (folders.empty() ? "" : ", ") + t;
  }
  headline("documents: " + folders);
  if (present.empty()) fail_usage("none of the folders to read exists; name others with --text");
  OpenOptions open;
  open.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  {
    TextStore store = must(TextStore::create(path, open));
    ProgressBar files("reading", "files");
    ProgressBar index("indexing", "passages");
    const Progress on_files = files.callback();
    const Progress on_index = [&](uint64_t done, uint64_t total) {
      files.finish();
      index.update(done, total);
      return !interrupted();
    };
    auto started = std::chrono::steady_clock::now();
    const auto r = must(
        store.add(present, {.read = {}, .files_progress = &on_files, .index_progress = &on_index}));
    index.finish();
    const StoreStatus s = store.store().status();
    say("{} files, {} of text -> {} passages in one file of {}, durable and indexed after {}\n",
        human_count(r.files_added), human_bytes(r.text_bytes), human_count(r.passages_added),
        human_bytes(s.file_bytes), human_time(seconds_since(started)));
    started = std::chrono::steady_clock::now();
    const auto again = must(store.add(present));
    say("adding the same folders again: {} unchanged, {} read, {}\n",
        human_count(again.files_unchanged), human_count(again.files_added + again.files_changed),
        human_time(seconds_since(started)));
    must(store.store().close());
  }
  say("\n$ rvf text search {} ...\n", path);
  for (const char* query :
       {"how do I report a bug in a package", "permission to copy and distribute modified versions",
        "crash safe storage of vectors in one file", "time zone and daylight saving",
        "compress files with better ratio"}) {
    const auto started = std::chrono::steady_clock::now();
    OpenOptions quick;
    quick.verify_at_open = 0;
    TextStore store = must(TextStore::open_readonly(path, quick));
    const auto hits = must(store.search(query, 2));
    say("\n\"{}\"  (open and search: {})\n", query, human_time(seconds_since(started)));
    print_hits(query, hits, 160);
  }
}

// The exact neighbours come as 5000 rows of 100 bare i32; commands want a format that says its
// shape.
std::string truth_as_ivecs(const fs::path& raw, const fs::path& folder) {
  constexpr uint32_t kQueries = 5000;
  constexpr uint32_t kNeighbors = 100;
  std::ifstream in(raw, std::ios::binary);
  const fs::path path = folder / "fashion-truth.ivecs";
  std::ofstream out(path, std::ios::binary);
  std::vector<char> row(kNeighbors * sizeof(int32_t));
  for (uint32_t q = 0;
       q < kQueries && in.read(row.data(), static_cast<std::streamsize>(row.size())); ++q) {
    out.write(reinterpret_cast<const char*>(&kNeighbors), sizeof(kNeighbors));
    out.write(row.data(), static_cast<std::streamsize>(row.size()));
  }
  if (!out.flush()) fail(Error(ErrorCode::kIo, path.string() + " cannot be written"));
  return path.string();
}

void fashion_demo(const Options& o, const fs::path& data) {
  headline("Fashion-MNIST: 60,000 images of 784 bytes, exact neighbours known");
  const std::string store_path = (fs::path(o.folder) / "fashion.rvf").string();
  const auto reader =
      must_input(interop::open_vectors((data / "train-images-idx3-ubyte.gz").string()));
  OpenOptions open;
  open.index_policy = IndexPolicy::kManual;
  open.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  CreateOptions create;
  create.dimension = reader->info().dim;
  create.dtype = DType::kU8;
  auto started = std::chrono::steady_clock::now();
  Store store = must(Store::create(store_path, create, open));
  interop::VectorChunk chunk;
  while (must_input(reader->read(10000, chunk)) > 0) {
    must(store.ingest({chunk.bytes.data(), chunk.dtype, chunk.count, chunk.dim}));
  }
  const double ingest = seconds_since(started);
  started = std::chrono::steady_clock::now();
  {
    ProgressBar bar("building the index", "vectors");
    const Progress progress = bar.callback();
    must(store.build_index(&progress));
  }
  const double build = seconds_since(started);
  const StoreStatus s = store.status();
  must(store.close());
  say("ingest {} (durable), index {}, file {} ({} raw)\n", human_time(ingest), human_time(build),
      human_bytes(s.file_bytes), human_bytes(s.vectors * s.dimension));

  BenchSettings bench;
  bench.store = store_path;
  bench.queries = (data / "t10k-images-idx3-ubyte.gz").string();
  bench.truth = truth_as_ivecs(data / "gt_q0000-4999_ids.i32.bin", o.folder);
  bench.max_queries = 5000;
  print_bench(run_bench(bench), false);
}

void run(Options& o) {
  install_interrupt();
  const bool temporary = o.folder.empty();
  if (temporary) {
    char name[] = "/tmp/rvf-demo-XXXXXX";
    if (::mkdtemp(name) == nullptr) fail(Error(ErrorCode::kIo, "no folder can be made in /tmp"));
    o.folder = name;
  } else {
    std::error_code error;
    fs::create_directories(o.folder, error);
    if (error) fail(Error(ErrorCode::kIo, o.folder + ": " + error.message()));
  }
  struct Removal {
    std::string folder;
    ~Removal() {
      std::error_code ignored;
      if (!folder.empty()) fs::remove_all(folder, ignored);
    }
  };
  const Removal at_the_end{temporary ? o.folder : std::string()};
  text_demo(o);
  if (interrupted()) fail_usage("interrupted");
  const fs::path fashion = fs::path(o.data) / "ann" / "fashion-mnist";
  if (!o.data.empty() && fs::exists(fashion)) {
    fashion_demo(o, fashion);
  } else if (!o.data.empty()) {
    say("\nFashion-MNIST skipped: no data in {}\n", o.data);
  }
  if (!temporary) {
    say("\nThe stores are in {}; try: rvf text search {}/documents.rvf \"your words\"\n", o.folder,
        o.folder);
  }
}

}  // namespace

void register_demo(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c =
      app.add_subcommand("demo", "build a store from this machine's documentation and search it");
  c->add_option("--folder", o->folder,
                "keep the stores here (default: a temporary folder, removed at the end)");
  c->add_option("--text", o->text, "folders to read (/usr/share/doc)");
  c->add_option("--data", o->data, "folder with ann/fashion-mnist, if you have it");
  add_threads(*c, *o, "threads (all cores)");
  c->callback([o] { run(*o); });
}

}  // namespace rvf::cli
