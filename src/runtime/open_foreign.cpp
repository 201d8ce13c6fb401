#include "runtime/open_foreign.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/convert.hpp"
#include "layouts/carried.hpp"
#include "layouts/native_columns.hpp"
#include "manifest/tail_scan.hpp"
#include "runtime/store_impl.hpp"

namespace rvf {
namespace runtime {
namespace {

constexpr uint64_t kMaxSidecar = 256U << 20;

Result<std::shared_ptr<const io::Mapping>> map_all(const io::File& file) {
  RVF_ASSIGN(const uint64_t size, file.size());
  return file.map(size);
}

wire::ByteSpan bytes_of(const io::Mapping& mapping, uint64_t size) {
  return mapping.bytes().first(
      static_cast<size_t>(std::min<uint64_t>(size, mapping.bytes().size())));
}

Result<wire::Bytes> read_all(io::FileSystem& fs, const std::string& path, uint64_t limit) {
  RVF_ASSIGN(const auto file, fs.open(path, io::OpenMode::kRead));
  RVF_ASSIGN(const uint64_t size, file->size());
  if (limit != 0 && size > limit) {
    return Error(ErrorCode::kBudgetExceeded,
                 path + " has " + std::to_string(size) + " bytes, more than the memory budget");
  }
  wire::Bytes bytes(static_cast<size_t>(size));
  RVF_TRY(file->read(0, bytes));
  return bytes;
}

std::string parent_path(const std::string& child, const std::string& parent) {
  const size_t slash = child.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : child.substr(0, slash + 1);
  if (!parent.empty() && parent.front() == '/')
    return folder + parent.substr(parent.rfind('/') + 1);
  return folder + parent;
}

const char* described(layouts::Layout layout) {
  switch (layout) {
    case layouts::Layout::kRuntime: return "a runtime container (the layout of @ruvector/rvf-node)";
    case layouts::Layout::kWasm: return "an export of @ruvector/rvf-wasm";
    case layouts::Layout::kWire: return "a wire container (the layout of the rvf-wire crate)";
    default: return "of another layout";
  }
}

}  // namespace

bool may_be_foreign(ErrorCode code) noexcept {
  return code == ErrorCode::kManifestNotFound || code == ErrorCode::kNotAStore;
}

Result<layouts::Layout> foreign_layout(const io::File& file) {
  const auto root = manifest::boot(file);
  if (root && root->extension) return layouts::Layout::kUnknown;
  // A native store stays one where its last write is torn, whatever the torn bytes look like.
  const auto native = manifest::find_manifest(file, nullptr);
  if (native && native->log.root().extension) return layouts::Layout::kUnknown;
  if (!native && !may_be_foreign(native.error().code) &&
      !manifest::is_damage(native.error().code)) {
    return native.error();
  }
  RVF_ASSIGN(const uint64_t size, file.size());
  RVF_ASSIGN(const auto mapping, map_all(file));
  const layouts::Layout layout = layouts::detect(bytes_of(*mapping, size));
  return layout == layouts::Layout::kNative ? layouts::Layout::kUnknown : layout;
}

Error convert_needed(const std::string& path, layouts::Layout layout) {
  return {ErrorCode::kConvertNeeded, path + " is " + described(layout) +
                                         "; reading works, writing needs: rvf convert " + path +
                                         " NEW.rvf --to native"};
}

Result<layouts::ForeignStore> read_foreign(io::FileSystem& fs, const std::string& path,
                                           uint64_t memory_budget) {
  RVF_ASSIGN(const auto file, fs.open(path, io::OpenMode::kRead));
  RVF_ASSIGN(const uint64_t size, file->size());
  RVF_ASSIGN(const auto mapping, map_all(*file));
  layouts::DecodeOptions options;
  options.memory_budget = memory_budget;
  options.parent = [&](const std::string& parent) -> Result<wire::Bytes> {
    const std::string at = parent_path(path, parent);
    auto bytes = read_all(fs, at, memory_budget);
    if (bytes || bytes.error().code == ErrorCode::kBudgetExceeded) return bytes;
    return Error(
        ErrorCode::kParentNotFound,
        path + " is a branch of " + at + ", which cannot be read: " + bytes.error().message);
  };
  const std::string sidecar = path + ".idmap.json";
  wire::Bytes string_ids;
  RVF_ASSIGN(const bool has_sidecar, fs.exists(sidecar));
  if (has_sidecar) {
    RVF_ASSIGN(string_ids, read_all(fs, sidecar, kMaxSidecar));
    options.string_ids = string_ids;
  }
  auto store = layouts::decode(bytes_of(*mapping, size), options);
  RVF_TRY(mapping->intact());
  if (!store && store.error().message.find(path) == std::string::npos) {
    Error e = std::move(store).error();
    e.message = path + ": " + e.message;
    return e;
  }
  return store;
}

namespace {

// A native store holds finite values only; the published packages take any.
void drop_what_is_not_finite(layouts::ForeignStore& from) {
  const size_t dim = from.dimension;
  std::vector<size_t> kept;
  for (size_t i = 0; i < from.ids.size(); ++i) {
    const auto row = from.vectors.begin() + static_cast<ptrdiff_t>(i * dim);
    if (std::all_of(row, row + static_cast<ptrdiff_t>(dim),
                    [](float v) { return std::isfinite(v); })) {
      kept.push_back(i);
    }
  }
  if (kept.size() == from.ids.size()) return;
  from.notes.push_back(std::to_string(from.ids.size() - kept.size()) +
                       " vector(s) with NaN or infinity are left out");
  for (size_t i = 0; i < kept.size(); ++i) {
    const size_t k = kept[i];
    from.ids[i] = from.ids[k];
    std::copy_n(from.vectors.begin() + static_cast<ptrdiff_t>(k * dim), dim,
                from.vectors.begin() + static_cast<ptrdiff_t>(i * dim));
    if (!from.keys.empty()) from.keys[i] = from.keys[k];
    for (Column& c : from.columns) c.values[i] = c.values[k];
  }
  from.ids.resize(kept.size());
  from.vectors.resize(kept.size() * dim);
  if (!from.keys.empty()) from.keys.resize(kept.size());
  for (Column& c : from.columns) c.values.resize(kept.size());
}

bool can_attach(const layouts::OpaqueSegment& s) {
  if (layouts::means_the_same_everywhere(s.type)) return true;
  const auto type = static_cast<SegmentType>(s.type);
  return (s.is_native || type == SegmentType::kFused) && may_attach(type, s.flags);
}

// Segments that a native store would read as its own go into one that it does not read.
std::vector<Attachment> attachments_of(layouts::ForeignStore& from) {
  std::vector<Attachment> attach;
  std::vector<layouts::OpaqueSegment> carried;
  for (layouts::OpaqueSegment& s : from.others) {
    if (can_attach(s)) {
      attach.push_back({s.type, s.flags, false, std::move(s.payload)});
    } else {
      carried.push_back(std::move(s));
    }
  }
  from.others.clear();
  if (!from.file_metadata.empty()) {
    from.notes.push_back(std::to_string(from.file_metadata.size()) +
                         " value(s) of the file as a whole cannot be read in a native store; a "
                         "conversion back to runtime brings them back");
    const layouts::RvfMeta meta = layouts::make_rvfmeta({}, {}, from.file_metadata, from.notes);
    carried.push_back({static_cast<uint8_t>(SegmentType::kMeta), 0, layouts::encode_rvfmeta(meta)});
  }
  if (!carried.empty()) {
    attach.push_back(
        {layouts::kCarriedType, 0, false, layouts::encode_carried(from.layout, carried)});
  }
  return attach;
}

// What the values were before they were widened, if they still are.
DType narrowest(layouts::ForeignStore& from) {
  if (from.dtype == DType::kF32) return from.dtype;
  std::vector<std::byte> narrow(vector_bytes(from.dtype, from.dimension));
  std::vector<float> wide(from.dimension);
  for (size_t i = 0; i < from.ids.size(); ++i) {
    const std::span row = std::span(from.vectors).subspan(i * from.dimension, from.dimension);
    if (kernels::encode_row(row, from.dtype, narrow.data()) &&
        kernels::decode_row(narrow.data(), from.dtype, wide) &&
        std::memcmp(wide.data(), row.data(), row.size_bytes()) == 0) {
      continue;
    }
    from.notes.push_back(std::string("the vectors were ") + dtype_name(from.dtype) +
                         " once, but do not all fit any more; they are f32");
    return DType::kF32;
  }
  return from.dtype;
}

Status write_rows(Store& store, const layouts::ForeignStore& from,
                  std::span<const Attachment> attach) {
  constexpr size_t kBatch = 65536;
  const size_t dim = from.dimension;
  for (size_t at = 0; at < from.ids.size() || at == 0; at += kBatch) {
    const size_t count = std::min(kBatch, from.ids.size() - at);
    std::vector<Column> columns;
    for (const Column& c : from.columns) {
      const auto first = c.values.begin() + static_cast<ptrdiff_t>(at);
      columns.push_back({c.name, c.type, {first, first + static_cast<ptrdiff_t>(count)}});
    }
    WriteBatch batch;
    batch.vectors = {from.vectors.data() + at * dim, DType::kF32, count, dim};
    batch.ids = std::span(from.ids).subspan(at, count);
    if (!from.keys.empty()) batch.keys = std::span(from.keys).subspan(at, count);
    batch.columns = columns;
    if (at == 0) batch.attach = attach;
    RVF_TRY(store.write(batch));
  }
  return {};
}

}  // namespace
}  // namespace runtime

Result<Store> Store::Impl::create_from(layouts::ForeignStore& from, const std::string& path,
                                       const OpenOptions& open) {
  if (from.dimension == 0) {
    from.dimension = 1;
    from.notes.emplace_back("the file says dimension 0 and holds no vectors; it is shown as 1");
  }
  runtime::drop_what_is_not_finite(from);
  CreateOptions create;
  create.dimension = from.dimension;
  create.metric = from.metric;
  create.dtype = runtime::narrowest(from);
  create.application = from.application;
  create.fields = from.fields;
  OpenOptions options = open;
  options.durability = Durability::kNone;
  options.index_policy = IndexPolicy::kManual;
  RVF_ASSIGN(Store store, Store::create(path, create, options));
  store.impl_->keeps_both_ids = true;
  if (from.identity) store.impl_->writer->root().identity = *from.identity;
  const std::vector<Attachment> attach = runtime::attachments_of(from);
  if (from.ids.empty() && attach.empty()) {
    // A change of the root alone leaves nothing pending, so it is committed at once.
    store.impl_->writer->begin_batch();
    RVF_TRY(store.impl_->writer->end_batch(Durability::kFlush));
  }
  RVF_TRY(runtime::write_rows(store, from, attach));
  RVF_TRY(store.commit());
  return store;
}

wire::FileIdentity Store::Impl::identity_of(const Store& store) {
  std::lock_guard guard(store.impl_->state_mutex);
  return store.impl_->published.root.identity;
}

Result<Store> Store::Impl::open_foreign(io::FileSystem& fs, const std::string& path,
                                        const OpenOptions& open) {
  RVF_ASSIGN(layouts::ForeignStore from, runtime::read_foreign(fs, path, open.memory_budget));
  OpenOptions options = open;
  options.file_system = io::memory_file_system();
  {
    RVF_ASSIGN(Store store, create_from(from, path, options));
    RVF_TRY(store.close());
  }
  RVF_ASSIGN(Store store, Store::open_readonly(path, options));
  store.impl_->layout = layouts::layout_name(from.layout);
  store.impl_->notes = std::move(from.notes);
  return store;
}

}  // namespace rvf
