// METAIDX_SEG, inverted form: which passages hold which terms. Byte table: docs/format.md,
// "METAIDX".
//
// InvertedEncoder writes one; InvertedView searches one straight from the mapped bytes and never
// decodes the whole: a term is found by binary search over restart points, its postings are walked
// by a cursor. Ownership: a view and its cursors borrow the bytes. Thread-safety: a view is
// immutable. Errors: kTruncated and kCorrupt for bytes that are no such segment, kUnsupported for
// another version, kBadArgument for input out of order, kTooLarge beyond 2^32 - 1 documents or 4
// GiB.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::wire {

inline constexpr uint8_t kMetaIdxInverted = 0;
inline constexpr uint8_t kMetaIdxStringType = 1;
inline constexpr size_t kMetaIdxCommonHeader = 64;  // the same for every kind of METAIDX
inline constexpr uint32_t kInvertedVersion = 1;
inline constexpr uint32_t kInvertedRestartInterval = 16;
inline constexpr size_t kInvertedHeaderSize = 152;
inline constexpr size_t kMaxTermBytes = 255;

struct InvertedDoc {
  uint64_t id = 0;
  uint32_t length = 0;  // terms in it
  friend bool operator==(const InvertedDoc&, const InvertedDoc&) = default;
};

struct InvertedPosting {
  uint32_t ordinal = 0;  // of the document in this segment, in ascending id order
  uint32_t frequency = 0;  // at least 1
  friend bool operator==(const InvertedPosting&, const InvertedPosting&) = default;
};

class InvertedEncoder {
 public:
  // `flags` tells how the terms were made; the reader gets it back and must make query terms alike.
  // `meta_segment`: whose rows the ids are, 0 for ids of vectors.
  InvertedEncoder(uint16_t field_id, uint32_t flags, uint64_t meta_segment = 0)
      : field_id_(field_id), flags_(flags), meta_segment_(meta_segment) {}
  // Once, before any term; ids ascend.
  Status set_docs(std::span<const InvertedDoc> docs);
  // Terms ascend bytewise, ordinals ascend.
  Status add_term(std::string_view term, std::span<const InvertedPosting> postings);
  Result<Bytes> finish();

 private:
  uint16_t field_id_;
  uint32_t flags_;
  uint64_t meta_segment_;
  std::vector<InvertedDoc> docs_;
  uint64_t total_length_ = 0;
  uint64_t terms_ = 0;
  std::string last_;
  std::vector<uint32_t> restarts_;
  Bytes dictionary_;
  Bytes postings_;
};

class PostingCursor {
 public:
  PostingCursor() = default;
  PostingCursor(ByteSpan data, uint32_t count, uint64_t docs) noexcept
      : in_(data), left_(count), docs_(docs) {}
  // False at the end, and when the bytes are damaged: failed() tells which.
  bool next(InvertedPosting& out) noexcept;
  bool failed() const noexcept { return failed_; }

 private:
  ByteReader in_{ByteSpan{}};
  uint32_t left_ = 0;
  uint64_t docs_ = 0;
  uint64_t next_ = 0;  // the least ordinal that may come
  bool failed_ = false;
};

struct InvertedTerm {
  uint32_t document_frequency = 0;
  ByteSpan postings;
};

class InvertedView {
 public:
  static Result<InvertedView> open(ByteSpan payload);

  uint16_t field_id() const noexcept { return field_id_; }
  uint32_t flags() const noexcept { return flags_; }
  uint64_t meta_segment() const noexcept { return meta_segment_; }
  uint64_t doc_count() const noexcept { return doc_count_; }
  uint64_t term_count() const noexcept { return term_count_; }
  uint64_t total_length() const noexcept { return total_length_; }
  InvertedDoc doc(uint64_t ordinal) const noexcept;  // zeros beyond doc_count()
  std::optional<uint64_t> ordinal_of(uint64_t id) const noexcept;

  // Empty when no document holds the term.
  Result<std::optional<InvertedTerm>> find(std::string_view term) const;
  PostingCursor postings(const InvertedTerm& term) const noexcept {
    return PostingCursor(term.postings, term.document_frequency, doc_count_);
  }

  // Every term in ascending order.
  class TermCursor {
   public:
    // False at the end or after damage.
    bool next() noexcept;
    bool failed() const noexcept { return failed_; }
    const std::string& term() const noexcept { return term_; }
    const InvertedTerm& entry() const noexcept { return entry_; }

   private:
    friend class InvertedView;
    explicit TermCursor(const InvertedView& view) noexcept
        : in_(view.dictionary_),
          postings_(view.postings_),
          left_(view.term_count_),
          interval_(view.interval_),
          docs_(view.doc_count_) {}
    bool step() noexcept;

    ByteReader in_;
    ByteSpan postings_;
    uint64_t left_;
    uint64_t done_ = 0;
    uint64_t at_ = 0;  // of the next term's postings
    uint32_t interval_;
    uint64_t docs_;
    std::string term_;
    InvertedTerm entry_;
    bool failed_ = false;
  };
  TermCursor terms() const noexcept { return TermCursor(*this); }

  // Reads everything once: order of ids, terms and ordinals, sums, ends of sections.
  Status verify() const;

 private:
  // The whole term at a restart point; nothing when damaged.
  std::optional<std::string_view> restart_term(uint32_t restart) const noexcept;
  uint32_t restart_offset(uint32_t restart) const noexcept;

  uint16_t field_id_ = 0;
  uint32_t flags_ = 0;
  uint64_t meta_segment_ = 0;
  uint32_t interval_ = 1;
  uint32_t restart_count_ = 0;
  uint64_t doc_count_ = 0;
  uint64_t term_count_ = 0;
  uint64_t total_length_ = 0;
  ByteSpan ids_;
  ByteSpan lengths_;
  ByteSpan restarts_;
  ByteSpan dictionary_;
  ByteSpan postings_;
};

}  // namespace rvf::wire
