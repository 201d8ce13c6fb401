// The wire container as the reference crates write it: the native layout's forerunner, with a root
// that is often not the last 4096 bytes of the file and often says dimension 0, and with ids of
// columnar blocks that have no restart offsets.
#include <algorithm>
#include <map>

#include "kernels/convert.hpp"
#include "layouts/readers.hpp"
#include "wire/checksum.hpp"
#include "wire/compress.hpp"

namespace rvf::layouts {
namespace {

constexpr uint16_t kSegmentDir = 1;
constexpr uint16_t kDeletionBitmap = 0x0E;
constexpr size_t kDirEntry = 64;
constexpr size_t kBlockEntry = 12;

struct Block {
  uint32_t offset = 0;
  uint32_t count = 0;
  uint16_t dimension = 0;
  DType dtype = DType::kF32;
};

Error bad_block(uint64_t segment, size_t block, const std::string& what,
                ErrorCode code = ErrorCode::kCorrupt) {
  return {
      code,
      "block " + std::to_string(block) + " of VEC segment " + std::to_string(segment) + " " + what,
      segment};
}

// The ids and, at `in`, what follows them.
bool read_ids(wire::ByteReader& in, uint8_t encoding, uint16_t interval, uint32_t count,
              std::vector<uint64_t>& out) {
  out.clear();
  if (count > in.remaining()) return false;
  out.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    if (encoding == 0) {
      out.push_back(in.u64());
    } else {
      const bool absolute = i == 0 || (interval != 0 && i % interval == 0);
      const uint64_t v = in.varint();
      out.push_back(absolute ? v : out.back() + v);
    }
  }
  return in.ok();
}

class Reader {
 public:
  Reader(ByteSpan file, const FoundManifest& found, Budget& budget)
      : file_(file), found_(found), budget_(budget) {}

  Result<ForeignStore> run() {
    out_.layout = Layout::kWire;
    out_.generation = "rvf-wire";
    out_.notes = found_.notes;
    RVF_TRY(read_manifest());
    for (const uint64_t offset : directory_) RVF_TRY(read_segment(offset));
    RVF_TRY(finish_rows());
    out_.notes.emplace_back("this layout does not keep the metric; l2 is used");
    if (unverified_ > 0) {
      out_.notes.push_back(std::to_string(unverified_) +
                           " segment(s) have no hash; nothing shows whether they are whole");
    }
    if (derived_ > 0) {
      out_.notes.push_back(std::to_string(derived_) +
                           " segment(s) of derived data (INDEX, HOT, SKETCH) are left out");
    }
    return std::move(out_);
  }

 private:
  // Only the directory and the root are of use; the crates fill little else.
  Status read_manifest() {
    const ByteSpan payload = found_.segment.payload;
    size_t root_at = payload.size() - kRootSize;
    while (wire::ByteReader(payload.subspan(root_at)).u32() != kRootMagic) --root_at;
    RVF_ASSIGN(const wire::Root root, wire::decode_root(payload.subspan(root_at, kRootSize)));
    out_.dimension = root.dimension;
    out_.epoch = root.epoch;
    if (root.identity != wire::FileIdentity{}) out_.identity = root.identity;
    bool has_directory = false;
    wire::ByteReader in(payload.first(root_at));
    while (in.remaining() >= 8) {
      const uint16_t tag = in.u16();
      const uint32_t length = in.u32();
      in.skip(2);
      const ByteSpan value = in.bytes(length);
      in.align(8);
      if (!in.ok())
        return Error(ErrorCode::kManifestInvalid, "the manifest's records do not decode");
      if (tag == kSegmentDir) {
        has_directory = true;
        for (size_t at = 0; at + kDirEntry <= value.size(); at += kDirEntry) {
          wire::ByteReader entry(value.subspan(at));
          entry.skip(16);
          directory_.push_back(entry.u64());
        }
      }
      if (tag == kDeletionBitmap) {
        out_.notes.emplace_back(
            "the file lists deletions in a form that nobody has defined; deleted "
            "vectors may be among these");
      }
    }
    if (!has_directory) list_by_walking();
    std::sort(directory_.begin(), directory_.end());
    directory_.erase(std::unique(directory_.begin(), directory_.end()), directory_.end());
    return {};
  }

  void list_by_walking() {
    out_.notes.emplace_back("the manifest has no directory; the segments before it are read");
    for (uint64_t at = 0; at < found_.segment.offset;) {
      const auto s = runtime_segment(file_, at);
      if (s) directory_.push_back(at);
      at = align64(at + (s ? kSegmentHeaderSize + s->payload.size() : 1));
    }
  }

  Status read_segment(uint64_t offset) {
    const auto s = runtime_segment(file_, offset);
    const bool overlaps = offset < end_of_last_;
    if (!s || overlaps) {
      return Error(ErrorCode::kCorrupt,
                   "the manifest names a segment at offset " + std::to_string(offset) +
                       (overlaps ? ", inside of another" : ", where there is none"),
                   0, offset);
    }
    end_of_last_ = offset + kSegmentHeaderSize + s->payload.size();
    switch (s->header.type) {
      case SegmentType::kManifest:
      case SegmentType::kJournal: return {};
      case SegmentType::kIndex:
      case SegmentType::kHot:
      case SegmentType::kSketch: ++derived_; return {};
      default: break;
    }
    const bool has_vectors = s->header.type == SegmentType::kVec;
    const HashState hash = check_hash(s->header, s->payload);
    if (hash == HashState::kUnverified) ++unverified_;
    if (hash == HashState::kWrong) {
      Error e(ErrorCode::kBadChecksum,
              std::string(segment_type_name(s->header.type)) + " segment " +
                  std::to_string(s->header.segment_id) + " fails its hash",
              s->header.segment_id, offset);
      if (has_vectors) return e;
      out_.notes.push_back(e.message + "; it is left out");
      return {};
    }
    ByteSpan payload = s->payload;
    Bytes unpacked;
    if ((s->header.flags & segment_flag::kCompressed) != 0 &&
        s->header.compression != Compression::kNone) {
      RVF_TRY(budget_.take(s->header.uncompressed_length, 1, "unpacked segment"));
      RVF_ASSIGN(unpacked,
                 wire::decompress(s->header.compression, payload, s->header.uncompressed_length,
                                  s->header.uncompressed_length));
      payload = unpacked;
    }
    if (has_vectors) return read_vectors(payload, s->header.segment_id);
    RVF_TRY(budget_.take(payload.size(), 1, "other segments"));
    out_.others.push_back({static_cast<uint8_t>(s->header.type),
                           static_cast<uint16_t>(s->header.flags & ~segment_flag::kCompressed),
                           Bytes(payload.begin(), payload.end())});
    return {};
  }

  Status read_vectors(ByteSpan payload, uint64_t segment) {
    wire::ByteReader in(payload);
    const uint32_t count = in.u32();
    if (!in.ok() || count > in.remaining() / kBlockEntry) {
      return bad_block(segment, 0, "and the directory of blocks are longer than the segment");
    }
    uint64_t end = 4 + uint64_t{count} * kBlockEntry;
    for (uint32_t i = 0; i < count; ++i) {
      Block b;
      b.offset = in.u32();
      b.count = in.u32();
      b.dimension = in.u16();
      b.dtype = static_cast<DType>(in.u8());
      in.skip(1);
      // One after the other, so that no byte stands for many vectors.
      if (b.offset < end || b.offset > payload.size()) {
        return bad_block(segment, i, "overlaps what stands before it");
      }
      RVF_ASSIGN(const uint64_t length, read_block(payload.subspan(b.offset), b, segment, i));
      end = b.offset + length;
    }
    return {};
  }

  Result<uint64_t> read_block(ByteSpan bytes, const Block& b, uint64_t segment, size_t index) {
    const size_t width = b.dtype <= DType::kU8 ? vector_bytes(b.dtype, 1) : 0;
    if (width == 0) {
      return bad_block(segment, index,
                       "has dtype " + std::to_string(static_cast<unsigned>(b.dtype)) +
                           ", which cannot be read as numbers",
                       ErrorCode::kUnsupported);
    }
    wire::ByteReader in(bytes);
    const ByteSpan values = in.bytes(uint64_t{b.count} * b.dimension * width);
    const uint8_t encoding = in.u8();
    const uint16_t interval = in.u16();
    const uint32_t id_count = in.u32();
    if (!in.ok() || id_count != b.count || encoding > 1) {
      return bad_block(segment, index, "does not decode");
    }
    RVF_TRY(budget_.take(b.count, 16 + uint64_t{b.dimension} * 4, "vectors"));
    std::vector<uint64_t> ids;
    wire::ByteReader as_written = in;
    if (!read_ids(as_written, encoding, interval, b.count, ids) ||
        !checksum_holds(bytes, as_written)) {
      // As specified: with restart offsets before the ids.
      as_written = in;
      if (encoding == 1 && interval != 0) {
        as_written.skip((uint64_t{b.count} + interval - 1) / interval * 4);
      }
      if (!read_ids(as_written, encoding, interval, b.count, ids)) {
        return bad_block(segment, index, "has ids that do not decode");
      }
      if (!checksum_holds(bytes, as_written)) {
        return bad_block(segment, index, "fails its CRC32C", ErrorCode::kBadChecksum);
      }
    }
    take_rows(b, values, width, ids);
    return as_written.position() + 4;
  }

  static bool checksum_holds(ByteSpan block, wire::ByteReader at) {
    const ByteSpan covered = block.first(at.position());
    const uint32_t stored = at.u32();
    return at.ok() && stored == wire::crc32c(covered);
  }

  void take_rows(const Block& b, ByteSpan values, size_t width, const std::vector<uint64_t>& ids) {
    if (out_.dimension == 0 && b.count > 0) {
      out_.dimension = b.dimension;
      out_.notes.push_back("the root says dimension 0; " + std::to_string(b.dimension) +
                           " is that of the vectors");
    }
    if (b.dimension != out_.dimension || b.dimension == 0) {
      out_.notes.push_back(std::to_string(b.count) + " vectors of dimension " +
                           std::to_string(b.dimension) + " are left out");
      return;
    }
    if (b.dtype != DType::kF32) widened_ = true;
    const size_t first = rows_.size();
    rows_.resize(first + size_t{b.count} * b.dimension);
    std::vector<float> column(b.count);
    for (size_t d = 0; d < b.dimension; ++d) {
      // A column is what a row of `count` dimensions would be.
      (void)kernels::decode_row(values.data() + d * b.count * width, b.dtype, column);
      for (size_t i = 0; i < b.count; ++i) rows_[first + i * b.dimension + d] = column[i];
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] == kNoId) {
        out_.notes.emplace_back(
            "the vector of id 18446744073709551615 is left out: the id is reserved");
        continue;
      }
      place_[ids[i]] = first / b.dimension + i;
    }
  }

  Status finish_rows() {
    if (widened_) out_.notes.emplace_back("vectors narrower than f32 were widened to f32");
    RVF_TRY(budget_.take(place_.size(), 8 + uint64_t{out_.dimension} * 4, "vectors"));
    out_.ids.reserve(place_.size());
    out_.vectors.reserve(place_.size() * out_.dimension);
    for (const auto& [id, row] : place_) {
      out_.ids.push_back(id);
      const auto from = rows_.begin() + static_cast<ptrdiff_t>(row * out_.dimension);
      out_.vectors.insert(out_.vectors.end(), from, from + out_.dimension);
    }
    return {};
  }

  ByteSpan file_;
  const FoundManifest& found_;
  Budget& budget_;
  std::vector<uint64_t> directory_;  // offsets of segments
  uint64_t end_of_last_ = 0;
  uint64_t unverified_ = 0;
  uint64_t derived_ = 0;
  bool widened_ = false;
  std::vector<float> rows_;
  std::map<uint64_t, size_t> place_;  // row of each id, the last one written
  ForeignStore out_;
};

}  // namespace

Result<ForeignStore> decode_wire(ByteSpan file, const FoundManifest& found, Budget& budget) {
  return Reader(file, found, budget).run();
}

}  // namespace rvf::layouts
