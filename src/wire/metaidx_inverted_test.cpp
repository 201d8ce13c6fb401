#include "wire/metaidx_inverted.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace rvf::wire {
namespace {

using Postings = std::vector<InvertedPosting>;

struct Sample {
  std::vector<InvertedDoc> docs;
  std::map<std::string, Postings> terms;
  Bytes bytes;
};

Sample sample(size_t docs, size_t terms) {
  std::mt19937 engine(7);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  Sample s;
  for (size_t i = 0; i < docs; ++i) s.docs.push_back({i * 3 + 5, static_cast<uint32_t>(i % 9 + 1)});
  for (size_t t = 0; t < terms; ++t) {
    Postings p;
    for (uint32_t d = random() % 3; d < docs; d += 1 + random() % 40)
      p.push_back({d, 1 + random() % 5});
    if (!p.empty()) s.terms["term" + std::to_string(random() % 100000)] = p;
  }
  InvertedEncoder encoder(3, 1);
  EXPECT_TRUE(encoder.set_docs(s.docs).ok());
  for (const auto& [term, postings] : s.terms) EXPECT_TRUE(encoder.add_term(term, postings).ok());
  s.bytes = *encoder.finish();
  return s;
}

Postings read(const InvertedView& view, const InvertedTerm& term) {
  Postings out;
  PostingCursor cursor = view.postings(term);
  for (InvertedPosting p; cursor.next(p);) out.push_back(p);
  EXPECT_FALSE(cursor.failed());
  return out;
}

TEST(InvertedIndex, EveryTermIsFoundWithItsPostings) {
  const Sample s = sample(200, 500);
  auto view = InvertedView::open(s.bytes);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_TRUE(view->verify().ok());
  EXPECT_EQ(view->field_id(), 3);
  EXPECT_EQ(view->flags(), 1u);
  EXPECT_EQ(view->term_count(), s.terms.size());
  for (const auto& [term, postings] : s.terms) {
    auto found = view->find(term);
    ASSERT_TRUE(found.ok() && *found) << term;
    EXPECT_EQ((*found)->document_frequency, postings.size());
    EXPECT_EQ(read(*view, **found), postings);
    EXPECT_FALSE((*view->find(term + "x")).has_value());
  }
  EXPECT_FALSE((*view->find("a")).has_value());
  EXPECT_FALSE((*view->find("zzz")).has_value());
  EXPECT_FALSE((*view->find("")).has_value());
  for (size_t i = 0; i < s.docs.size(); ++i) {
    EXPECT_EQ(view->doc(i), s.docs[i]);
    EXPECT_EQ(view->ordinal_of(s.docs[i].id), i);
    EXPECT_FALSE(view->ordinal_of(s.docs[i].id + 1).has_value());
  }
}

TEST(InvertedIndex, TermsAreWalkedInOrder) {
  const Sample s = sample(50, 100);
  auto view = InvertedView::open(s.bytes);
  ASSERT_TRUE(view.ok());
  auto want = s.terms.begin();
  auto cursor = view->terms();
  for (; cursor.next(); ++want) {
    ASSERT_NE(want, s.terms.end());
    EXPECT_EQ(cursor.term(), want->first);
    EXPECT_EQ(read(*view, cursor.entry()), want->second);
  }
  EXPECT_FALSE(cursor.failed());
  EXPECT_EQ(want, s.terms.end());
}

TEST(InvertedIndex, AnEmptyOneIsValid) {
  InvertedEncoder encoder(0, 0);
  const Bytes bytes = *encoder.finish();
  auto view = InvertedView::open(bytes);
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view->verify().ok());
  EXPECT_FALSE((*view->find("x")).has_value());
}

TEST(InvertedIndex, BytesAreThoseOfTheFormatPage) {
  InvertedEncoder encoder(2, 1);
  const InvertedDoc docs[] = {{7, 2}, {300, 1}};
  const InvertedPosting both[] = {{0, 1}, {1, 1}};
  const InvertedPosting one[] = {{0, 1}};
  ASSERT_TRUE(encoder.set_docs(docs).ok());
  ASSERT_TRUE(encoder.add_term("fox", both).ok());
  ASSERT_TRUE(encoder.add_term("foxes", one).ok());
  const Bytes bytes = *encoder.finish();
  std::string hex;
  for (const std::byte b : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[std::to_integer<unsigned>(b) >> 4];
    hex += kDigits[std::to_integer<unsigned>(b) & 15];
  }
  EXPECT_EQ(hex,
            "00010200"
            "00000000"
            "0200000000000000" +
                std::string(96, '0') +
                "01000000"
                "01000000"
                "0200000000000000"
                "0300000000000000"
                "10000000"
                "01000000"
                "9800000000000000"
                "a800000000000000"
                "b000000000000000"
                "b800000000000000"
                "0e00000000000000"
                "c800000000000000"
                "0600000000000000"
                "0700000000000000"
                "2c01000000000000"
                "02000000"
                "01000000"
                "00000000"
                "00000000"
                "0003666f780204"
                "00"
                "03026573"
                "0102"
                "0000"
                "000100010001");
}

TEST(InvertedIndex, RefusesInputOutOfOrder) {
  InvertedEncoder encoder(0, 0);
  const InvertedDoc twice[] = {{7, 2}, {7, 1}};
  EXPECT_EQ(encoder.set_docs(twice).error().code, ErrorCode::kDuplicateId);
  const InvertedDoc docs[] = {{7, 2}, {8, 1}};
  ASSERT_TRUE(encoder.set_docs(docs).ok());
  const InvertedPosting one[] = {{1, 1}};
  const InvertedPosting beyond[] = {{2, 1}};
  ASSERT_TRUE(encoder.add_term("b", one).ok());
  EXPECT_FALSE(encoder.add_term("b", one).ok());
  EXPECT_FALSE(encoder.add_term("a", one).ok());
  EXPECT_FALSE(encoder.add_term("c", beyond).ok());
  EXPECT_FALSE(encoder.add_term("d", {}).ok());
}

void use_all(const InvertedView& view) {
  (void)view.verify();
  (void)view.find("term5");
  (void)view.find("term99999");
  (void)view.ordinal_of(50);
  auto cursor = view.terms();
  while (cursor.next()) {
    PostingCursor postings = view.postings(cursor.entry());
    for (InvertedPosting p; postings.next(p);) ASSERT_LT(p.ordinal, view.doc_count());
  }
}

TEST(InvertedIndex, DamageNeverReadsOutOfBounds) {
  const Sample s = sample(20, 40);
  for (size_t n = 0; n < s.bytes.size(); ++n) {
    // A vector of its own, so that a sanitizer sees a read past the end.
    const Bytes cut(s.bytes.begin(), s.bytes.begin() + static_cast<std::ptrdiff_t>(n));
    auto view = InvertedView::open(cut);
    if (view) use_all(*view);
  }
  for (size_t i = 0; i < s.bytes.size(); ++i) {
    for (const unsigned flip : {0x01u, 0x80u, 0xFFu}) {
      Bytes bad = s.bytes;
      bad[i] ^= static_cast<std::byte>(flip);
      auto view = InvertedView::open(bad);
      if (view) use_all(*view);
    }
  }
}

}  // namespace
}  // namespace rvf::wire
