// English stemming after M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980,
// with the two departures of Porter's own implementation (bli -> ble, logi -> log). Pure;
// thread-safe.
#pragma once
#include <string>

namespace rvf::meta {

// `word` must be lower-case ASCII letters only; shorter than 3 letters stays as it is.
void stem_english(std::string& word);

}  // namespace rvf::meta
