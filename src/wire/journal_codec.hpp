// JOURNAL_SEG: deletions and metadata changes of one epoch, in the order they happened.
// docs/format.md has the byte table. Pure functions, thread-safe.
#pragma once
#include <variant>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

struct JournalDelete {
  uint64_t id = 0;
  friend bool operator==(const JournalDelete&, const JournalDelete&) = default;
};
struct JournalDeleteRange {  // first <= id < end
  uint64_t first = 0;
  uint64_t end = 0;
  friend bool operator==(const JournalDeleteRange&, const JournalDeleteRange&) = default;
};
struct JournalDeleteList {
  std::vector<uint64_t> ids;  // ascending
  friend bool operator==(const JournalDeleteList&, const JournalDeleteList&) = default;
};
// The value is one encoded MetaValue (wire/meta_value.hpp); this codec carries its bytes untouched.
struct JournalUpdateMetadata {
  uint64_t id = 0;
  uint16_t field = 0;
  Bytes value;
  friend bool operator==(const JournalUpdateMetadata&, const JournalUpdateMetadata&) = default;
};
struct JournalMove {
  uint64_t id = 0;
  uint64_t from_segment = 0;
  uint64_t to_segment = 0;
  friend bool operator==(const JournalMove&, const JournalMove&) = default;
};
struct JournalRemapId {
  uint64_t old_id = 0;
  uint64_t new_id = 0;
  friend bool operator==(const JournalRemapId&, const JournalRemapId&) = default;
};
struct JournalUnknown {  // a type that this library does not know, kept as it was
  uint8_t type = 0;
  Bytes body;
  friend bool operator==(const JournalUnknown&, const JournalUnknown&) = default;
};

using JournalEntry = std::variant<JournalDelete, JournalDeleteRange, JournalUpdateMetadata,
                                  JournalMove, JournalRemapId, JournalDeleteList, JournalUnknown>;

struct Journal {
  uint32_t epoch = 0;
  uint64_t previous_segment_id = 0;  // of the journal before this one, 0: none
  uint32_t flags = 0;
  std::vector<JournalEntry> entries;
  friend bool operator==(const Journal&, const Journal&) = default;
};

Bytes encode_journal(const Journal& journal);
Result<Journal> decode_journal(ByteSpan payload);

}  // namespace rvf::wire
