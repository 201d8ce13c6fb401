// The export of the published WASM packages up to 0.1.9: hashes of zero, no metric, no deletions,
// and vectors with count and dimension the other way round.
#include <set>

#include "layouts/readers.hpp"
#include "layouts/row_set.hpp"

namespace rvf::layouts {

Result<ForeignStore> decode_wasm_export(ByteSpan file, FoundManifest found, Budget& budget) {
  ForeignStore out;
  out.layout = Layout::kWasm;
  out.generation = "rvf-wasm up to 0.1.9";
  out.notes = std::move(found.notes);
  const RuntimeManifest& m = found.manifest;
  out.dimension = m.dimension;
  out.epoch = m.epoch;
  out.notes.emplace_back("this export does not keep the metric; l2 is used");
  HashNotes hashes;
  RowSet rows(out.dimension);
  std::set<uint64_t> seen;
  uint64_t end_of_last = 0;
  uint64_t stored = 0;
  for (const RuntimeDirEntry& e : m.directory) {
    if (static_cast<SegmentType>(e.type) != SegmentType::kVec || !seen.insert(e.offset).second) {
      continue;
    }
    const auto s = runtime_segment(file, e.offset);
    if (!s || s->header.type != SegmentType::kVec || e.offset < end_of_last) {
      return Error(ErrorCode::kCorrupt,
                   "segment " + std::to_string(e.segment_id) +
                       " holds vectors, but is not where the manifest says",
                   e.segment_id, e.offset);
    }
    end_of_last = e.offset + kSegmentHeaderSize + s->payload.size();
    RVF_TRY(hashes.check(*s));
    wire::ByteReader in(s->payload);
    in.skip(2);  // the count's low 16 bits; the length tells all of it
    const uint32_t dimension = in.u32();
    const uint64_t row = 8 + 4 * uint64_t{dimension};
    if (!in.ok() || dimension != out.dimension || in.remaining() % row != 0) {
      return Error(ErrorCode::kCorrupt,
                   "segment " + std::to_string(e.segment_id) +
                       " is not a whole number of vectors of dimension " +
                       std::to_string(out.dimension),
                   e.segment_id, e.offset);
    }
    const uint64_t count = in.remaining() / row;
    stored += count;
    if (count > UINT16_MAX) {
      out.notes.push_back("the package that wrote this file would read back only " +
                          std::to_string(count & 0xFFFF) + " of its " + std::to_string(count) +
                          " vectors; all are here");
    }
    RVF_TRY(rows.add(in.bytes(count * row), count, budget));
  }
  RVF_TRY(rows.move_into(out, {}, budget));
  if (stored < m.total_vectors) {
    out.notes.push_back("the manifest speaks of " + std::to_string(m.total_vectors) +
                        " vectors, the file holds " + std::to_string(stored));
  }
  hashes.tell(out.notes);
  return out;
}

}  // namespace rvf::layouts
