// What a damaged file does to whoever opens it: is everything that it says still true?
#pragma once
#include <cstdint>
#include <string>

#include "support/rich_store.hpp"

namespace rvf::testing {

struct Verdict {
  enum Kind {
    kHarmless,  // every answer is that of the undamaged store
    kRefused,   // does not open
    kRecovered,  // says that it took an earlier epoch, and answers as that one did
    kRefusedInPart,  // opens, answers some questions with an error, the others rightly
    kFoundByVerify,  // a wrong answer, but verify() tells of the damage
    kWrong,
  };
  Kind kind = kHarmless;
  std::string what;  // of kWrong: the first question answered wrongly
  bool vectors_readable = false;
};

struct JudgeOptions {
  bool writable = false;
  bool verify = true;  // only where answers are wrong, verify() is asked in any case
  bool as_it_once_was = false;  // byte for byte the file of an earlier epoch: nobody can tell
  uint64_t verify_at_open = 16U << 20;
};

Verdict judge(const RichStore& expected, const std::shared_ptr<io::FileSystem>& fs,
              const JudgeOptions& options);

struct Tally {
  uint64_t images = 0;
  uint64_t of_kind[6] = {};
  std::string first_wrong;

  void add(const Verdict& v, const std::string& where) {
    ++images;
    ++of_kind[v.kind];
    if (v.kind == Verdict::kWrong && first_wrong.empty()) first_wrong = where + ": " + v.what;
  }
  uint64_t wrong() const { return of_kind[Verdict::kWrong]; }
  std::string text() const;
};

}  // namespace rvf::testing
