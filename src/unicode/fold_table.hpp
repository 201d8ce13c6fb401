// The tables of fold.cpp, made by tools/make_fold_table.py.
#pragma once
#include <cstdint>

namespace rvf::unicode {

extern const uint8_t kFoldIndex[8704];  // a block a 128 code points
extern const uint16_t kFoldBlocks[];
extern const uint16_t kFoldPool[];  // runs of UTF-16, each behind its length

}  // namespace rvf::unicode
