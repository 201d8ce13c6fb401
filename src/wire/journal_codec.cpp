#include "wire/journal_codec.hpp"

#include "wire/codec.hpp"
#include "wire/delta.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "JOURNAL";
constexpr size_t kHeaderSize = 64;
constexpr size_t kEntryHead = 8;
enum Type : uint8_t {
  kDelete = 1,
  kDeleteRange = 2,
  kUpdateMetadata = 3,
  kMove = 4,
  kRemapId = 5,
  kDeleteList = 6,
};

struct BodyWriter {
  ByteWriter& out;

  uint8_t operator()(const JournalDelete& e) const {
    out.u64(e.id);
    return kDelete;
  }
  uint8_t operator()(const JournalDeleteRange& e) const {
    out.u64(e.first);
    out.u64(e.end);
    return kDeleteRange;
  }
  uint8_t operator()(const JournalUpdateMetadata& e) const {
    out.u64(e.id);
    out.u16(e.field);
    out.bytes(e.value);
    return kUpdateMetadata;
  }
  uint8_t operator()(const JournalMove& e) const {
    out.u64(e.id);
    out.u64(e.from_segment);
    out.u64(e.to_segment);
    return kMove;
  }
  uint8_t operator()(const JournalRemapId& e) const {
    out.u64(e.old_id);
    out.u64(e.new_id);
    return kRemapId;
  }
  uint8_t operator()(const JournalDeleteList& e) const {
    out.u32(static_cast<uint32_t>(e.ids.size()));
    write_deltas(out, e.ids, 0);
    return kDeleteList;
  }
  uint8_t operator()(const JournalUnknown& e) const {
    out.bytes(e.body);
    return e.type;
  }
};

Result<JournalEntry> read_body(uint8_t type, ByteReader& in) {
  switch (type) {
    case kDelete: return JournalEntry(JournalDelete{in.u64()});
    case kDeleteRange: {
      const uint64_t first = in.u64();
      return JournalEntry(JournalDeleteRange{first, in.u64()});
    }
    case kUpdateMetadata: {
      JournalUpdateMetadata e;
      e.id = in.u64();
      e.field = in.u16();
      e.value = read_bytes(in, in.remaining());
      return JournalEntry(std::move(e));
    }
    case kMove: {
      JournalMove e;
      e.id = in.u64();
      e.from_segment = in.u64();
      e.to_segment = in.u64();
      return JournalEntry(e);
    }
    case kRemapId: {
      const uint64_t old_id = in.u64();
      return JournalEntry(JournalRemapId{old_id, in.u64()});
    }
    case kDeleteList: {
      const uint32_t count = in.u32();
      RVF_ASSIGN(std::vector<uint64_t> ids, read_deltas(in, count, 0));
      return JournalEntry(JournalDeleteList{std::move(ids)});
    }
    default: return JournalEntry(JournalUnknown{type, read_bytes(in, in.remaining())});
  }
}

}  // namespace

Bytes encode_journal(const Journal& journal) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u32(static_cast<uint32_t>(journal.entries.size()));
  out.u32(journal.epoch);
  out.u64(journal.previous_segment_id);
  out.u32(journal.flags);
  out.align(kHeaderSize);
  for (const JournalEntry& entry : journal.entries) {
    const size_t head = out.size();
    out.zeros(kEntryHead);
    out.patch(head, std::visit(BodyWriter{out}, entry));
    out.patch(head + 4, static_cast<uint32_t>(out.size() - head - kEntryHead));
    out.align(8);
  }
  return bytes;
}

Result<Journal> decode_journal(ByteSpan payload) {
  ByteReader in(payload);
  Journal journal;
  const uint32_t count = in.u32();
  journal.epoch = in.u32();
  journal.previous_segment_id = in.u64();
  journal.flags = in.u32();
  skip_padding(in, kHeaderSize);
  if (!can_hold(in, count, kEntryHead)) return payload_error(kName, in, {});
  journal.entries.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t type = in.u8();
    const uint8_t reserved_0 = in.u8();
    const uint16_t reserved_1 = in.u16();
    const uint32_t length = in.u32();
    ByteReader body(in.bytes(length));
    if (!in.ok()) break;
    if (type == 0 || reserved_0 != 0 || reserved_1 != 0) {
      return payload_error(kName, in, "entry " + std::to_string(i) + " has a bad head");
    }
    RVF_ASSIGN(JournalEntry entry, read_body(type, body));
    if (!body.ok() || body.remaining() != 0) {
      return payload_error(kName, in, "entry " + std::to_string(i) + " has a wrong length");
    }
    journal.entries.push_back(std::move(entry));
    skip_padding(in, 8);
  }
  RVF_TRY(expect_end(kName, in));
  return journal;
}

}  // namespace rvf::wire
