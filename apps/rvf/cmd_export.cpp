#include <fmt/format.h>

#include "command.hpp"
#include "inputs.hpp"
#include "interop/vector_writer.hpp"
#include "records.hpp"
#include "types_arguments.hpp"

namespace rvf::cli {
namespace {

struct Options : Common {
  std::string file, meta_file, filter;
  std::optional<interop::Format> format;
  std::vector<std::string> columns{"*"};
};

interop::Format format_of(const Options& o) {
  if (o.format) return *o.format;
  if (o.file == "-") return interop::Format::kJsonl;
  const size_t dot = o.file.rfind('.');
  const auto format = interop::parse_format(dot == std::string::npos ? "" : o.file.substr(dot + 1));
  if (!format || (*format != interop::Format::kNpy && *format != interop::Format::kJsonl &&
                  *format != interop::Format::kFvecs)) {
    fail_usage(
        "the name of the exported file must end in .npy, .jsonl or .fvecs; else give --format");
  }
  return *format;
}

void check_arguments(const Options& o) {
  for (const std::string& out : {o.file, o.meta_file}) {
    if (interop::same_file(out, o.store)) fail_usage(out + " is the store itself");
  }
  if (!o.meta_file.empty() && (o.file == o.meta_file || interop::same_file(o.file, o.meta_file))) {
    fail_usage("the vectors and --meta would go into one file, " + o.file);
  }
  if (o.json && (o.file == "-" || o.meta_file == "-")) {
    fail_usage("--json prints to standard output too; leave it out with \"-\"");
  }
}

// Ids in ascending order, those that match.
std::vector<uint64_t> matching_ids(const Snapshot& snapshot, const std::string& filter) {
  if (filter.empty()) return must(snapshot.ids());
  ScanOptions all;
  all.filter = filter;
  all.limit = SIZE_MAX;
  return must(snapshot.scan(all)).ids;
}

void run(const Options& o) {
  const std::string& file = o.file;
  install_interrupt();
  const interop::Format format = format_of(o);
  check_arguments(o);
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  const DType stored = snapshot.dtype();
  // npy has no bf16 and no bits, fvecs only floats, jsonl only numbers.
  const bool native =
      format == interop::Format::kNpy && stored != DType::kBF16 && stored != DType::kBinary;
  interop::VectorChunk chunk;
  chunk.dtype = native ? stored : DType::kF32;
  chunk.dim = snapshot.dimension();
  const size_t bytes = vector_bytes(chunk.dtype, chunk.dim);
  const std::vector<uint64_t> ids = matching_ids(snapshot, o.filter);
  const Records records(snapshot, o.columns);
  const bool named = snapshot.has_keys();
  const auto writer =
      must_input(interop::VectorWriter::create(file, format, chunk.dtype, chunk.dim, ids.size()));
  std::unique_ptr<interop::OutputFile> meta;
  if (!o.meta_file.empty()) meta = must(interop::OutputFile::create(o.meta_file));
  ProgressBar bar("exporting", "vectors");
  constexpr size_t kRows = 4096;
  for (size_t at = 0; at < ids.size(); at += kRows) {
    chunk.count = std::min(kRows, ids.size() - at);
    chunk.first_row = at;
    chunk.ids.assign(ids.begin() + static_cast<ptrdiff_t>(at),
                     ids.begin() + static_cast<ptrdiff_t>(at + chunk.count));
    chunk.bytes.resize(chunk.count * bytes);
    for (size_t i = 0; i < chunk.count; ++i) {
      std::byte* to = chunk.bytes.data() + i * bytes;
      if (native) {
        must(snapshot.get_raw(chunk.ids[i], {to, bytes}));
      } else {
        const std::vector<float> v = must(snapshot.get(chunk.ids[i]));
        std::copy_n(reinterpret_cast<const std::byte*>(v.data()), bytes, to);
      }
    }
    const std::vector<uint64_t> numbers = chunk.ids;
    if (named && format == interop::Format::kJsonl) {
      chunk.string_ids.clear();
      for (const uint64_t id : numbers) chunk.string_ids.push_back(id_text(snapshot, id));
      chunk.ids.clear();
    }
    const bool rows_wanted = format == interop::Format::kJsonl || meta != nullptr;
    if (rows_wanted && !records.names().empty()) chunk.extra = records.objects(numbers);
    if (auto s = writer->append(chunk); !s) fail(s.error());
    for (size_t i = 0; meta != nullptr && i < numbers.size(); ++i) {
      // In a store with string ids also a number is written as text: a reader wants one kind.
      JsonObject id;
      id.add_raw("id",
                 named ? json_text(id_text(snapshot, numbers[i])) : id_json(snapshot, numbers[i]));
      std::string line = id.str();
      if (!chunk.extra.empty() && chunk.extra[i].size() > 2) {
        line = line.substr(0, line.size() - 1) + "," + chunk.extra[i].substr(1);
      }
      must(meta->write(line + "\n"));
    }
    bar.update(at + chunk.count, ids.size());
    if (interrupted()) fail_usage("interrupted; nothing was exported");
  }
  if (auto s = writer->finish(); !s) fail(s.error());
  if (meta != nullptr) must(meta->finish());
  bar.finish();
  if (o.json) {
    say("{}\n", JsonObject().add("exported", uint64_t{ids.size()}).add("file", file).str());
  } else if (file != "-" && o.meta_file != "-") {
    say("{} vectors written to {} in id order\n", human_count(ids.size()), file);
  }
}

}  // namespace

void register_export(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("export", "write vectors to a .npy, .jsonl or .fvecs file");
  add_store_to_read(*c, *o);
  c->add_option(
       "FILE", o->file,
       "the file to write, in id order, \"-\" for standard output; .jsonl holds fields and ids "
       "too")
      ->required();
  static const std::map<std::string, interop::Format> formats = {
      {"npy", interop::Format::kNpy},
      {"jsonl", interop::Format::kJsonl},
      {"fvecs", interop::Format::kFvecs}};
  add_choice(*c, "--format", o->format, formats,
             "npy, jsonl or fvecs; default: as the name ends, jsonl for \"-\"")
      ->type_name("FORMAT");
  c->add_option("--meta", o->meta_file,
                "write ids and fields here, a JSON object a line, beside .npy or .fvecs");
  add_filter(*c, o->filter);
  c->add_option("--columns", o->columns, "fields to write (all)")->delimiter(',');
  add_json(*c, *o);
  c->callback([o] { run(*o); });
}

}  // namespace rvf::cli
