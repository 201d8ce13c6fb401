// Reads passages back from the META segments of a snapshot. Keeps the segments it decoded last.
// Not thread-safe.
#pragma once
#include <list>
#include <string>

#include "rvf/store.hpp"
#include "text_store/catalog.hpp"
#include "wire/meta_codec.hpp"

namespace rvf::text_store {

struct StoredPassage {
  std::string path;
  std::string heading;
  std::string text;
  uint32_t first_line = 0, last_line = 0;  // from 1
};

// The META segment of passages that follow one another from `first_id`.
wire::Bytes encode_passages(uint64_t first_id, const std::vector<StoredPassage>& passages);

class PassageReader {
 public:
  // kBadMetadata if the snapshot's META segments are not those of the catalog.
  static Result<PassageReader> open(const Snapshot& snapshot, const Catalog& catalog);
  Result<StoredPassage> read(uint64_t id);

 private:
  struct Range {
    PassageRange ids;
    uint64_t segment_id = 0;
  };
  struct Decoded {
    uint64_t segment_id = 0;
    wire::MetaSegment meta;
  };
  explicit PassageReader(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}
  Result<const wire::MetaSegment*> segment(uint64_t segment_id);

  Snapshot snapshot_;
  std::vector<Range> ranges_;  // ascending by first_id
  std::list<Decoded> decoded_;  // most recently used first
};

}  // namespace rvf::text_store
