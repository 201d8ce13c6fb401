#include <algorithm>
#include <map>
#include <set>

#include "layouts/branch.hpp"
#include "layouts/carried.hpp"
#include "layouts/native_columns.hpp"
#include "layouts/readers.hpp"
#include "layouts/row_set.hpp"
#include "layouts/rvfmeta.hpp"

namespace rvf::layouts {
namespace {

constexpr size_t kLineageWindow = 65536;  // the parent's hash is over this much of its end

Error at_segment(ErrorCode code, const RuntimeDirEntry& e, const std::string& what) {
  return {code,
          "segment " + std::to_string(e.segment_id) + " at offset " + std::to_string(e.offset) +
              " " + what,
          e.segment_id, e.offset};
}

class Reader {
 public:
  Reader(ByteSpan file, FoundManifest found, const DecodeOptions& options, Budget& budget,
         int ancestors)
      : file_(file),
        options_(options),
        budget_(budget),
        ancestors_(ancestors),
        manifest_(std::move(found.manifest)),
        manifest_segment_(found.segment) {
    out_.notes = std::move(found.notes);
  }

  Result<ForeignStore> run() {
    out_.layout = Layout::kRuntime;
    out_.dimension = manifest_.dimension;
    out_.epoch = manifest_.epoch;
    out_.identity = manifest_.identity;
    out_.deleted = manifest_.deleted.size();
    read_metric();
    RVF_TRY(find_segments());
    choose_dimension();
    RVF_TRY(read_vectors());
    RVF_TRY(read_branch());
    RVF_TRY(read_metadata());
    RVF_TRY(read_others());
    take_back_what_convert_kept();
    restore_native_columns(out_);
    hashes_.tell(out_.notes);
    out_.generation = generation();
    return std::move(out_);
  }

 private:
  struct Listed {
    RuntimeDirEntry entry;
    RuntimeSegment segment;
  };

  void read_metric() {
    if (manifest_.metric <= static_cast<uint8_t>(Metric::kCosine)) {
      out_.metric = static_cast<Metric>(manifest_.metric);
    } else {
      out_.notes.push_back("metric " + std::to_string(manifest_.metric) +
                           " is unknown; l2 is used, as the published packages do");
    }
  }

  // Those of the directory that lie where it says, in its order, each once.
  Status find_segments() {
    std::set<uint64_t> seen;
    for (const RuntimeDirEntry& e : manifest_.directory) {
      const auto type = static_cast<SegmentType>(e.type);
      if (type == SegmentType::kManifest || !seen.insert(e.offset).second) continue;
      const auto s = runtime_segment(file_, e.offset);
      if (s && s->header.type == type && s->header.payload_length == e.payload_length) {
        listed_.push_back({e, *s});
        continue;
      }
      if (type == SegmentType::kVec) {
        return at_segment(ErrorCode::kCorrupt, e, "holds vectors, but is not there any more");
      }
      out_.notes.push_back(at_segment(ErrorCode::kCorrupt, e, "").message + "(" +
                           segment_type_name(type) + ") is not there any more; it is left out");
    }
    return check_overlap();
  }

  // Segments that share bytes could stand for any multiple of the file's size.
  Status check_overlap() const {
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const Listed& l : listed_) {
      ranges.emplace_back(l.segment.offset,
                          l.segment.offset + kSegmentHeaderSize + l.segment.payload.size());
    }
    std::sort(ranges.begin(), ranges.end());
    for (size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[i].first < ranges[i - 1].second) {
        return Error(
            ErrorCode::kManifestInvalid,
            "the manifest lists segments that overlap at offset " + std::to_string(ranges[i].first),
            0, ranges[i].first);
      }
    }
    return {};
  }

  bool is(const Listed& l, SegmentType type) const { return l.segment.header.type == type; }

  void choose_dimension() {
    if (out_.dimension != 0) return;
    for (const Listed& l : listed_) {
      wire::ByteReader in(l.segment.payload);
      const uint16_t dimension = in.u16();
      if (!is(l, SegmentType::kVec) || dimension == 0) continue;
      out_.dimension = dimension;
      out_.notes.push_back("the manifest says dimension 0; " + std::to_string(dimension) +
                           " is that of the vectors");
      return;
    }
  }

  Status read_vectors() {
    RowSet rows(out_.dimension);
    for (const Listed& l : listed_) {
      if (!is(l, SegmentType::kVec)) continue;
      RVF_TRY(hashes_.check(l.segment));
      wire::ByteReader in(l.segment.payload);
      const uint16_t dimension = in.u16();
      const uint32_t count = in.u32();
      const uint64_t bytes = uint64_t{count} * (8 + 4 * uint64_t{dimension});
      if (!in.ok() || bytes > in.remaining()) {
        return at_segment(ErrorCode::kTruncated, l.entry, "is shorter than its vectors");
      }
      if (dimension != out_.dimension || dimension == 0) {
        out_.notes.push_back(at_segment(ErrorCode::kWrongDimension, l.entry, "").message + "has " +
                             std::to_string(count) + " vectors of dimension " +
                             std::to_string(dimension) + "; they are left out");
        continue;
      }
      if (bytes != in.remaining()) {
        out_.notes.push_back(at_segment(ErrorCode::kCorrupt, l.entry, "").message +
                             "has bytes after its vectors; they are ignored");
      }
      if (l.segment.payload.size() > kMaxRuntimePayload) {
        out_.notes.push_back(
            at_segment(ErrorCode::kTooLarge, l.entry, "").message +
            "is larger than 256 MiB: the published packages cannot open this file");
      }
      RVF_TRY(rows.add(in.bytes(bytes), count, budget_));
    }
    return rows.move_into(out_, manifest_.deleted, budget_);
  }

  Status read_metadata() {
    std::vector<RvfMeta> metas;
    bool broken = false;
    for (const Listed& l : listed_) {
      if (!is(l, SegmentType::kMeta)) continue;
      if (!is_rvfmeta(l.segment.payload)) {
        out_.notes.push_back(at_segment(ErrorCode::kBadMetadata, l.entry, "").message +
                             "has metadata in a form of its own; it is carried along unread");
        continue;
      }
      has_rvfmeta_ = true;
      if (broken) continue;
      Status whole = hashes_.check(l.segment);
      if (whole) {
        auto meta = decode_rvfmeta(l.segment.payload, budget_);
        if (meta) {
          metas.push_back(std::move(*meta));
          continue;
        }
        whole = std::move(meta).error();
      }
      if (whole.error().code == ErrorCode::kBudgetExceeded) return whole;
      broken = true;
      out_.notes.push_back(at_segment(ErrorCode::kBadMetadata, l.entry, "").message +
                           "is damaged (" + whole.error().message +
                           "); metadata from there on is lost");
    }
    const MetaState state = replay(metas, out_.notes);
    for (const auto& [key, value] : state.file) out_.file_metadata.emplace_back(key, value);
    std::vector<Column> inherited = std::move(out_.columns);
    RVF_ASSIGN(out_.columns, columns_of(state, out_.ids, budget_, out_.notes));
    for (Column& c : inherited) inherit(std::move(c));
    return {};
  }

  // What a branch says of an id goes before what its parent said.
  void inherit(Column&& from) {
    for (Column& c : out_.columns) {
      if (c.name != from.name) continue;
      if (c.type != from.type) {
        out_.notes.push_back("field " + c.name +
                             " has another type in the parent; the parent's values are left out");
        return;
      }
      for (size_t i = 0; i < c.values.size(); ++i) {
        if (c.values[i].index() == 0) c.values[i] = std::move(from.values[i]);
      }
      return;
    }
    out_.columns.push_back(std::move(from));
  }

  Status read_branch() {
    const Listed* map = nullptr;
    const Listed* members = nullptr;
    for (const Listed& l : listed_) {
      if (is(l, SegmentType::kCowMap)) map = &l;
      if (is(l, SegmentType::kMembership)) members = &l;
    }
    if (map == nullptr) return {};
    is_branch_ = true;
    RVF_TRY(hashes_.check(map->segment));
    RVF_ASSIGN(const CowMap cow, decode_cow_map(map->segment.payload));
    std::optional<Membership> membership;
    if (members != nullptr) {
      RVF_TRY(hashes_.check(members->segment));
      RVF_ASSIGN(membership, Membership::decode(members->segment.payload));
    } else {
      out_.notes.emplace_back("the branch does not say which ids of its parent it has; it has all");
    }
    RVF_ASSIGN(const ForeignStore parent, read_parent(cow));
    RVF_TRY(add_parent_rows(parent, membership ? &*membership : nullptr, manifest_.deleted, budget_,
                            out_));
    out_.notes.push_back("a branch of " + cow.parent +
                         ": the vectors that it shares with it are in");
    return {};
  }

  Result<ForeignStore> read_parent(const CowMap& cow) {
    if (ancestors_ >= kMaxAncestors) {
      return Error(ErrorCode::kLineageCyclic, "the branch has more than " +
                                                  std::to_string(kMaxAncestors) +
                                                  " ancestors, or is its own");
    }
    if (!options_.parent) {
      return Error(ErrorCode::kParentNotFound,
                   "the file is a branch of " + cow.parent + ", which cannot be reached from here");
    }
    RVF_ASSIGN(const Bytes bytes, options_.parent(cow.parent));
    const ByteSpan file(bytes);
    if (fold_hash(file.last(std::min(file.size(), kLineageWindow))) != cow.base_hash) {
      return Error(ErrorCode::kParentHash,
                   cow.parent + " was changed after this branch was made from it");
    }
    RVF_ASSIGN(FoundManifest found, find_foreign_manifest(file));
    if (found.layout != Layout::kRuntime) {
      return Error(ErrorCode::kParentHash, cow.parent + " is not a runtime container");
    }
    const auto& id = found.manifest.identity;
    if (!id || id->file_id != cow.base_id) {
      return Error(ErrorCode::kParentHash,
                   cow.parent + " is another file than the branch's parent");
    }
    Budget own(options_.memory_budget, file.size());
    RVF_ASSIGN(ForeignStore parent,
               decode_runtime(file, std::move(found), options_, own, ancestors_ + 1));
    if (parent.dimension != out_.dimension) {
      return Error(ErrorCode::kWrongDimension, cow.parent + " has another dimension");
    }
    return parent;
  }

  static bool is_read(const RuntimeSegment& s) {
    switch (s.header.type) {
      case SegmentType::kInvalid:
      case SegmentType::kVec:
      case SegmentType::kManifest:
      case SegmentType::kJournal:
      case SegmentType::kIndex:
      case SegmentType::kCowMap:
      case SegmentType::kMembership: return true;
      case SegmentType::kMeta: return is_rvfmeta(s.payload);
      default: return false;
    }
  }

  // What the directory lists, and what lies between: compaction and audited queries of the
  // published writers append segments that no manifest lists.
  Status read_others() {
    std::map<uint64_t, RuntimeSegment> all;
    for (const Listed& l : listed_) all.emplace(l.segment.offset, l.segment);
    all.emplace(manifest_segment_.offset, manifest_segment_);
    for (const RuntimeDirEntry& e : manifest_.directory) {
      if (static_cast<SegmentType>(e.type) != SegmentType::kManifest) continue;
      if (const auto s = runtime_segment(file_, e.offset)) all.emplace(e.offset, *s);
    }
    uint64_t at = 0;
    while (at < file_.size()) {
      const auto next = all.lower_bound(at);
      const uint64_t end = next == all.end() ? file_.size() : next->first;
      RVF_TRY(take_unlisted(at, end));
      if (next == all.end()) break;
      RVF_TRY(take(next->second, true));
      at = std::max(at, next->first + kSegmentHeaderSize + next->second.payload.size());
    }
    return {};
  }

  Status take_unlisted(uint64_t begin, uint64_t end) {
    const ByteSpan gap = file_.subspan(begin, end - begin);
    for (uint64_t at = 0; at + kSegmentHeaderSize <= gap.size();) {
      const auto s = runtime_segment(gap, at);
      if (!s) {
        ++at;
        continue;
      }
      // Uncommitted vectors stay uncommitted.
      if (check_hash(s->header, s->payload) != HashState::kWrong) RVF_TRY(take(*s, false));
      at += kSegmentHeaderSize + s->payload.size();
    }
    return {};
  }

  Status take(const RuntimeSegment& s, bool listed) {
    if (is_read(s)) return {};
    const Status whole = hashes_.check(s);
    if (!whole) {
      if (listed) out_.notes.push_back(whole.error().message + "; it is left out");
      return {};
    }
    RVF_TRY(budget_.take(s.payload.size(), 1, "other segments"));
    out_.others.push_back({static_cast<uint8_t>(s.header.type), s.header.flags,
                           Bytes(s.payload.begin(), s.payload.end())});
    return {};
  }

  void take_back_what_convert_kept() {
    std::vector<OpaqueSegment> others;
    for (OpaqueSegment& s : out_.others) {
      if (s.type == kCarriedType && is_carried(s.payload)) {
        auto carried = decode_carried(s.payload);
        if (carried) {
          for (OpaqueSegment& c : carried->segments) {
            c.is_native = carried->from == Layout::kNative;
            others.push_back(std::move(c));
          }
          continue;
        }
      }
      if (s.type == kCarriedType && is_native_hints(s.payload)) {
        if (auto hints = decode_native_hints(s.payload)) {
          out_.dtype = hints->dtype;
          out_.application = std::move(hints->application);
          out_.fields = std::move(hints->fields);
          continue;
        }
      }
      others.push_back(std::move(s));
    }
    out_.others = std::move(others);
  }

  std::string generation() const {
    if (has_rvfmeta_) return "G3";
    const bool index = std::any_of(listed_.begin(), listed_.end(),
                                   [&](const Listed& l) { return is(l, SegmentType::kIndex); });
    return index || is_branch_ || manifest_.metric != 0 ? "G2 or later" : "G1 or later";
  }

  ByteSpan file_;
  const DecodeOptions& options_;
  Budget& budget_;
  int ancestors_;
  RuntimeManifest manifest_;
  RuntimeSegment manifest_segment_;
  std::vector<Listed> listed_;
  HashNotes hashes_;
  bool has_rvfmeta_ = false;
  bool is_branch_ = false;
  ForeignStore out_;
};

}  // namespace

Result<ForeignStore> decode_runtime(ByteSpan file, FoundManifest found,
                                    const DecodeOptions& options, Budget& budget, int ancestors) {
  return Reader(file, std::move(found), options, budget, ancestors).run();
}

}  // namespace rvf::layouts
