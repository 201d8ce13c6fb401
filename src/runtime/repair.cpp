#include "rvf/repair.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/no_throw.hpp"
#include "runtime/open_foreign.hpp"
#include "runtime/path_guard.hpp"
#include "runtime/repair_rows.hpp"
#include "runtime/repair_scan.hpp"
#include "runtime/store_impl.hpp"
#include "wire/checksum.hpp"
#include "wire/compress.hpp"
#include "wire/journal_codec.hpp"

namespace rvf {

const char* repair_outcome_name(RepairOutcome outcome) noexcept {
  switch (outcome) {
    case RepairOutcome::kWhole: return "whole";
    case RepairOutcome::kPartial: return "partial";
    case RepairOutcome::kNothing: return "nothing";
  }
  return "nothing";
}

namespace runtime {
namespace {

constexpr uint64_t kMaxUnpacked = 1ULL << 30;

wire::DirEntry entry_of(const WholeSegment& s) {
  wire::DirEntry e;
  e.segment_id = s.header.segment_id;
  e.type = s.header.type;
  e.flags = s.header.flags;
  e.offset = s.offset;
  e.payload_length = s.payload.size();
  e.compression = static_cast<uint16_t>(s.header.compression);
  e.uncompressed_length = s.header.uncompressed_length;
  e.hash = s.header.content_hash;
  return e;
}

class Repair {
 public:
  Repair(RepairScan scan, RepairReport& report) : scan_(std::move(scan)), report_(report) {}

  // Everything that can be had, in memory or where it is mapped.
  Status gather() {
    if (scan_.log()) {
      report_.has_directory = true;
      report_.epoch = scan_.log()->epoch();
      RVF_TRY(take_directory(*scan_.log()));
    } else {
      report_.notes.emplace_back(
          "no directory reads: all segments were taken, and what the store no longer held may be "
          "back");
    }
    RVF_TRY(take_later_segments());
    tell_damage();
    return rows_.finish(report_);
  }

  bool empty() const { return rows_.empty() && attachments_.empty(); }

 private:
  void lose(const wire::DirEntry& e, const std::string& reason) {
    report_.lost.push_back(
        {e.segment_id, static_cast<uint8_t>(e.type), e.offset, e.payload_length, 0, 0, 0, reason});
  }

  Status take_directory(const manifest::ManifestLog& log) {
    const manifest::Head& head = log.head();
    rows_.set_shape(head.profile.dtype, log.root().dimension, head.profile.metric);
    rows_.set_schema(head.schema);
    const ChecksumAlgo usual = head.profile.checksum;
    for (const auto& [id, e] : log.directory()) {
      if (e.type != SegmentType::kQuant || e.tier == 0) continue;
      if (const auto payload = scan_.payload(e, usual)) {
        rows_.add_quantizer(id, e.tier, *payload);
      } else {
        lose(e, "a decoder of tiers fails its hash");
      }
    }
    const std::vector<uint64_t> dead = log.dead_rows();
    for (const wire::RowMapEntry& r : log.row_map()) {
      const wire::DirEntry& e = log.directory().at(r.segment_id);
      const auto payload = scan_.payload(e, usual);
      rows_.add_vectors(e, r, payload.value_or(scan_.bytes_of(e)), payload.has_value(), dead,
                        report_);
    }
    const SegmentOwner owner(head, log.root());
    for (const auto& [id, e] : log.directory()) {
      const bool meta = is_own_metadata(e) && e.type == SegmentType::kMeta;
      if (!meta && !owner.is_attachment(e)) continue;
      const auto payload = scan_.payload(e, usual);
      if (!payload) {
        lose(e, meta ? "its values fail their hash; they are null now" : "it fails its hash");
      } else if (meta) {
        if (const Status s = rows_.add_metadata(id, *payload); !s) lose(e, s.error().message);
      } else {
        RVF_TRY(take_attachment(e, *payload));
      }
    }
    return {};
  }

  // What no directory names because it was written behind it.
  Status take_later_segments() {
    const uint64_t first =
        scan_.log() ? scan_.log()->root().extension->next_segment_id : uint64_t{0};
    std::vector<const WholeSegment*> later;
    std::set<uint64_t> seen;
    for (const WholeSegment& s : scan_.whole()) {
      if (s.header.segment_id >= first && s.offset >= scan_.log_end() &&
          s.header.type != SegmentType::kManifest && seen.insert(s.header.segment_id).second) {
        later.push_back(&s);
      }
    }
    std::sort(later.begin(), later.end(), [](const auto* a, const auto* b) {
      return a->header.segment_id < b->header.segment_id;
    });
    if (!scan_.log()) {
      for (const WholeSegment* s : later) {
        if (s->header.type == SegmentType::kQuant) {
          rows_.add_quantizer(s->header.segment_id, 1, s->payload);
        }
      }
      if (scan_.root()) rows_.set_metric(scan_.root()->extension->metric);
    }
    for (const WholeSegment* s : later) {
      const wire::DirEntry e = entry_of(*s);
      bool taken = true;
      if (e.type == SegmentType::kVec) {
        taken = rows_.add_later_vectors(e, s->payload, report_);
      } else if (e.type == SegmentType::kJournal) {
        if (const auto journal = wire::decode_journal(s->payload)) rows_.apply(*journal);
      } else if (is_own_metadata(e) && e.type == SegmentType::kMeta) {
        if (const Status added = rows_.add_metadata(e.segment_id, s->payload); !added) {
          lose(e, added.error().message);
          taken = false;
        }
      } else if (SegmentOwner().is_attachment(e)) {
        RVF_TRY(take_attachment(e, s->payload));
      } else {
        taken = false;
      }
      report_.segments_after_directory += taken;
    }
    if (report_.segments_after_directory > 0 && scan_.log()) {
      report_.notes.push_back(std::to_string(report_.segments_after_directory) +
                              " segments behind the newest directory that reads were taken; what "
                              "was never committed may be among them");
    }
    return {};
  }

  // Headers without their content that no directory told of.
  void tell_damage() {
    std::set<uint64_t> told;
    for (const LostSegment& l : report_.lost) told.insert(l.segment_id);
    for (const auto& [header, offset] : scan_.damaged()) {
      const bool later = offset >= scan_.log_end();
      const bool manifest = header.type == SegmentType::kManifest;
      if ((!later && scan_.log()) || !told.insert(header.segment_id).second) continue;
      report_.lost.push_back({header.segment_id, static_cast<uint8_t>(header.type), offset,
                              header.payload_length, 0, 0, 0,
                              manifest ? "a directory that does not read" : "it fails its hash"});
    }
  }

  Status take_attachment(const wire::DirEntry& e, wire::ByteSpan payload) {
    Attachment a;
    a.type = static_cast<uint8_t>(e.type);
    a.flags = static_cast<uint16_t>(e.flags & ~segment_flag::kCompressed);
    const auto compression = static_cast<Compression>(e.compression);
    if (compression == Compression::kNone) {
      a.payload.assign(payload.begin(), payload.end());
    } else {
      auto unpacked = wire::decompress(compression, payload, e.uncompressed_length, kMaxUnpacked);
      if (!unpacked) {
        lose(e, unpacked.error().message);
        return {};
      }
      a.payload = std::move(*unpacked);
      a.compress = true;
    }
    attachments_.push_back(std::move(a));
    return {};
  }

  RepairScan scan_;
  RepairReport& report_;
  RepairRows rows_;
  std::vector<Attachment> attachments_;

 public:
  const RepairScan& scan() const { return scan_; }
  const RepairRows& rows() const { return rows_; }
  std::span<const Attachment> attachments() const { return attachments_; }
  CreateOptions shape() const {
    CreateOptions c = rows_.shape();
    if (c.dimension == 0) c.dimension = scan_.root() ? scan_.root()->dimension : 1;
    if (!scan_.log()) return c;
    const wire::ProfileConfig& p = scan_.log()->head().profile;
    c.graph_m = p.graph_degree;
    c.ef_construction = p.ef_construction;
    c.search_layout = p.search_layout;
    c.seed = p.seed;
    c.application = p.schema;
    c.storage = scan_.log()->head().storage;
    return c;
  }
};

}  // namespace
}  // namespace runtime

Result<RepairReport> Store::Impl::repair(const std::string& from, const std::string& to,
                                         const RepairOptions& options) {
  auto fs =
      options.file_system ? options.file_system : io::posix_file_system(options.survive_lost_pages);
  RVF_ASSIGN(const std::string source, fs->resolve(from));
  RVF_ASSIGN(const std::string target, fs->resolve(to));
  RVF_ASSIGN(const bool taken, fs->exists(target));
  if (taken) {
    return Error(ErrorCode::kAlreadyExists, to + " exists already; a repair writes a new file");
  }
  RVF_ASSIGN(auto opened, fs->open(source, io::OpenMode::kRead));
  const std::shared_ptr<io::File> file = std::move(opened);
  RVF_ASSIGN(const layouts::Layout foreign, runtime::foreign_layout(*file));
  // A ruin of a native store may look like another layout, but nothing reads out of it.
  if (foreign != layouts::Layout::kUnknown) {
    OpenOptions open;
    open.file_system = fs;
    const auto other = open_foreign(*fs, source, open);
    if (other && other->status().vectors > 0) {
      return Error(ErrorCode::kNotAStore,
                   from + " is in another RVF layout; `rvf convert` reads it");
    }
  }
  RepairReport report;
  RVF_ASSIGN(report.bytes_read, file->size());
  const auto advance = [&](uint64_t done) {
    return options.progress == nullptr || (*options.progress)(done, report.bytes_read);
  };
  RVF_ASSIGN(auto scan, runtime::RepairScan::of(file, advance));
  if (!scan.has_magic()) {
    return Error(ErrorCode::kNotAStore, from + " holds no RVF segment");
  }
  runtime::Repair repair(std::move(scan), report);
  RVF_TRY(repair.gather());
  report.attachments = repair.attachments().size();
  if (repair.empty() && !report.lost.empty()) return report;
  if (repair.empty() && !report.has_directory) return report;

  RVF_ASSIGN(const std::string unfinished, runtime::free_name(*fs, target + ".repairing"));
  runtime::Unless finished(
      [&] { (void)runtime::no_throw([&] { return fs->remove(unfinished); }); });
  OpenOptions open;
  open.file_system = fs;
  open.executor = options.executor;
  open.durability = Durability::kNone;
  open.index_policy = IndexPolicy::kManual;
  {
    RVF_ASSIGN(Store store, Store::create(unfinished, repair.shape(), open));
    store.impl_->keeps_both_ids = true;
    // What was private stays so.
    RVF_TRY(fs->copy_attributes(source, unfinished));
    const auto go_on = [&] { return advance(report.bytes_read); };
    RVF_TRY(repair.rows().write(store, repair.attachments(), go_on));
    // Zeros that stand for pages which went missing meanwhile must not stay.
    RVF_TRY(repair.scan().intact());
    RVF_TRY(store.commit());
    const Progress index_progress = [&](uint64_t, uint64_t) { return go_on(); };
    if (options.index) RVF_TRY(store.build_index(&index_progress));
    RVF_TRY(store.commit());
    report.vectors = store.status().vectors;
    RVF_TRY(store.close());
  }
  RVF_TRY(fs->rename_new(unfinished, target));
  finished.keep();
  RVF_TRY(fs->sync_parent(target));
  const bool whole = report.lost.empty() && report.notes.empty() && report.has_directory;
  report.outcome = whole ? RepairOutcome::kWhole : RepairOutcome::kPartial;
  return report;
}

Result<RepairReport> repair(const std::string& from, const std::string& to,
                            const RepairOptions& options) {
  return runtime::no_throw([&] { return Store::Impl::repair(from, to, options); });
}

}  // namespace rvf
