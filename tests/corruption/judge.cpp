#include "corruption/judge.hpp"

namespace rvf::testing {
namespace {

Verdict wrong(const std::string& what) { return {Verdict::kWrong, what, false}; }

bool is_damaged(const Store& store) {
  const auto report = store.verify({.deep = true});
  return !report || !report->problems.empty();
}

// The vectors are all there; of their metadata nothing is said.
Verdict judge_checkpoint(const Answers& compacted, const Answers& answers) {
  Answers expected;
  Answers actual;
  for (const char* question : {"vectors", "size", "shape", "query 1", "query 3", "get 0"}) {
    const auto of_store = compacted.find(question);
    const auto of_copy = answers.find(question);
    if (of_store != compacted.end()) expected.insert(*of_store);
    if (of_copy != answers.end()) actual.insert(*of_copy);
  }
  const std::string question = contradiction(expected, actual);
  if (!question.empty()) return wrong("of a compaction's checkpoint: " + question);
  return {Verdict::kRecovered, {}, true};
}

}  // namespace

Verdict judge(const RichStore& expected, const std::shared_ptr<io::FileSystem>& fs,
              const JudgeOptions& options) {
  OpenOptions o;
  o.file_system = fs;
  o.verify_at_open = options.verify_at_open;
  auto store =
      options.writable ? Store::open(expected.path, o) : Store::open_readonly(expected.path, o);
  if (!store) {
    if (store.error().message.empty()) return wrong("an error without a text");
    return {Verdict::kRefused, {}, false};
  }
  const StoreStatus status = store->status();
  const auto snapshot = store->snapshot();
  if (!snapshot) return {Verdict::kRefused, {}, false};
  const auto state = expected.states.find(status.epoch);
  if (state == expected.states.end()) {
    // What a compaction had copied before its own last commit may be all there is to fall back to.
    if (status.recovery.recovered &&
        status.recovery.reason.find("compaction") != std::string::npos) {
      return judge_checkpoint(expected.states.begin()->second, answers_of(*store, *snapshot));
    }
    return wrong("an epoch that never was: " + std::to_string(status.epoch));
  }
  const bool newest = status.epoch == expected.epoch();
  if (!newest && !status.recovery.recovered && !options.as_it_once_was)
    return wrong("an earlier epoch without a word");
  size_t errors = 0;
  const Answers answers = answers_of(*store, *snapshot);
  const std::string question = contradiction(state->second, answers, &errors);
  const bool vectors = answers.at("vectors") == state->second.at("vectors");
  if (!question.empty()) {
    if (options.verify_at_open == 0 && is_damaged(*store)) {
      return {Verdict::kFoundByVerify, {}, vectors};
    }
    return wrong(question);
  }
  if (options.verify) (void)is_damaged(*store);
  if (errors > 0) return {Verdict::kRefusedInPart, {}, vectors};
  return {newest ? Verdict::kHarmless : Verdict::kRecovered, {}, vectors};
}

std::string Tally::text() const {
  static const char* const kNames[] = {"harmless",        "refused",         "earlier epoch",
                                       "refused in part", "found by verify", "wrong"};
  std::string out;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (of_kind[i] == 0) continue;
    out += (out.empty() ? "" : ", ") + std::to_string(of_kind[i]) + " " + kNames[i];
  }
  return out;
}

}  // namespace rvf::testing
