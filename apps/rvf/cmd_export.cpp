#include <fmt/format.h>

#include "command.hpp"
#include "interop/vector_writer.hpp"

namespace rvf::cli {
namespace {

interop::Format format_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  const auto format = interop::parse_format(dot == std::string::npos ? "" : path.substr(dot + 1));
  if (!format || (*format != interop::Format::kNpy && *format != interop::Format::kJsonl &&
                  *format != interop::Format::kFvecs)) {
    fail_usage("the name of the exported file must end in .npy, .jsonl or .fvecs");
  }
  return *format;
}

void run(const Common& o, const std::string& file) {
  install_interrupt();
  const interop::Format format = format_of(file);
  const Store store = open_for_reading(o);
  const Snapshot snapshot = must(store.snapshot());
  const DType stored = snapshot.dtype();
  // npy has no bf16 and no bits, fvecs only floats, jsonl only numbers.
  const bool native =
      format == interop::Format::kNpy && stored != DType::kBF16 && stored != DType::kBinary;
  interop::VectorChunk chunk;
  chunk.dtype = native ? stored : DType::kF32;
  chunk.dim = snapshot.dimension();
  const auto writer =
      must_input(interop::VectorWriter::create(file, format, chunk.dtype, chunk.dim));
  const size_t bytes = vector_bytes(chunk.dtype, chunk.dim);
  const std::vector<uint64_t> ids = snapshot.ids();
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
    if (auto s = writer->append(chunk); !s) fail(s.error());
    bar.update(at + chunk.count, ids.size());
    if (interrupted()) fail_usage("interrupted; nothing was exported");
  }
  if (auto s = writer->finish(); !s) fail(s.error());
  bar.finish();
  if (o.json) {
    fmt::print("{}\n", JsonObject().add("exported", uint64_t{ids.size()}).add("file", file).str());
  } else {
    fmt::print("{} vectors written to {} in id order\n", human_count(ids.size()), file);
  }
}

}  // namespace

void register_export(CLI::App& app) {
  auto o = std::make_shared<Common>();
  auto file = std::make_shared<std::string>();
  CLI::App* c = app.add_subcommand("export", "write all vectors to a .npy, .jsonl or .fvecs file");
  add_store(*c, *o);
  c->add_option("FILE", *file, "the file to write, in id order")->required();
  add_json(*c, *o);
  c->callback([o, file] { run(*o, *file); });
}

}  // namespace rvf::cli
