#include "layouts/runtime_find.hpp"

#include <optional>

namespace rvf::layouts {
namespace {

// Candidates are hashed and decoded only while the total stays within this multiple of the file, so
// a file made of nothing but plausible headers cannot make the scan quadratic.
constexpr uint64_t kWorkFactor = 4;
constexpr uint64_t kWorkFloor = 1U << 20;

// The root that ends a native manifest, and those of the reference crates, which pad after it.
ByteSpan find_root(ByteSpan payload) noexcept {
  for (size_t pad = 0; pad < kSegmentAlignment && payload.size() >= kRootSize + pad; ++pad) {
    const ByteSpan root = payload.subspan(payload.size() - kRootSize - pad, kRootSize);
    if (wire::ByteReader(root).u32() == kRootMagic) return root;
  }
  return {};
}

// Whether the VEC segments that it lists are there: an image of some other file's manifest, inside
// of data, names places that mean nothing here.
bool names_real_segments(ByteSpan file, const RuntimeManifest& m) {
  for (const RuntimeDirEntry& e : m.directory) {
    if (static_cast<SegmentType>(e.type) != SegmentType::kVec) continue;
    const auto s = runtime_segment(file, e.offset);
    if (!s || s->header.type != SegmentType::kVec) return false;
  }
  return true;
}

class Search {
 public:
  explicit Search(ByteSpan file) : file_(file), work_(file.size() * kWorkFactor + kWorkFloor) {}

  Result<FoundManifest> run() {
    const bool found = for_each_manifest_backwards(
        file_, [&](const RuntimeSegment& s) { return consider(s) || exhausted_; });
    if (exhausted_) {
      return Error(ErrorCode::kManifestNotFound,
                   "too many things that look like manifests; the file is hostile or lost");
    }
    if (!found && !doubtful_) {
      return Error(ErrorCode::kManifestNotFound,
                   "no manifest of any RVF layout was found in the file");
    }
    if (!found) {
      accepted_ = std::move(doubtful_);
      accepted_->notes.push_back(
          "the manifest at offset " + std::to_string(accepted_->segment.offset) +
          " fails its hash and there is no other; what it says may be wrong");
    } else if (doubtful_) {
      accepted_->notes.push_back(
          "a newer manifest, epoch " + std::to_string(doubtful_->manifest.epoch) + " at offset " +
          std::to_string(doubtful_->segment.offset) + ", fails its hash; epoch " +
          std::to_string(accepted_->manifest.epoch) + " is used");
    }
    return *std::move(accepted_);
  }

 private:
  bool consider(const RuntimeSegment& s) {
    const ByteSpan root = find_root(s.payload);
    if (!root.empty()) return spend(s.payload.size()) && accept_root(s, root);
    const bool runtime = is_plausible_manifest(s.payload);
    if (!runtime && !is_wasm_manifest(s.payload)) return false;
    if (!spend(s.payload.size())) return true;
    FoundManifest f;
    f.segment = s;
    auto decoded = runtime ? decode_runtime_manifest(s.payload) : decode_wasm_manifest(s.payload);
    if (!decoded) return false;
    f.layout = runtime ? Layout::kRuntime : Layout::kWasm;
    f.manifest = std::move(*decoded);
    const HashState hash = check_hash(s.header, s.payload);
    const bool vouched_for = hash == HashState::kOwn || hash == HashState::kOther;
    if (!vouched_for && !names_real_segments(file_, f.manifest)) return false;
    if (hash == HashState::kWrong) {
      if (!doubtful_) doubtful_ = std::move(f);
      return false;
    }
    accepted_ = std::move(f);
    return true;
  }

  // Without checksums that hold it may be anything; what lies inside of data is no reason to stop.
  bool accept_root(const RuntimeSegment& s, ByteSpan bytes) {
    const auto root = wire::decode_root(bytes);
    if (!root || check_hash(s.header, s.payload) != HashState::kOther) return false;
    accepted_.emplace();
    accepted_->layout = root->extension ? Layout::kNative : Layout::kWire;
    accepted_->segment = s;
    return true;
  }

  // What only looks like a manifest costs a few bytes; what is read whole costs its length.
  bool spend(uint64_t bytes) {
    exhausted_ = bytes > work_;
    work_ -= exhausted_ ? work_ : bytes;
    return !exhausted_;
  }

  ByteSpan file_;
  uint64_t work_;
  bool exhausted_ = false;
  std::optional<FoundManifest> accepted_, doubtful_;
};

}  // namespace

Result<FoundManifest> find_foreign_manifest(ByteSpan file) { return Search(file).run(); }

}  // namespace rvf::layouts
