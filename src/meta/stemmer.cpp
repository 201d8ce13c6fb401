#include "meta/stemmer.hpp"

#include <span>
#include <string_view>

namespace rvf::meta {
namespace {

struct Rule {
  std::string_view suffix;
  std::string_view replacement;
};

bool is_consonant(std::string_view w, size_t i) {
  switch (w[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u': return false;
    case 'y': return i == 0 || !is_consonant(w, i - 1);
    default: return true;
  }
}

// Porter's m: how often a vowel is followed by a consonant.
int measure(std::string_view w) {
  int m = 0;
  bool vowel = false;
  for (size_t i = 0; i < w.size(); ++i) {
    const bool consonant = is_consonant(w, i);
    if (consonant && vowel) ++m;
    vowel = !consonant;
  }
  return m;
}

bool has_vowel(std::string_view w) {
  for (size_t i = 0; i < w.size(); ++i) {
    if (!is_consonant(w, i)) return true;
  }
  return false;
}

bool ends_double(std::string_view w) {
  return w.size() > 1 && w[w.size() - 1] == w[w.size() - 2] && is_consonant(w, w.size() - 1);
}

// consonant - vowel - consonant, where the last is not w, x or y
bool ends_short(std::string_view w) {
  const size_t n = w.size();
  if (n < 3 || !is_consonant(w, n - 1) || is_consonant(w, n - 2) || !is_consonant(w, n - 3)) {
    return false;
  }
  return w[n - 1] != 'w' && w[n - 1] != 'x' && w[n - 1] != 'y';
}

std::string_view without(const std::string& w, size_t suffix) {
  return std::string_view(w).substr(0, w.size() - suffix);
}

// The first rule whose suffix fits is the only one that is tried.
void apply(std::string& w, std::span<const Rule> rules, int more_than) {
  for (const Rule& r : rules) {
    if (!w.ends_with(r.suffix)) continue;
    if (measure(without(w, r.suffix.size())) > more_than) {
      w.resize(w.size() - r.suffix.size());
      w += r.replacement;
    }
    return;
  }
}

void step_1a(std::string& w) {
  if (w.ends_with("sses") || w.ends_with("ies")) {
    w.resize(w.size() - 2);
  } else if (w.ends_with('s') && !w.ends_with("ss")) {
    w.pop_back();
  }
}

void step_1b(std::string& w) {
  if (w.ends_with("eed")) {
    if (measure(without(w, 3)) > 0) w.pop_back();
    return;
  }
  if (w.ends_with("ed") && has_vowel(without(w, 2))) {
    w.resize(w.size() - 2);
  } else if (w.ends_with("ing") && has_vowel(without(w, 3))) {
    w.resize(w.size() - 3);
  } else {
    return;
  }
  if (w.ends_with("at") || w.ends_with("bl") || w.ends_with("iz")) {
    w += 'e';
  } else if (ends_double(w)) {
    if (w.back() != 'l' && w.back() != 's' && w.back() != 'z') w.pop_back();
  } else if (measure(w) == 1 && ends_short(w)) {
    w += 'e';
  }
}

constexpr Rule kStep2[] = {
    {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
    {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
    {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
    {"logi", "log"}};

constexpr Rule kStep3[] = {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"},
                           {"ical", "ic"},  {"ful", ""},   {"ness", ""}};

constexpr Rule kStep4[] = {{"al", ""},   {"ance", ""}, {"ence", ""}, {"er", ""},    {"ic", ""},
                           {"able", ""}, {"ible", ""}, {"ant", ""},  {"ement", ""}, {"ment", ""},
                           {"ent", ""},  {"ion", ""},  {"ou", ""},   {"ism", ""},   {"ate", ""},
                           {"iti", ""},  {"ous", ""},  {"ive", ""},  {"ize", ""}};

void step_4(std::string& w) {
  if (w.ends_with("ion")) {
    const std::string_view stem = without(w, 3);
    if (!stem.ends_with('s') && !stem.ends_with('t')) return;
  }
  apply(w, kStep4, 1);
}

void step_5(std::string& w) {
  if (w.ends_with('e')) {
    const std::string_view stem = without(w, 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_short(stem))) w.pop_back();
  }
  if (w.ends_with("ll") && measure(w) > 1) w.pop_back();
}

}  // namespace

void stem_english(std::string& w) {
  if (w.size() < 3) return;
  step_1a(w);
  step_1b(w);
  if (w.ends_with('y') && has_vowel(without(w, 1))) w.back() = 'i';
  apply(w, kStep2, 0);
  apply(w, kStep3, 0);
  step_4(w);
  step_5(w);
}

}  // namespace rvf::meta
