#include "unicode/fold.hpp"

#include "unicode/fold_table.hpp"

namespace rvf::unicode {
namespace {

constexpr unsigned kBlock = 128;
// Values of the table; below kMark those of CharKind, but that a syllable stands in the place of a
// mark.
constexpr uint16_t kHangul = 5;
constexpr uint16_t kMark = 0x100;    // and its combining class
constexpr uint16_t kMapped = 0x200;  // and where in the pool

constexpr char32_t kBreve = 0x306;
constexpr char32_t kDiaeresis = 0x308;
constexpr uint8_t kAbove = 230;  // combining class of both

uint16_t value_of(char32_t c) noexcept {
  if (c > 0x10FFFF) return 0;
  return kFoldBlocks[kFoldIndex[c / kBlock] * kBlock + c % kBlock];
}

FoldedChar itself(char32_t c) noexcept {
  const uint16_t value = value_of(c);
  if (value >= kMark) return {c, CharKind::kMark, static_cast<uint8_t>(value - kMark)};
  const bool above = c == kBreve || c == kDiaeresis;
  return {c, static_cast<CharKind>(value), above ? kAbove : uint8_t{0}};
}

// Chapter 3.12 of the standard.
void decompose_hangul(char32_t c, Folded& out) noexcept {
  constexpr char32_t kFirst = 0xAC00, kLeading = 0x1100, kVowel = 0x1161, kTrailing = 0x11A7;
  constexpr char32_t kVowels = 21, kTrailings = 28;
  const char32_t index = c - kFirst;
  out.add({kLeading + index / (kVowels * kTrailings), CharKind::kAlone, 0});
  out.add({kVowel + index / kTrailings % kVowels, CharKind::kMark, 0});
  if (index % kTrailings != 0) {
    out.add({kTrailing + index % kTrailings, CharKind::kMark, 0});
  }
}

}  // namespace

Folded fold(char32_t c) noexcept {
  Folded out;
  const uint16_t value = value_of(c);
  if (value == kHangul) {
    decompose_hangul(c, out);
  } else if (value < kMapped) {
    out.add(itself(c));
  } else {
    const uint16_t* unit = kFoldPool + (value - kMapped);
    for (const uint16_t* const end = unit + 1 + *unit; ++unit < end;) {
      char32_t u = *unit;
      if (u >= 0xD800 && u <= 0xDBFF) u = 0x10000 + ((u - 0xD800) << 10) + (*++unit - 0xDC00u);
      out.add(itself(u));
    }
  }
  return out;
}

bool stays_behind(char32_t mark, char32_t letter) noexcept {
  constexpr char32_t kIe = 0x435;
  if (letter < 0x400 || letter > 0x52F) return false;
  return mark == kBreve || (mark == kDiaeresis && letter != kIe);
}

}  // namespace rvf::unicode
