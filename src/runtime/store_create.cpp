// Making a new store file.
#include <sys/random.h>

#include <cstring>
#include <string>

#include "runtime/no_throw.hpp"
#include "runtime/path_guard.hpp"
#include "runtime/store_impl.hpp"

namespace rvf {

using runtime::no_throw;

namespace {

Result<std::vector<wire::SchemaEntry>> schema_for(const CreateOptions& o) {
  meta::Schema schema;
  for (const Field& f : o.fields) RVF_TRY(schema.merge(f));
  if (o.ids == IdKind::kTexts) {
    RVF_TRY(schema.merge({kKeyField, FieldType::kString, kIndexValues}));
  } else if (o.ids == IdKind::kNumbers && schema.find(kKeyField) != nullptr) {
    return Error(ErrorCode::kBadArgument, "a store whose ids are numbers has no field _key");
  }
  return runtime::schema_entries(schema);
}

Status check_create(const CreateOptions& o) {
  RVF_TRY(schema_for(o));
  if (o.dimension == 0 || o.dimension > kMaxDimension) {
    return Error(ErrorCode::kBadArgument,
                 "dimension must be 1 to 65535, not " + std::to_string(o.dimension));
  }
  switch (o.dtype) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
    case DType::kI8:
    case DType::kU8:
    case DType::kBinary: break;
    default:
      return Error(ErrorCode::kBadArgument,
                   std::string("a store cannot hold dtype ") + dtype_name(o.dtype));
  }
  RVF_TRY(runtime::check_storage(o.storage, o.dtype));
  if (o.ids > IdKind::kTexts) return Error(ErrorCode::kBadArgument, "unknown kind of ids");
  if (o.metric > Metric::kHamming) return Error(ErrorCode::kWrongMetric, "unknown metric");
  if ((o.metric == Metric::kHamming) != (o.dtype == DType::kBinary) &&
      o.metric == Metric::kHamming) {
    return Error(ErrorCode::kWrongMetric, "metric hamming needs dtype binary");
  }
  if (o.graph_m < 4 || o.graph_m > 64) {
    return Error(ErrorCode::kBadArgument, "graph_m must be 4 to 64");
  }
  if (o.ef_construction < 8 || o.ef_construction > 4096) {
    return Error(ErrorCode::kBadArgument, "ef_construction must be 8 to 4096");
  }
  return {};
}

// The first commit of a store, in a file that takes the store's name only when it is whole: a crash
// leaves either no store or an empty one that opens. The file comes back locked.
Result<std::shared_ptr<io::File>> write_first_commit(io::FileSystem& fs, const std::string& path,
                                                     const CreateOptions& create) {
  RVF_ASSIGN(auto made, runtime::create_beside(fs, path + ".new", io::OpenMode::kCreateNew));
  const std::string unfinished = std::move(made.path);
  const std::shared_ptr<io::File> file = std::move(made.file);

  // Whatever goes wrong from here on leaves nothing behind.
  runtime::Unless named([&] { (void)no_throw([&] { return fs.remove(unfinished); }); });
  RVF_TRY(file->lock());
  runtime::Writer writer(file, manifest::ManifestLog(), 0, 1);
  wire::ProfileConfig& profile = writer.head().profile;
  profile.metric = create.metric;
  profile.dtype = create.dtype;
  profile.dimension = create.dimension;
  profile.graph_degree = create.graph_m;
  profile.ef_construction = create.ef_construction;
  profile.seed = create.seed;
  profile.search_layout = create.search_layout;
  profile.schema = create.application;
  RVF_ASSIGN(writer.head().schema, schema_for(create));
  writer.head().storage = create.storage;
  writer.head().numbers_declared = create.ids == IdKind::kNumbers;
  wire::Root& root = writer.root();
  root.dimension = static_cast<uint16_t>(create.dimension);
  root.dtype = create.dtype;
  root.created_ns = runtime::now_ns();
  root.extension.emplace();
  root.extension->metric = create.metric;
  if (::getrandom(root.identity.file_id.data(), root.identity.file_id.size(), 0) !=
      static_cast<ssize_t>(root.identity.file_id.size())) {
    std::memcpy(root.identity.file_id.data(), &root.created_ns, 8);
  }
  writer.begin_batch();
  writer.force_full_manifest();
  RVF_TRY(writer.end_batch(Durability::kSync));
  RVF_TRY(fs.rename_new(unfinished, path));
  named.keep();
  runtime::Unless durable([&] { (void)no_throw([&] { return fs.remove(path); }); });
  RVF_TRY(fs.sync_parent(path));
  durable.keep();
  return file;
}

}  // namespace

Status runtime::check_storage(Storage storage, DType dtype) {
  if (storage > Storage::kRaBitQ4) return Error(ErrorCode::kBadArgument, "unknown storage");
  const bool is_float = dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
  if (storage == Storage::kExact || is_float) return {};
  return Error(ErrorCode::kBadArgument, std::string("storage ") + storage_name(storage) +
                                            " needs dtype f32, f16 or bf16, not " +
                                            dtype_name(dtype));
}

Result<Store> Store::create(const std::string& path, const CreateOptions& create,
                            const OpenOptions& open) {
  return no_throw([&]() -> Result<Store> {
    RVF_TRY(check_create(create));
    RVF_ASSIGN(auto impl, Impl::at(path, open));
    const Error taken(ErrorCode::kAlreadyExists,
                      path + " exists already; open it, or remove it first");
    RVF_ASSIGN(const bool exists, impl->fs->exists(impl->path));
    if (exists) return taken;
    RVF_ASSIGN(impl->lock, runtime::lock_name(*impl->fs, impl->path, open));
    RVF_ASSIGN(const bool appeared, impl->fs->exists(impl->path));  // while the lock was waited for
    if (appeared) return taken;
    RVF_ASSIGN(auto file, write_first_commit(*impl->fs, impl->path, create));
    runtime::Unless opened([&] { (void)no_throw([&] { return impl->fs->remove(impl->path); }); });
    RVF_ASSIGN(auto loaded, impl->load(std::move(file)));
    impl->adopt(std::move(loaded));
    opened.keep();
    return Store(std::move(impl));
  });
}

}  // namespace rvf
