#include <fmt/format.h>

#include <chrono>

#include "command.hpp"
#include "interop/vector_file.hpp"
#include "metadata_input.hpp"
#include "storage_argument.hpp"
#include "types_arguments.hpp"
#include "upkeep_arguments.hpp"

namespace rvf::cli {
namespace {

struct Options : Common {
  std::vector<std::string> files;
  std::string ids_file;
  MetadataOptions meta;
  size_t batch = 10000;
  bool create = false;
  UpkeepArguments upkeep;
  CreateOptions new_store;
  bool dtype_given = false;
  bool layout_given = false;
  StorageArgument storage;
  OpenOptions open;
};

bool exists(const std::string& path) { return CLI::ExistingFile(path).empty(); }

Store open_store(Options& o) {
  if (o.storage.given() && (!o.create || exists(o.store))) {
    fail_usage("--storage is for a store that --create makes; rvf compact --storage changes one");
  }
  if (o.layout_given && (!o.create || exists(o.store))) {
    fail_usage(
        "--search-layout is for a store that --create makes; rvf compact --search-layout changes "
        "one");
  }
  if (!o.create || exists(o.store)) return open_for_writing(o, o.open);
  // A new store takes its shape from the first file, read as read_file reads it: of a csv not every
  // column is a dimension.
  interop::ReadOptions how;
  how.want_extra = true;
  const auto reader = must_input(interop::open_vectors(o.files.front(), how));
  o.new_store.dimension = reader->info().dim;
  if (!o.dtype_given) {
    const DType t = reader->info().dtype;
    o.new_store.dtype = t == DType::kF16 || t == DType::kU8 || t == DType::kI8 ? t : DType::kF32;
  }
  o.storage.apply(o.new_store, o.dtype_given);
  return must(Store::create(o.store, o.new_store, writing_options(o, o.open)));
}

class Ingest {
 public:
  explicit Ingest(Options& options)
      : o_(options), fields_(schema_from(options.meta.schema)), store_(open_store(options)) {
    if (!o_.ids_file.empty()) ids_ = must_input(interop::read_ids(o_.ids_file));
    declare_fields(store_, fields_);
    if (!o_.meta.ttl.empty()) ttl_ = duration_from(o_.meta.ttl);
    rows_.declared = fields_;
    rows_.known = must(store_.snapshot()).fields();
    if (!o_.meta.id_column.empty()) {
      rows_.id_field = o_.meta.id_column;
      rows_.id_required = true;
    }
    if (!o_.meta.meta_file.empty()) join_.emplace(o_.meta.meta_file, rows_);
  }

  void run() {
    const auto started = std::chrono::steady_clock::now();
    for (const std::string& file : o_.files) read_file(file);
    if (join_) join_->finish();
    if (!o_.ids_file.empty() && used_ids_ != ids_.size()) {
      fail_usage(
          fmt::format("{} has {} ids, the files have {} vectors; all vectors are in the store",
                      o_.ids_file, ids_.size(), used_ids_));
    }
    must(store_.commit());
    o_.upkeep.run(store_, o_.quiet);
    const StoreStatus status = store_.status();
    must(store_.close());
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (o_.json) {
      say("{}\n", JsonObject()
                      .add("vectors", status.vectors)
                      .add("added", added_)
                      .add("replaced", replaced_)
                      .add("epoch", status.epoch)
                      .add("file_bytes", status.file_bytes)
                      .add("index", status.index_kind)
                      .add("seconds", seconds)
                      .str());
    } else {
      say("{} vectors added ({} replaced) in {}; the store holds {} in {}, index: {}\n",
          human_count(added_), human_count(replaced_), human_time(seconds),
          human_count(status.vectors), human_bytes(status.file_bytes), status.index_kind);
    }
  }

 private:
  void read_file(const std::string& file) {
    interop::ReadOptions how;
    how.want_extra = true;
    const auto reader = must_input(interop::open_vectors(file, how));
    interop::MetaOptions own = rows_;
    if (join_) own.id_required = false;  // the ids are in the file of rows
    interop::ExtraColumns extra(file, reader->info().format, own);
    ProgressBar bar("reading " + file, "vectors", !o_.quiet);
    interop::VectorChunk chunk;
    uint64_t done = 0;
    while (must_input(reader->read(o_.batch, chunk)) > 0) {
      write_chunk(file, chunk, extra);
      done += chunk.count;
      bar.update(done, reader->info().count.value_or(0));
      if (interrupted()) fail_usage("interrupted; everything acknowledged so far is in the store");
    }
  }

  void write_chunk(const std::string& file, const interop::VectorChunk& chunk,
                   interop::ExtraColumns& extra) {
    std::span<const uint64_t> ids = chunk.ids;
    if (!o_.ids_file.empty()) {
      if (ids_.size() - used_ids_ < chunk.count) {
        fail_usage(fmt::format("{} has only {} ids; {} vectors are in the store", o_.ids_file,
                               ids_.size(), added_));
      }
      ids = std::span<const uint64_t>(ids_).subspan(used_ids_, chunk.count);
      used_ids_ += chunk.count;
    }
    std::span<const std::string> keys = chunk.string_ids;
    interop::MetaRows own;
    interop::MetaRows joined;
    std::vector<Column> columns;
    if (!chunk.extra.empty()) {
      must_input_status(extra.read(chunk, own));
      if (!own.ids.empty()) ids = own.ids;
      if (!own.keys.empty()) keys = own.keys;
      columns = std::move(own.columns);
    }
    if (join_) {
      join_->take(chunk, ids, joined);
      if (!joined.ids.empty()) ids = joined.ids;
      if (!joined.keys.empty()) keys = joined.keys;
      add_columns(std::move(joined.columns), columns, o_.meta.meta_file);
    }
    if (ttl_ != 0) {
      const int64_t expiry = static_cast<int64_t>(runtime_now()) + ttl_;
      columns.push_back(
          {kExpiryField, FieldType::kTimestamp, std::vector<Value>(chunk.count, Value(expiry))});
    }
    WriteBatch batch;
    batch.vectors = {chunk.bytes.data(), chunk.dtype, chunk.count, chunk.dim};
    batch.columns = columns;
    if (!keys.empty()) {
      batch.keys = keys;
    } else {
      batch.ids = ids;
    }
    auto report = store_.write(batch);
    if (!report) {
      Error e = report.error();
      e.message = fmt::format("{}, rows {}-{}: {}", file, chunk.first_row,
                              chunk.first_row + chunk.count - 1, e.message);
      fail(e);
    }
    added_ += report->added;
    replaced_ += report->replaced;
    if (o_.json && o_.open.durability != Durability::kNone) {
      say("{}\n", JsonObject().add("acknowledged", added_).add("epoch", report->epoch).str());
      (void)std::fflush(stdout);
    }
  }

  static void must_input_status(Status&& s) {
    if (!s) fail_input(s.error());
  }
  static uint64_t runtime_now() {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  }

  Options& o_;
  std::vector<Field> fields_;
  Store store_;
  interop::MetaOptions rows_;
  std::optional<MetaJoin> join_;
  int64_t ttl_ = 0;
  std::vector<uint64_t> ids_;
  size_t used_ids_ = 0;
  uint64_t added_ = 0, replaced_ = 0;
};

}  // namespace

void register_ingest(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "ingest",
      "add vectors from npy, csv, jsonl, fvecs, bvecs, ivecs, fbin, u8bin or idx files, also .gz");
  add_store_to_write(*c, *o);
  c->add_option("FILE", o->files, "vector files; the format is recognised by content")->required();
  c->add_option("--ids", o->ids_file,
                "file with one id a vector (npy, text or ivecs); default: counted on");
  c->add_option(
      "--meta", o->meta.meta_file,
      "metadata of the vectors: jsonl (an object a line) or csv, joined by id, else by order");
  c->add_option("--id-column", o->meta.id_column,
                "field of the metadata that holds the ids: numbers or texts");
  c->add_option("--schema", o->meta.schema,
                "types of fields, \"year:i64,lang:enum:index,title:string:words\", or a JSON file");
  c->add_option("--ttl", o->meta.ttl, "the vectors expire after this time: 30d, 12h, 90m, 45s");
  c->add_option("--batch", o->batch, "vectors a commit (10000)")->check(CLI::Range(1, 10'000'000));
  c->add_flag("--create", o->create, "make the store if there is none, shaped by the first file");
  add_metric(*c, o->new_store.metric);
  CLI::Option* dtype = add_dtype(*c, o->new_store.dtype);
  o->storage.add_to(*c);
  CLI::Option* layout = add_search_layout(*c, o->new_store.search_layout);
  add_durability(*c, o->open.durability);
  o->upkeep.add_to(*c);
  add_threads(*c, *o, "threads for the index (all cores)");
  c->add_flag("--quiet", o->quiet, "no progress bar");
  add_json(*c, *o);
  c->callback([o, dtype, layout] {
    install_interrupt();
    o->dtype_given = dtype->count() > 0;
    o->layout_given = layout->count() > 0;
    o->open.index_policy = IndexPolicy::kManual;
    o->open.executor = make_executor(o->threads == 0 ? core_count() : o->threads);
    Ingest(*o).run();
  });
}

}  // namespace rvf::cli
