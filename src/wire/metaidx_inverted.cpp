#include "wire/metaidx_inverted.hpp"

#include <algorithm>

namespace rvf::wire {
namespace {

constexpr uint64_t kMaxSection = 0xFFFFFFFF;

Error damaged(const char* what) {
  return Error(ErrorCode::kCorrupt, std::string("inverted index: ") + what);
}

// One dictionary entry; `term` holds the term before and becomes this one.
struct Entry {
  uint64_t frequency = 0;
  uint64_t bytes = 0;
  uint64_t start = 0;  // of the postings, at a restart
};

bool read_entry(ByteReader& in, bool restart, std::string& term, Entry& out) noexcept {
  const uint64_t shared = in.varint();
  const uint64_t rest = in.varint();
  const std::string_view suffix = in.text(rest);
  out.frequency = in.varint();
  out.bytes = in.varint();
  if (restart) out.start = in.varint();
  if (!in.ok() || shared > term.size() || (restart && shared != 0)) return false;
  if (shared + rest == 0 || shared + rest > kMaxTermBytes) return false;
  term.resize(static_cast<size_t>(shared));
  term += suffix;
  return true;
}

}  // namespace

Status InvertedEncoder::set_docs(std::span<const InvertedDoc> docs) {
  if (docs.size() > kMaxSection) return Error(ErrorCode::kTooLarge, "inverted index: too many ids");
  total_length_ = 0;
  for (size_t i = 0; i < docs.size(); ++i) {
    if (i > 0 && docs[i].id <= docs[i - 1].id) {
      return Error(docs[i].id == docs[i - 1].id ? ErrorCode::kDuplicateId : ErrorCode::kBadArgument,
                   "inverted index: ids must ascend");
    }
    total_length_ += docs[i].length;
  }
  docs_.assign(docs.begin(), docs.end());
  return {};
}

Status InvertedEncoder::add_term(std::string_view term, std::span<const InvertedPosting> postings) {
  if (term.empty() || term.size() > kMaxTermBytes || postings.empty() ||
      (terms_ > 0 && term <= last_)) {
    return Error(ErrorCode::kBadArgument, "inverted index: terms must ascend and have postings");
  }
  const bool restart = terms_ % kInvertedRestartInterval == 0;
  const size_t start = postings_.size();
  ByteWriter list(postings_);
  uint64_t next = 0;
  for (const InvertedPosting& p : postings) {
    if (p.ordinal < next || p.ordinal >= docs_.size() || p.frequency == 0) {
      return Error(ErrorCode::kBadArgument, "inverted index: ordinals must ascend below the count");
    }
    list.varint(p.ordinal - next);
    list.varint(p.frequency);
    next = uint64_t{p.ordinal} + 1;
  }
  size_t shared = 0;
  if (restart) {
    restarts_.push_back(static_cast<uint32_t>(dictionary_.size()));
  } else {
    while (shared < term.size() && shared < last_.size() && term[shared] == last_[shared]) ++shared;
  }
  ByteWriter out(dictionary_);
  out.varint(shared);
  out.varint(term.size() - shared);
  out.text(term.substr(shared));
  out.varint(postings.size());
  out.varint(postings_.size() - start);
  if (restart) out.varint(start);
  if (dictionary_.size() > kMaxSection || postings_.size() > kMaxSection) {
    return Error(ErrorCode::kTooLarge, "inverted index: over 4 GiB; split it over segments");
  }
  last_.assign(term);
  ++terms_;
  return {};
}

Result<Bytes> InvertedEncoder::finish() {
  Bytes bytes;
  ByteWriter out(bytes);
  // The header that all kinds of METAIDX have in common.
  out.u8(kMetaIdxInverted);
  out.u8(kMetaIdxStringType);
  out.u16(field_id_);
  out.u32(0);
  out.u64(terms_);
  out.u64(0);
  out.u64(meta_segment_);
  out.zeros(kMetaIdxCommonHeader - 32);
  out.u32(kInvertedVersion);
  out.u32(flags_);
  out.u64(docs_.size());
  out.u64(total_length_);
  out.u32(kInvertedRestartInterval);
  out.u32(static_cast<uint32_t>(restarts_.size()));
  uint64_t at = kInvertedHeaderSize;
  const auto section = [&](uint64_t size) {
    out.u64(at);
    at = (at + size + 7) / 8 * 8;
  };
  section(docs_.size() * 8);
  section(docs_.size() * 4);
  section(restarts_.size() * 4);
  section(dictionary_.size());
  out.u64(dictionary_.size());
  out.u64(at);
  out.u64(postings_.size());
  for (const InvertedDoc& d : docs_) out.u64(d.id);
  for (const InvertedDoc& d : docs_) out.u32(d.length);
  out.align(8);
  for (const uint32_t r : restarts_) out.u32(r);
  out.align(8);
  out.bytes(dictionary_);
  out.align(8);
  out.bytes(postings_);
  return bytes;
}

bool PostingCursor::next(InvertedPosting& out) noexcept {
  if (left_ == 0 || failed_) return false;
  const uint64_t gap = in_.varint();
  const uint64_t frequency = in_.varint();
  if (!in_.ok() || gap >= docs_ || next_ + gap >= docs_ || frequency == 0 ||
      frequency > 0xFFFFFFFF) {
    failed_ = true;
    return false;
  }
  out.ordinal = static_cast<uint32_t>(next_ + gap);
  out.frequency = static_cast<uint32_t>(frequency);
  next_ += gap + 1;
  --left_;
  return true;
}

Result<InvertedView> InvertedView::open(ByteSpan payload) {
  ByteReader in(payload);
  InvertedView v;
  const uint8_t kind = in.u8();
  in.skip(1);
  v.field_id_ = in.u16();
  in.skip(4);
  v.term_count_ = in.u64();
  in.skip(8);
  v.meta_segment_ = in.u64();
  in.skip(kMetaIdxCommonHeader - 32);
  const uint32_t version = in.u32();
  v.flags_ = in.u32();
  v.doc_count_ = in.u64();
  v.total_length_ = in.u64();
  v.interval_ = in.u32();
  v.restart_count_ = in.u32();
  const uint64_t ids = in.u64();
  const uint64_t lengths = in.u64();
  const uint64_t restarts = in.u64();
  const uint64_t dictionary = in.u64();
  const uint64_t dictionary_size = in.u64();
  const uint64_t postings = in.u64();
  const uint64_t postings_size = in.u64();
  if (!in.ok()) return Error(ErrorCode::kTruncated, "inverted index: the header is cut off");
  if (kind != kMetaIdxInverted || version != kInvertedVersion) {
    return Error(ErrorCode::kUnsupported, "inverted index: another kind or version");
  }
  bool inside = true;
  const auto section = [&](uint64_t at, uint64_t count, uint64_t size) -> ByteSpan {
    if (at < kInvertedHeaderSize || at > payload.size() || count > (payload.size() - at) / size) {
      inside = false;
      return {};
    }
    return payload.subspan(static_cast<size_t>(at), static_cast<size_t>(count * size));
  };
  v.ids_ = section(ids, v.doc_count_, 8);
  v.lengths_ = section(lengths, v.doc_count_, 4);
  v.restarts_ = section(restarts, v.restart_count_, 4);
  v.dictionary_ = section(dictionary, dictionary_size, 1);
  v.postings_ = section(postings, postings_size, 1);
  if (!inside)
    return Error(ErrorCode::kTruncated, "inverted index: a section ends past the segment");
  if (v.interval_ == 0 || v.doc_count_ > kMaxSection ||
      v.term_count_ / v.interval_ + (v.term_count_ % v.interval_ != 0) != v.restart_count_) {
    return damaged("its counts disagree");
  }
  return v;
}

InvertedDoc InvertedView::doc(uint64_t ordinal) const noexcept {
  InvertedDoc d;
  if (ordinal >= doc_count_) return d;
  std::memcpy(&d.id, ids_.data() + ordinal * 8, 8);
  std::memcpy(&d.length, lengths_.data() + ordinal * 4, 4);
  return d;
}

std::optional<uint64_t> InvertedView::ordinal_of(uint64_t id) const noexcept {
  uint64_t low = 0;
  uint64_t high = doc_count_;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const uint64_t there = doc(middle).id;
    if (there == id) return middle;
    if (there < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

uint32_t InvertedView::restart_offset(uint32_t restart) const noexcept {
  uint32_t at = 0;
  std::memcpy(&at, restarts_.data() + size_t{restart} * 4, 4);
  return at;
}

std::optional<std::string_view> InvertedView::restart_term(uint32_t restart) const noexcept {
  ByteReader in(dictionary_);
  in.skip(restart_offset(restart));
  const uint64_t shared = in.varint();
  const std::string_view term = in.text(in.varint());
  if (!in.ok() || shared != 0 || term.empty()) return std::nullopt;
  return term;
}

Result<std::optional<InvertedTerm>> InvertedView::find(std::string_view term) const {
  if (restart_count_ == 0 || term.empty()) return std::optional<InvertedTerm>();
  // The last restart whose term is not above the one looked for.
  uint32_t low = 0;
  uint32_t high = restart_count_;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const auto there = restart_term(middle);
    if (!there) return damaged("a restart point leads nowhere");
    if (*there <= term) {
      low = middle;
    } else {
      high = middle;
    }
  }
  ByteReader in(dictionary_);
  in.skip(restart_offset(low));
  const uint64_t first = uint64_t{low} * interval_;
  const uint64_t entries = std::min<uint64_t>(interval_, term_count_ - first);
  std::string here;
  uint64_t at = 0;
  for (uint64_t i = 0; i < entries; ++i) {
    Entry e;
    if (!read_entry(in, i == 0, here, e)) return damaged("a dictionary entry is damaged");
    if (i == 0) at = e.start;
    if (at > postings_.size() || e.bytes > postings_.size() - at || e.frequency == 0 ||
        e.frequency > doc_count_) {
      return damaged("a term's postings lie outside");
    }
    if (here == term) {
      return std::optional(
          InvertedTerm{static_cast<uint32_t>(e.frequency),
                       postings_.subspan(static_cast<size_t>(at), static_cast<size_t>(e.bytes))});
    }
    if (here > term) break;
    at += e.bytes;
  }
  return std::optional<InvertedTerm>();
}

bool InvertedView::TermCursor::step() noexcept {
  const bool restart = done_ % interval_ == 0;
  Entry e;
  if (!read_entry(in_, restart, term_, e)) return false;
  if (restart) at_ = e.start;
  if (at_ > postings_.size() || e.bytes > postings_.size() - at_ || e.frequency == 0 ||
      e.frequency > docs_) {
    return false;
  }
  entry_ = {static_cast<uint32_t>(e.frequency),
            postings_.subspan(static_cast<size_t>(at_), static_cast<size_t>(e.bytes))};
  at_ += e.bytes;
  ++done_;
  --left_;
  return true;
}

bool InvertedView::TermCursor::next() noexcept {
  if (left_ == 0 || failed_) return false;
  if (!step()) failed_ = true;
  return !failed_;
}

Status InvertedView::verify() const {
  uint64_t total = 0;
  for (uint64_t i = 0; i < doc_count_; ++i) {
    if (i > 0 && doc(i).id <= doc(i - 1).id) return damaged("ids do not ascend");
    total += doc(i).length;
  }
  if (total != total_length_) return damaged("the lengths do not add up");
  std::string before;
  TermCursor terms = this->terms();
  for (uint64_t n = 0; terms.next(); ++n) {
    if (n > 0 && terms.term() <= before) return damaged("terms do not ascend");
    if (n % interval_ == 0) {
      const auto there = restart_term(static_cast<uint32_t>(n / interval_));
      if (!there || *there != terms.term()) return damaged("a restart point names another term");
    }
    before = terms.term();
    PostingCursor cursor = postings(terms.entry());
    for (InvertedPosting p; cursor.next(p);) {
    }
    if (cursor.failed()) return damaged("a list of postings is damaged");
  }
  if (terms.failed()) return damaged("the dictionary is damaged");
  return {};
}

}  // namespace rvf::wire
