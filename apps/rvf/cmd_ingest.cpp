#include <fmt/format.h>

#include <chrono>

#include "command.hpp"
#include "ingest_target.hpp"
#include "inputs.hpp"
#include "interop/duplicates.hpp"
#include "interop/output_file.hpp"
#include "metadata_input.hpp"
#include "types/exact.hpp"
#include "types_arguments.hpp"
#include "upkeep_arguments.hpp"

namespace rvf::cli {
namespace {

struct Options : Common {
  std::vector<std::string> files;
  std::string ids_file;
  std::string vector_field;
  MetadataOptions meta;
  IdKind id_type = IdKind::kUndecided;
  interop::OnDuplicate on_duplicate = interop::OnDuplicate::kBatch;
  size_t batch = 10000;
  UpkeepArguments upkeep;
  TargetOptions target;
};

// What cannot be meant, before anything is opened.
void check_arguments(const Options& o) {
  std::vector<std::string> inputs = o.files;
  for (const std::string& more : {o.ids_file, o.meta.meta_file}) {
    if (!more.empty()) inputs.push_back(more);
  }
  one_standard_input(inputs);
  for (const std::string& input : inputs) {
    if (interop::same_file(input, o.store)) fail_usage(input + " is the store itself");
  }
  for (size_t i = 0; i < o.files.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (o.files[i] == o.files[j] || interop::same_file(o.files[i], o.files[j])) {
        fail_usage(o.files[i] + " is named twice");
      }
    }
  }
  if (!o.ids_file.empty() && !o.meta.id_column.empty()) {
    fail_usage("--ids and --id-column both say where the ids are; give one of them");
  }
}

class Ingest {
 public:
  explicit Ingest(Options& options)
      : o_(options), fields_(schema_from(options.meta.schema)), target_(options, options.target) {
    kind_ = target_.id_kind();
    if (kind_ == IdKind::kUndecided) kind_ = o_.id_type;
    if (o_.id_type != IdKind::kUndecided && o_.id_type != kind_) {
      fail_usage(fmt::format("the ids of {} are {}; --id-type is for a store that has none yet",
                             o_.store, kind_ == IdKind::kTexts ? "texts" : "numbers"));
    }
    o_.target.shape.ids = kind_;
    if (!o_.meta.ttl.empty()) ttl_ = duration_from(o_.meta.ttl);
    if (!o_.ids_file.empty()) ids_ = must_input(interop::read_ids(o_.ids_file, kind_));
    rows_.declared = fields_;
    rows_.known = target_.fields();
    rows_.ids = kind_;
    if (!o_.meta.id_column.empty()) {
      rows_.id_field = o_.meta.id_column;
      rows_.id_required = true;
    }
    if (!o_.meta.meta_file.empty()) join_.emplace(o_.meta.meta_file, rows_);
  }

  void run() {
    const auto started = std::chrono::steady_clock::now();
    try {
      for (const std::string& file : o_.files) read_file(file);
      if (join_) join_->finish();
      if (used_ids_ != ids_.size()) {
        fail_usage(fmt::format("{} has {} ids, the files have {} vectors", o_.ids_file, ids_.size(),
                               used_ids_));
      }
    } catch (Failure& f) {
      if (added_ > 0) {
        target_.keep();
        f.message += fmt::format("; {} vectors of this run are in the store", human_count(added_));
      }
      throw;
    }
    target_.keep();
    Store& store = target_.store();
    if (!declared_) declare_fields(store, fields_);
    must(store.commit());
    o_.upkeep.run(store, o_.quiet);
    const StoreStatus status = store.status();
    must(store.close());
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    print(status, seconds);
  }

 private:
  void print(const StoreStatus& status, double seconds) const {
    const bool keeps = o_.on_duplicate == interop::OnDuplicate::kKeep;
    if (o_.json) {
      JsonObject line;
      line.add("vectors", status.vectors).add("added", added_).add("replaced", replaced_);
      if (keeps) line.add("kept", kept_);
      say("{}\n", line.add("epoch", status.epoch)
                      .add("file_bytes", status.file_bytes)
                      .add("index", status.index_kind)
                      .add("seconds", seconds)
                      .str());
      return;
    }
    say("{} vectors added ({} replaced{}) in {}; the store holds {} in {}, index: {}\n",
        human_count(added_), human_count(replaced_),
        keeps ? ", " + human_count(kept_) + " kept as they were" : "", human_time(seconds),
        human_count(status.vectors), human_bytes(status.file_bytes), status.index_kind);
  }

  void read_file(const std::string& file) {
    interop::ReadOptions how;
    how.want_extra = true;
    for (const auto& fields : {rows_.declared, rows_.known}) {
      for (const Field& f : fields) how.fields.push_back(f.name);
    }
    how.vector_field = o_.vector_field;
    how.ids = kind_;
    how.id_field = rows_.id_field;
    how.id_required = rows_.id_required && !join_;  // else the ids are in the file of rows
    const auto reader = must_input(interop::open_vectors(file, how));
    target_.make(reader->info());
    rows_.known = target_.fields();
    interop::ExtraColumns extra(file, reader->info().format, rows_);
    ProgressBar bar("reading " + file, "vectors", !o_.quiet);
    interop::VectorChunk chunk;
    uint64_t done = 0;
    while (must_input(reader->read(o_.batch, chunk)) > 0) {
      const uint64_t rows = chunk.count;
      write_chunk(file, chunk, extra);
      done += rows;
      bar.update(done, reader->info().count.value_or(0));
      if (interrupted()) fail_usage("interrupted");
    }
  }

  // Ids of --ids for the next vectors.
  void take_ids(interop::VectorChunk& chunk) {
    if (o_.ids_file.empty()) return;
    if (ids_.size() - used_ids_ < chunk.count) {
      fail_usage(fmt::format("{} has only {} ids", o_.ids_file, ids_.size()));
    }
    const auto take = [&](const auto& from, auto& to) {
      to.clear();
      if (from.empty()) return;
      const auto first = from.begin() + static_cast<std::ptrdiff_t>(used_ids_);
      to.assign(first, first + static_cast<std::ptrdiff_t>(chunk.count));
    };
    take(ids_.numbers, chunk.ids);
    take(ids_.texts, chunk.string_ids);
    used_ids_ += chunk.count;
  }

  std::vector<Column> columns_of(interop::VectorChunk& chunk, interop::ExtraColumns& extra) {
    interop::MetaRows rows;
    if (!chunk.extra.empty()) must_input_status(extra.read(chunk, rows));
    std::vector<Column> columns = std::move(rows.columns);
    if (join_) {
      join_->take(chunk, rows);
      if (!rows.ids.empty()) chunk.ids = std::move(rows.ids);
      if (!rows.keys.empty()) chunk.string_ids = std::move(rows.keys);
      add_columns(std::move(rows.columns), columns, o_.meta.meta_file);
    }
    if (ttl_ != 0) {
      const Value expiry = saturating_add(now(), ttl_);
      columns.push_back(
          {kExpiryField, FieldType::kTimestamp, std::vector<Value>(chunk.count, expiry)});
    }
    return columns;
  }

  // Which rows have an id that the store has, where that matters.
  std::vector<bool> are_there(const interop::VectorChunk& chunk) {
    std::vector<bool> out(chunk.count);
    if (o_.on_duplicate < interop::OnDuplicate::kError) return out;
    const Snapshot snapshot = must(target_.store().snapshot());
    for (size_t i = 0; i < chunk.ids.size(); ++i) out[i] = must(snapshot.contains(chunk.ids[i]));
    for (size_t i = 0; i < chunk.string_ids.size() && snapshot.has_keys(); ++i) {
      out[i] = snapshot.id_of(chunk.string_ids[i]).ok();
    }
    return out;
  }

  void write_chunk(const std::string& file, interop::VectorChunk& chunk,
                   interop::ExtraColumns& extra) {
    const uint64_t last = chunk.first_row + chunk.count - 1;
    const auto at_rows = [&](Error e) {
      e.message = fmt::format("{}, rows {}-{}: {}", file, chunk.first_row, last, e.message);
      return e;
    };
    take_ids(chunk);
    std::vector<Column> columns = columns_of(chunk, extra);
    const auto dropped =
        interop::resolve_duplicates(o_.on_duplicate, are_there(chunk), chunk, columns);
    if (!dropped) fail(at_rows(dropped.error()));
    const bool keeps = o_.on_duplicate == interop::OnDuplicate::kKeep;
    kept_ += keeps ? *dropped : 0;
    if (chunk.count == 0) return;
    WriteBatch batch;
    batch.vectors = {chunk.bytes.data(), chunk.dtype, chunk.count, chunk.dim};
    batch.columns = columns;
    batch.fields = fields_;
    batch.ids = chunk.ids;
    batch.keys = chunk.string_ids;
    const auto report = target_.store().write(batch);
    if (!report) fail(at_rows(report.error()));
    declared_ = true;
    if (kind_ == IdKind::kUndecided) {
      kind_ = chunk.string_ids.empty() ? IdKind::kNumbers : IdKind::kTexts;
    }
    added_ += report->added + (keeps ? 0 : *dropped);
    replaced_ += report->replaced + (keeps ? 0 : *dropped);
    if (o_.json && o_.target.open.durability != Durability::kNone) {
      say("{}\n", JsonObject().add("acknowledged", added_).add("epoch", report->epoch).str());
      (void)std::fflush(stdout);
    }
  }

  static void must_input_status(Status&& s) {
    if (!s) fail_input(s.error());
  }
  static int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  Options& o_;
  std::vector<Field> fields_;
  IngestTarget target_;
  IdKind kind_ = IdKind::kUndecided;
  interop::MetaOptions rows_;
  std::optional<MetaJoin> join_;
  int64_t ttl_ = 0;
  interop::IdList ids_;
  size_t used_ids_ = 0;
  uint64_t added_ = 0, replaced_ = 0, kept_ = 0;
  bool declared_ = false;  // a batch has brought the fields of --schema along
};

}  // namespace

void register_ingest(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "ingest",
      "add vectors from npy, npz, csv, jsonl, fvecs, bvecs, ivecs, fbin, u8bin or idx files, also "
      ".gz and from pipes");
  add_store_to_write(*c, *o);
  c->add_option("FILE", o->files,
                "vector files, \"-\" for standard input; the format is recognised by content")
      ->required();
  c->add_option("--ids", o->ids_file,
                "file with one id a vector (npy, text or ivecs); default: counted on");
  c->add_option("--vector-field", o->vector_field,
                "key or column that holds the vector, or what columns v0, v1, ... begin with");
  c->add_option(
      "--meta", o->meta.meta_file,
      "metadata of the vectors: jsonl (an object a line) or csv, joined by id, else by order");
  c->add_option("--id-column", o->meta.id_column,
                "field of the metadata that holds the ids: numbers or texts");
  add_id_type(*c, o->id_type);
  static const std::map<std::string, interop::OnDuplicate> answers = {
      {"replace", interop::OnDuplicate::kReplace},
      {"error", interop::OnDuplicate::kError},
      {"keep", interop::OnDuplicate::kKeep}};
  add_choice(*c, "--on-duplicate", o->on_duplicate, answers,
             "an id that is there, in the store or earlier in the files: replace it, end with an "
             "error, or keep what is there")
      ->type_name("MODE");
  c->add_option("--schema", o->meta.schema,
                "types of fields, \"year:i64,lang:enum:index,title:string:words\", or a JSON file");
  c->add_option("--ttl", o->meta.ttl, "the vectors expire after this time: 30d, 12h, 90m, 45s");
  c->add_option("--batch", o->batch, "vectors a commit (10000)")->check(between(1, 10'000'000));
  TargetOptions& target = o->target;
  c->add_flag("--create", target.create,
              "make the store if there is none, shaped by the first file");
  CLI::Option* metric = add_metric(*c, target.shape.metric);
  CLI::Option* dtype = add_dtype(*c, target.shape.dtype);
  target.storage.add_to(*c);
  CLI::Option* layout = add_search_layout(*c, target.shape.search_layout);
  add_durability(*c, target.open.durability);
  o->upkeep.add_to(*c);
  add_threads(*c, *o, "threads for the index (all cores)");
  c->add_flag("--quiet", o->quiet, "no progress bar");
  add_json(*c, *o);
  c->callback([o, metric, dtype, layout] {
    o->target.metric_given = metric->count() > 0;
    o->target.dtype_given = dtype->count() > 0;
    o->target.layout_given = layout->count() > 0;
    o->target.open.index_policy = IndexPolicy::kManual;
    o->target.open.executor = make_executor(o->threads == 0 ? core_count() : o->threads);
    check_arguments(*o);
    Ingest(*o).run();
  });
}

}  // namespace rvf::cli
