#include "runtime/convert.hpp"

#include <algorithm>
#include <map>

#include "kernels/convert.hpp"
#include "layouts/native_columns.hpp"
#include "layouts/runtime_writer.hpp"
#include "layouts/string_ids.hpp"
#include "runtime/convert_graph.hpp"
#include "runtime/open_foreign.hpp"
#include "runtime/store_impl.hpp"
#include "runtime/word_indexes.hpp"

namespace rvf::runtime {
namespace {

using layouts::Layout;
using layouts::OpaqueSegment;

std::string plural(uint64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string hex(std::span<const uint8_t> bytes) {
  std::string out;
  for (const uint8_t b : bytes) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

std::string describe_segments(const std::map<uint8_t, uint64_t>& counts) {
  std::string out;
  for (const auto& [type, n] : counts) {
    std::string name = segment_type_name(static_cast<SegmentType>(type));
    if (name == "?") name = "type " + std::to_string(type);
    out += (out.empty() ? "" : ", ") + std::to_string(n) + " " + name;
  }
  return out;
}

void tell_identity(const wire::FileIdentity& id, ConvertReport& report) {
  std::string text = "file identity " + hex(id.file_id);
  if (id.lineage_depth > 0) {
    text += ", child of " + hex(id.parent_id) + " in depth " + std::to_string(id.lineage_depth);
  }
  report.carried.push_back(std::move(text));
}

// Holds the name that the new file will take, and puts it there once it is whole.
class Target {
 public:
  static Result<Target> claim(const std::string& in, const std::string& out,
                              const ConvertOptions& options) {
    Target t;
    t.fs_ = options.file_system ? options.file_system : io::posix_file_system();
    t.path_ = out;
    RVF_ASSIGN(const bool in_there, t.fs_->exists(in));
    if (!in_there) return Error(ErrorCode::kNoSuchFile, "there is no file " + in);
    RVF_ASSIGN(const bool out_there, t.fs_->exists(out));
    if (out_there) {
      RVF_ASSIGN(const auto a, t.fs_->identity(in));
      RVF_ASSIGN(const auto b, t.fs_->identity(out));
      if (a == b) {
        return Error(ErrorCode::kBadArgument,
                     out + " is the file to convert; give the new one another name");
      }
      if (!options.replace) {
        return Error(ErrorCode::kAlreadyExists, out + " exists already; --force replaces it");
      }
    }
    RVF_ASSIGN(t.lock_, t.fs_->lock(out));
    RVF_TRY(t.fs_->remove(t.temporary()));
    return t;
  }
  Target(Target&&) noexcept = default;
  Target& operator=(Target&&) noexcept = default;
  ~Target() {
    if (fs_ != nullptr && !done_) (void)fs_->remove(temporary());
  }

  io::FileSystem& fs() const { return *fs_; }
  const std::shared_ptr<io::FileSystem>& shared_fs() const { return fs_; }
  std::string temporary() const { return path_ + ".converting"; }
  Status publish() {
    RVF_TRY(fs_->rename(temporary(), path_));
    done_ = true;
    return fs_->sync_parent(path_);
  }
  // The string ids beside the file, in one step; empty: none may be there.
  Status put_sidecar(const std::string& content) {
    const std::string path = path_ + ".idmap.json";
    if (content.empty()) return fs_->remove(path);
    const std::string unfinished = path + ".converting";
    RVF_TRY(fs_->remove(unfinished));
    RVF_ASSIGN(const auto file, fs_->open(unfinished, io::OpenMode::kCreateNew));
    Status written = file->write(0, wire::as_bytes(content));
    if (written) written = file->sync();
    if (written) written = fs_->rename(unfinished, path);
    if (!written) (void)fs_->remove(unfinished);
    return written;
  }

 private:
  Target() = default;
  std::shared_ptr<io::FileSystem> fs_;
  std::unique_ptr<io::WriterLock> lock_;
  std::string path_;
  bool done_ = false;
};

void describe_source(const layouts::ForeignStore& from, ConvertReport& report) {
  report.from = layouts::layout_name(from.layout);
  report.vectors = from.ids.size();
  report.dimension = from.dimension;
  if (!from.columns.empty()) {
    report.carried.push_back("metadata in " + plural(from.columns.size(), "field"));
  }
  if (!from.keys.empty()) report.carried.emplace_back("string ids");
  if (from.identity) tell_identity(*from.identity, report);
  std::map<uint8_t, uint64_t> counts;
  for (const OpaqueSegment& s : from.others) ++counts[s.type];
  if (!counts.empty()) {
    report.carried.push_back("other segments, byte for byte: " + describe_segments(counts));
  }
}

}  // namespace

Result<ConvertReport> convert_to_native(const std::string& in, const std::string& out,
                                        const ConvertOptions& options) {
  RVF_ASSIGN(Target target, Target::claim(in, out, options));
  {
    RVF_ASSIGN(const auto file, target.fs().open(in, io::OpenMode::kRead));
    RVF_ASSIGN(const Layout layout, foreign_layout(*file));
    const auto root = manifest::boot(*file);
    if (layout == Layout::kUnknown && root && root->extension) {
      return Error(ErrorCode::kBadArgument,
                   in + " is a native store already; `rvf compact` rewrites one");
    }
  }
  RVF_ASSIGN(layouts::ForeignStore from, read_foreign(target.fs(), in, options.memory_budget));
  ConvertReport report;
  report.to = "native";
  describe_source(from, report);
  const uint64_t deleted = from.deleted;
  const uint32_t epoch = from.epoch;
  OpenOptions open;
  open.file_system = target.shared_fs();
  open.executor = options.executor;
  {
    RVF_ASSIGN(Store store, Store::Impl::create_from(from, target.temporary(), open));
    if (options.index) RVF_TRY(store.build_index(options.progress));
    report.vectors = store.status().vectors;
    report.bytes = store.status().file_bytes;
    if (store.status().index_kind == "graph") report.carried.emplace_back("a graph, built anew");
    RVF_TRY(store.commit());
    RVF_TRY(store.close());
  }
  report.lost = std::move(from.notes);
  if (deleted > 0) {
    report.lost.push_back("the list of " + plural(deleted, "deleted id") +
                          ": the native store may use them again");
  }
  if (epoch > 1) {
    report.lost.push_back("the count of epochs (" + std::to_string(epoch) +
                          "): the native store begins its own");
  }
  RVF_TRY(target.publish());
  return report;
}

namespace {

struct Collected {
  std::vector<OpaqueSegment> others;
  Record file_metadata;
  std::map<uint8_t, uint64_t> counts;
};

// What an earlier conversion carried goes back to where it came from.
void unwrap(layouts::Carried&& carried, Collected& out) {
  std::vector<OpaqueSegment> still_carried;
  for (OpaqueSegment& s : carried.segments) {
    const bool meta = static_cast<SegmentType>(s.type) == SegmentType::kMeta;
    if (meta && layouts::is_rvfmeta(s.payload)) {
      layouts::Budget budget(0, s.payload.size());
      const auto decoded = layouts::decode_rvfmeta(s.payload, budget);
      if (!decoded) continue;
      for (const auto& [key, value] : decoded->file) {
        if (const auto* v = std::get_if<Value>(&value)) out.file_metadata.emplace_back(key, *v);
      }
      continue;
    }
    ++out.counts[s.type];
    // The newest published engine refuses a file with metadata in any other form.
    (meta ? still_carried : out.others).push_back(std::move(s));
  }
  if (!still_carried.empty()) {
    out.others.push_back(
        {layouts::kCarriedType, 0, layouts::encode_carried(carried.from, still_carried)});
  }
}

Result<Collected> collect_attachments(const Snapshot& snapshot) {
  Collected out;
  std::vector<OpaqueSegment> natives;
  RVF_ASSIGN(const std::vector<SegmentInfo> segments, snapshot.segments());
  for (const SegmentInfo& info : segments) {
    if (!info.attachment) continue;
    RVF_ASSIGN(wire::Bytes payload, snapshot.payload(info.segment_id));
    if (info.type == layouts::kCarriedType && layouts::is_carried(payload)) {
      auto carried = layouts::decode_carried(payload);
      if (carried && carried->from != Layout::kNative) {
        unwrap(std::move(*carried), out);
        continue;
      }
    }
    ++out.counts[info.type];
    OpaqueSegment s{info.type, static_cast<uint16_t>(info.flags & ~segment_flag::kCompressed),
                    std::move(payload)};
    const bool same = layouts::means_the_same_everywhere(info.type);
    (same ? out.others : natives).push_back(std::move(s));
  }
  if (!natives.empty()) {
    out.others.push_back(
        {layouts::kCarriedType, 0, layouts::encode_carried(Layout::kNative, natives)});
  }
  return out;
}

Result<std::vector<Column>> collect_columns(const Snapshot& snapshot, std::vector<Field> fields,
                                            const std::vector<uint64_t>& ids) {
  std::vector<Column> columns;
  for (Field& f : fields) {
    RVF_ASSIGN(std::vector<Value> values, snapshot.values(ids, f.name));
    columns.push_back({std::move(f.name), f.type, std::move(values)});
  }
  return columns;
}

Status check_convertible(const StoreStatus& s) {
  if (s.metric == Metric::kHamming) {
    return Error(ErrorCode::kWrongMetric, "a runtime container has no metric hamming");
  }
  if (s.dtype == DType::kBinary) {
    return Error(ErrorCode::kUnsupported, "a runtime container has no binary vectors");
  }
  return {};
}

void tell_losses(const StoreStatus& s, ConvertReport& report) {
  report.lost = s.notes;
  if (s.dtype != DType::kF32) {
    report.lost.push_back(std::string("dtype ") + dtype_name(s.dtype) +
                          ": the values are f32 there, exactly equal but wider");
  }
  if (s.tier_rows[1] + s.tier_rows[2] > 0) {
    report.lost.push_back("tiers: " + std::to_string(s.tier_rows[1] + s.tier_rows[2]) +
                          " rows of 8 and 4 bits are written as the f32 values they stand for");
  }
  if (s.deleted > 0) report.lost.push_back(plural(s.deleted, "dead row"));
  if (s.layout == "native" && s.epoch > 1)
    report.lost.emplace_back("earlier epochs to roll back to");
}

// Everything but the vectors and the graph.
struct Side {
  std::vector<Column> columns;  // the last one holds the string ids, if there are any
  std::vector<std::string> keys;
  Collected attached;
  layouts::NativeHints hints;
};

Result<Side> collect_side(const Snapshot& snapshot, const StoreStatus& status,
                          const std::vector<uint64_t>& ids) {
  Side side;
  side.hints = {status.dtype, status.application, snapshot.fields()};
  RVF_ASSIGN(side.attached, collect_attachments(snapshot));
  RVF_ASSIGN(side.columns, collect_columns(snapshot, side.hints.fields, ids));
  const Field expiry{kExpiryField, FieldType::kTimestamp, kIndexNone};
  if (auto c = collect_columns(snapshot, {expiry}, ids)) {
    side.columns.push_back(std::move(c->front()));
    side.hints.fields.push_back(expiry);
  }
  if (snapshot.has_keys()) {
    RVF_ASSIGN(auto c,
               collect_columns(snapshot, {{kKeyField, FieldType::kString, kIndexNone}}, ids));
    RVF_ASSIGN(side.keys, snapshot.keys_of(ids));
    side.columns.push_back(std::move(c.front()));
  }
  const bool plain = side.hints == layouts::NativeHints{};
  if (!plain) {
    side.attached.others.push_back(
        {layouts::kCarriedType, 0, layouts::encode_native_hints(side.hints)});
  }
  return side;
}

void tell_carried(const Side& side, const wire::FileIdentity& identity,
                  const layouts::WrittenRuntime& written, ConvertReport& report) {
  const size_t fields = side.columns.size() - (side.keys.empty() ? 0 : 1);
  if (fields > 0) {
    report.carried.push_back("metadata in " + plural(fields, "field") +
                             ", which engines from August 2026 on read");
  }
  if (!side.keys.empty()) {
    report.carried.emplace_back("string ids, in the file and in .idmap.json beside it");
  }
  tell_identity(identity, report);
  if (!side.attached.counts.empty()) {
    report.carried.push_back("other segments, byte for byte: " +
                             describe_segments(side.attached.counts));
  }
  if (written.has_graph) report.carried.emplace_back("a graph, ready to search");
  report.lost.insert(report.lost.end(), written.notes.begin(), written.notes.end());
}

}  // namespace

Result<ConvertReport> convert_to_runtime(const std::string& in, const std::string& out,
                                         const ConvertOptions& options) {
  RVF_ASSIGN(Target target, Target::claim(in, out, options));
  OpenOptions open;
  open.file_system = target.shared_fs();
  open.memory_budget = options.memory_budget;
  RVF_ASSIGN(const Store store, Store::open_readonly(in, open));
  const StoreStatus status = store.status();
  RVF_TRY(check_convertible(status));
  ConvertReport report;
  report.from = status.layout;
  report.to = "runtime";
  report.dimension = status.dimension;
  tell_losses(status, report);

  RVF_ASSIGN(const Snapshot snapshot, store.snapshot());
  RVF_ASSIGN(const std::vector<RowAt> rows, rows_by_id(snapshot));
  layouts::RuntimeContent content;
  content.dimension = status.dimension;
  content.metric = status.metric;
  content.epoch = status.epoch;
  content.identity = Store::Impl::identity_of(store);
  std::vector<uint64_t> ids;  // as the snapshot knows them
  for (const RowAt& row : rows) ids.push_back(row.id);
  for (const uint64_t id : ids) content.ids.push_back(SnapshotAccess::of(snapshot)->outside(id));
  content.row = [&](size_t i, std::span<float> to) {
    return kernels::decode_row(rows[i].values, status.dtype, to);
  };
  RVF_ASSIGN(Side side, collect_side(snapshot, status, ids));
  content.metadata =
      layouts::make_rvfmeta(content.ids, side.columns, side.attached.file_metadata, report.lost);
  content.others = std::move(side.attached.others);
  std::optional<OrderedGraph> graph;
  layouts::RuntimeGraph view;
  if (options.index) {
    RVF_ASSIGN(graph, OrderedGraph::make(snapshot, rows, status.deleted == 0,
                                         options.executor.get(), options.progress));
    if (graph) {
      view = graph->view();
      content.graph = &view;
    }
  }
  layouts::WrittenRuntime written;
  {
    RVF_ASSIGN(const auto file, target.fs().open(target.temporary(), io::OpenMode::kCreateNew));
    RVF_ASSIGN(written, layouts::write_runtime(*file, content));
  }
  report.vectors = rows.size();
  report.bytes = written.bytes;
  tell_carried(side, content.identity, written, report);
  RVF_TRY(target.put_sidecar(side.keys.empty() ? std::string()
                                               : layouts::make_string_ids(content.ids, side.keys)));
  RVF_TRY(target.publish());
  return report;
}

}  // namespace rvf::runtime
