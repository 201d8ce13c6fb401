// Files of the other layouts called RVF, decoded in one go: the runtime container of the published
// packages, the WASM export, and the wire container of the reference crates. docs/format.md, 17.
//
// Pure functions over bytes, thread-safe. Any bytes are survived: sizes are checked before memory
// is taken, and what the decoded store takes is limited by DecodeOptions::memory_budget.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rvf/metadata.hpp"
#include "rvf/result.hpp"
#include "rvf/types.hpp"
#include "types/segment.hpp"
#include "wire/bytes.hpp"
#include "wire/root_codec.hpp"

namespace rvf::layouts {

using wire::Bytes;
using wire::ByteSpan;

enum class Layout : uint8_t { kNative, kRuntime, kWasm, kWire, kUnknown };
const char* layout_name(Layout layout) noexcept;  // "native", "runtime", "wasm", "wire", "unknown"

// By the newest manifest that can be made out, wherever in the file it stands.
Layout detect(ByteSpan file);

// A segment that this library does not read: a kernel, a program, an unknown type.
struct OpaqueSegment {
  uint8_t type = 0;
  uint16_t flags = 0;
  Bytes payload;
  bool is_native = false;  // came out of a native store once, and says there what it is
  friend bool operator==(const OpaqueSegment&, const OpaqueSegment&) = default;
};

struct ForeignStore {
  Layout layout = Layout::kUnknown;
  // Of a runtime container: "G1" to "G3" as far as the bytes tell, for example "G2 or later".
  std::string generation;
  uint32_t dimension = 0;
  Metric metric = Metric::kL2;
  uint32_t epoch = 0;
  std::vector<uint64_t> ids;  // ascending, live
  std::vector<float> vectors;  // row-major, one of `dimension` values an id
  std::vector<std::string> keys;  // string ids: empty, or one an id
  std::vector<Column> columns;  // values[i] belongs to ids[i]; null where there is none
  std::vector<Field> fields;  // more about the columns than they say: what is indexed
  Record file_metadata;
  std::optional<wire::FileIdentity> identity;
  std::vector<OpaqueSegment> others;
  // What convert kept of a native store that a runtime container has no place for.
  DType dtype = DType::kF32;
  std::string application;
  uint64_t deleted = 0;  // ids that the file lists as deleted
  std::vector<std::string> notes;  // what was damaged, left out or cannot be represented
};

// Bytes of the file that a branch names as its parent; the path is as the child has it.
using ReadParent = std::function<Result<Bytes>(const std::string& path)>;

struct DecodeOptions {
  // Bytes of vectors, ids and metadata; 0: 32 times the file and 256 MiB, which no file that means
  // well comes near.
  uint64_t memory_budget = 0;
  ReadParent parent = nullptr;
  ByteSpan string_ids = {};  // content of "<file>.idmap.json"; empty: none
};

// Errors: kManifestNotFound (no layout of RVF is recognised), kManifestInvalid, kBadChecksum,
// kTruncated, kCorrupt, kUnsupported, kBudgetExceeded, kParentNotFound, kParentHash,
// kLineageCyclic, kCowMap, kMembership.
Result<ForeignStore> decode(ByteSpan file, const DecodeOptions& options = {});

}  // namespace rvf::layouts
