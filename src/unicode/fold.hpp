// What a search takes for the same: full case folding over compatibility decompositions, without
// accents (Unicode 14.0.0, frozen; UAX 15 and chapter 3.13 of the standard). docs/filters.md,
// "Words", says it for users; tools/make_fold_table.py is where it is decided.
// Pure functions; thread-safe.
#pragma once
#include <cstdint>
#include <span>

namespace rvf::unicode {

// Counts up when fold() gives anything else: indexes on disk name the version of their terms.
inline constexpr uint32_t kFoldVersion = 1;

enum class CharKind : uint8_t {
  kSeparator,
  kLetter,   // or digit: part of a run
  kAlone,    // stands for itself: Han, kana, Hangul
  kPaired,   // of a script without blanks between words: Thai, Lao, Khmer, Myanmar, ...
  kIgnored,  // an accent, a point, a soft hyphen
  kMark      // belongs to the letter before it: vowel signs, the voicing of kana, jamo
};

struct FoldedChar {
  char32_t c = 0;
  CharKind kind = CharKind::kSeparator;
  uint8_t combining = 0;  // canonical combining class; marks in a row are ordered by it
};

class Folded {
 public:
  static constexpr size_t kMost = 4;  // the table has no longer one
  std::span<const FoldedChar> chars() const& noexcept { return {chars_, count_}; }
  std::span<const FoldedChar> chars() const&& = delete;  // would outlive what it points into
  void add(FoldedChar f) noexcept {
    if (count_ < kMost) chars_[count_++] = f;
  }

 private:
  FoldedChar chars_[kMost];
  size_t count_ = 0;
};

// What the code point is folded to; itself, where it is nothing else.
Folded fold(char32_t c) noexcept;

// Whether a mark that fold() calls ignored stays behind this letter: the breve and the diaeresis
// of Cyrillic letters make other letters (и and й), except that ё is typed as е.
bool stays_behind(char32_t mark, char32_t letter) noexcept;

}  // namespace rvf::unicode
