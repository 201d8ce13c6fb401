#include <iterator>

#include "rvf/error.hpp"
#include "rvf/metadata.hpp"
#include "rvf/query.hpp"
#include "rvf/storage.hpp"
#include "rvf/types.hpp"
#include "types/segment.hpp"

namespace rvf {
namespace {

struct ErrorName {
  ErrorCode code;
  const char* name;
};

constexpr ErrorName kErrorNames[] = {
    {ErrorCode::kOk, "ok"},
    {ErrorCode::kPartial, "partial"},
    {ErrorCode::kBadMagic, "bad_magic"},
    {ErrorCode::kBadVersion, "bad_version"},
    {ErrorCode::kBadChecksum, "bad_checksum"},
    {ErrorCode::kBadSignature, "bad_signature"},
    {ErrorCode::kTruncated, "truncated"},
    {ErrorCode::kManifestInvalid, "manifest_invalid"},
    {ErrorCode::kManifestNotFound, "manifest_not_found"},
    {ErrorCode::kUnknownSegmentType, "unknown_segment_type"},
    {ErrorCode::kBadAlignment, "bad_alignment"},
    {ErrorCode::kBadMetadata, "bad_metadata"},
    {ErrorCode::kReplayLimit, "replay_limit"},
    {ErrorCode::kBrokenAncestry, "broken_ancestry"},
    {ErrorCode::kCorrupt, "corrupt"},
    {ErrorCode::kUnsupported, "unsupported"},
    {ErrorCode::kWrongDimension, "wrong_dimension"},
    {ErrorCode::kEmptyIndex, "empty_index"},
    {ErrorCode::kWrongMetric, "wrong_metric"},
    {ErrorCode::kBadFilter, "bad_filter"},
    {ErrorCode::kBadK, "bad_k"},
    {ErrorCode::kTimeout, "timeout"},
    {ErrorCode::kFilterBudget, "filter_budget"},
    {ErrorCode::kNotFinite, "not_finite"},
    {ErrorCode::kDuplicateId, "duplicate_id"},
    {ErrorCode::kBadArgument, "bad_argument"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kOutOfRange, "out_of_range"},
    {ErrorCode::kCancelled, "cancelled"},
    {ErrorCode::kWrongIdKind, "wrong_id_kind"},
    {ErrorCode::kLockHeld, "lock_held"},
    {ErrorCode::kLockStale, "lock_stale"},
    {ErrorCode::kDiskFull, "disk_full"},
    {ErrorCode::kSyncFailed, "sync_failed"},
    {ErrorCode::kTooLarge, "too_large"},
    {ErrorCode::kReadOnly, "read_only"},
    {ErrorCode::kAlreadyExists, "already_exists"},
    {ErrorCode::kWriterPoisoned, "writer_poisoned"},
    {ErrorCode::kConvertNeeded, "convert_needed"},
    {ErrorCode::kPathLost, "path_lost"},
    {ErrorCode::kIo, "io"},
    {ErrorCode::kNoSuchFile, "no_such_file"},
    {ErrorCode::kNotAStore, "not_a_store"},
    {ErrorCode::kPermission, "permission"},
    {ErrorCode::kOutOfMemory, "out_of_memory"},
    {ErrorCode::kBudgetExceeded, "budget_exceeded"},
    {ErrorCode::kTileTrap, "tile_trap"},
    {ErrorCode::kTileMemory, "tile_memory"},
    {ErrorCode::kKeyNotFound, "key_not_found"},
    {ErrorCode::kDecryptFailed, "decrypt_failed"},
    {ErrorCode::kAttestation, "attestation"},
    {ErrorCode::kParentNotFound, "parent_not_found"},
    {ErrorCode::kParentHash, "parent_hash"},
    {ErrorCode::kLineageBroken, "lineage_broken"},
    {ErrorCode::kLineageCyclic, "lineage_cyclic"},
    {ErrorCode::kCowMap, "cow_map"},
    {ErrorCode::kMembership, "membership"},
    {ErrorCode::kFrozen, "frozen"},
    {ErrorCode::kUnsigned, "unsigned"},
    {ErrorCode::kContentHash, "content_hash"},
    {ErrorCode::kUnknownSigner, "unknown_signer"},
    {ErrorCode::kEpochDrift, "epoch_drift"},
    {ErrorCode::kLevel1Signature, "level1_signature"},
    {ErrorCode::kQualityDegraded, "quality_degraded"},
    {ErrorCode::kQualityUnreliable, "quality_unreliable"},
    {ErrorCode::kQualityRefused, "quality_refused"},
};

constexpr const char* kDTypeNames[] = {"f32", "f16",    "bf16", "i8",    "u8",
                                       "i4",  "binary", "pq",   "custom"};
constexpr const char* kMetricNames[] = {"l2", "ip", "cosine", "hamming"};

struct FieldName {
  const char* name;
  FieldType type;
};
// The first name of a type is the one that is printed.
constexpr FieldName kFieldNames[] = {
    {"string", FieldType::kString},   {"bytes", FieldType::kBytes},
    {"i64", FieldType::kI64},         {"u64", FieldType::kU64},
    {"f64", FieldType::kF64},         {"bool", FieldType::kBool},
    {"enum", FieldType::kEnum},       {"timestamp", FieldType::kTimestamp},
    {"list", FieldType::kStringList}, {"string list", FieldType::kStringList},
    {"text", FieldType::kString},     {"int", FieldType::kI64},
    {"float", FieldType::kF64},       {"time", FieldType::kTimestamp},
};

bool same(const char* a, const char* b) noexcept {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

}  // namespace

const char* error_name(ErrorCode code) noexcept {
  for (const ErrorName& e : kErrorNames) {
    if (e.code == code) return e.name;
  }
  return "unknown_error";
}

const char* dtype_name(DType dtype) noexcept {
  const auto i = static_cast<unsigned>(dtype);
  return i < std::size(kDTypeNames) ? kDTypeNames[i] : "?";
}

const char* metric_name(Metric metric) noexcept {
  const auto i = static_cast<unsigned>(metric);
  return i < std::size(kMetricNames) ? kMetricNames[i] : "?";
}

bool parse_dtype(const char* text, DType& out) noexcept {
  for (unsigned i = 0; i <= static_cast<unsigned>(DType::kBinary); ++i) {
    if (same(text, kDTypeNames[i])) {
      out = static_cast<DType>(i);
      return true;
    }
  }
  return false;
}

bool parse_metric(const char* text, Metric& out) noexcept {
  for (unsigned i = 0; i < std::size(kMetricNames); ++i) {
    if (same(text, kMetricNames[i])) {
      out = static_cast<Metric>(i);
      return true;
    }
  }
  return false;
}

const char* field_type_name(FieldType type) noexcept {
  for (const FieldName& f : kFieldNames) {
    if (f.type == type) return f.name;
  }
  return "?";
}

bool parse_field_type(const char* text, FieldType& out) noexcept {
  for (const FieldName& f : kFieldNames) {
    if (same(text, f.name)) {
      out = f.type;
      return true;
    }
  }
  return false;
}

const char* layers_text(uint32_t layers) noexcept {
  static constexpr const char* kTexts[] = {
      "none", "A",      "B",      "A+B",      "C",      "A+C",      "B+C",      "A+B+C",
      "scan", "A+scan", "B+scan", "A+B+scan", "C+scan", "A+C+scan", "B+C+scan", "A+B+C+scan"};
  return kTexts[layers % 16];
}

const char* search_layout_name(SearchLayout layout) noexcept {
  if (layout == SearchLayout::kPartitions) return "partitions";
  return layout == SearchLayout::kStandard ? "standard" : "fused";
}

const char* id_kind_name(IdKind kind) noexcept {
  if (kind == IdKind::kTexts) return "texts";
  return kind == IdKind::kNumbers ? "numbers" : "undecided";
}

const char* storage_name(Storage storage) noexcept {
  if (storage == Storage::kRaBitQ4) return "rabitq4";
  return storage == Storage::kInt8 ? "int8" : "exact";
}

const char* filter_strategy_name(FilterStrategy strategy) noexcept {
  constexpr const char* kNames[] = {"auto", "pre", "in", "post", "codes"};
  const auto i = static_cast<unsigned>(strategy);
  return i < std::size(kNames) ? kNames[i] : "?";
}

const char* segment_type_name(SegmentType type) noexcept {
  switch (type) {
    case SegmentType::kInvalid: return "INVALID";
    case SegmentType::kVec: return "VEC";
    case SegmentType::kIndex: return "INDEX";
    case SegmentType::kOverlay: return "OVERLAY";
    case SegmentType::kJournal: return "JOURNAL";
    case SegmentType::kManifest: return "MANIFEST";
    case SegmentType::kQuant: return "QUANT";
    case SegmentType::kMeta: return "META";
    case SegmentType::kHot: return "HOT";
    case SegmentType::kSketch: return "SKETCH";
    case SegmentType::kWitness: return "WITNESS";
    case SegmentType::kProfile: return "PROFILE";
    case SegmentType::kCrypto: return "CRYPTO";
    case SegmentType::kMetaIdx: return "METAIDX";
    case SegmentType::kKernel: return "KERNEL";
    case SegmentType::kEbpf: return "EBPF";
    case SegmentType::kWasm: return "WASM";
    case SegmentType::kDashboard: return "DASHBOARD";
    case SegmentType::kCowMap: return "COWMAP";
    case SegmentType::kRefCount: return "REFCOUNT";
    case SegmentType::kMembership: return "MEMBERSHIP";
    case SegmentType::kDelta: return "DELTA";
    case SegmentType::kFused: return "FUSED";
    default: return "?";
  }
}

}  // namespace rvf
