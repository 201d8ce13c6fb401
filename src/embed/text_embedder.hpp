// The built-in text embedder: hashed features with signs (Weinberger et al., "Feature Hashing for
// Large Scale Multitask Learning", ICML 2009), no model and no download. Features are the stems of
// words, pairs of neighbouring words and the character 3- to 5-grams of each word, so that spelling
// variants meet. A feature counts with sqrt(tf) * idf; idf comes from document frequencies learnt
// from the collection, in a table of hashed counts that is kept with it. Vectors have unit length
// (zero for a text without words).
//
// The same text, table and dimension give the same floats on every machine: hashes are integers,
// and the only operations on reals are + - * / and sqrt, which IEEE 754 rounds exactly. The
// logarithm is of an integer ratio and computed here, not by the C library.
//
// Thread-safety: const functions may run in many threads; learn() needs the object alone.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "meta/tokenizer.hpp"
#include "rvf/result.hpp"
#include "wire/bytes.hpp"

namespace rvf::embed {

inline constexpr uint32_t kDefaultTextDimension = 384;

struct EmbedderOptions {
  uint32_t dimension = kDefaultTextDimension;  // 8 to 65535
  bool stem = true;
};

class TextEmbedder {
 public:
  // kBadArgument for a dimension out of range.
  static Result<TextEmbedder> create(EmbedderOptions options = {});

  uint32_t dimension() const noexcept { return options_.dimension; }
  uint64_t documents() const noexcept { return documents_; }

  // Counts a document's features. Vectors made before and after differ in their weights: learn from
  // the collection first, or from its first commit, and keep the table.
  void learn(std::string_view text);

  std::vector<float> embed(std::string_view text) const;

  // The table and the options, for keeping in the collection.
  wire::Bytes encode() const;
  static Result<TextEmbedder> decode(wire::ByteSpan bytes);

 private:
  explicit TextEmbedder(EmbedderOptions options);

  EmbedderOptions options_;
  meta::Tokenizer tokenizer_;
  uint64_t documents_ = 0;
  std::vector<uint32_t> frequencies_;  // of hashed features, 2^16 cells
};

// ln(n / d) for 1 <= d, 1 <= n, the same bits everywhere; accurate to about 1e-12.
double portable_log_ratio(uint64_t n, uint64_t d) noexcept;

}  // namespace rvf::embed
