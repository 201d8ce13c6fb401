#include "embed/text_embedder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "rvf/types.hpp"

namespace rvf::embed {
namespace {

constexpr uint32_t kTableMagic = 0x31455652;  // "RVE1"
constexpr size_t kCells = 1 << 16;
constexpr uint32_t kStemFlag = 1;
// What a feature kind counts against a whole word: many n-grams come from one word.
constexpr double kWordWeight = 1.0;
constexpr double kPairWeight = 0.35;
constexpr double kGramWeight = 0.22;

uint64_t mix(uint64_t h) noexcept {  // the finaliser of MurmurHash3
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDULL;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ULL;
  h ^= h >> 33;
  return h;
}

uint64_t hash(std::string_view s, uint64_t seed) noexcept {  // FNV-1a, finished
  uint64_t h = 0xCBF29CE484222325ULL ^ seed;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(h);
}

struct Feature {
  uint64_t hash = 0;
  double weight = 0;  // of its kind
  uint32_t count = 1;
};

constexpr uint64_t kWordSeed = 0x9E3779B97F4A7C15ULL;
constexpr uint64_t kPairSeed = 0xC2B2AE3D27D4EB4FULL;
constexpr uint64_t kGramSeed = 0x165667B19E3779F9ULL;

// Ends of code points, so that n-grams never cut one.
std::vector<size_t> boundaries(std::string_view s) {
  std::vector<size_t> out;
  for (size_t i = 0; i < s.size(); ++i) {
    if ((static_cast<unsigned char>(s[i]) & 0xC0) != 0x80) out.push_back(i);
  }
  out.push_back(s.size());
  return out;
}

// In the order of the text, repeats included.
std::vector<Feature> raw_features(const meta::Tokenizer& tokenizer, std::string_view text) {
  std::vector<Feature> out;
  uint64_t before = 0;
  std::string framed;
  for (const meta::Token& t : tokenizer.tokenize(text)) {
    if (t.stop_word) {
      before = 0;
      continue;
    }
    const uint64_t word = hash(t.term, kWordSeed);
    out.push_back({word, kWordWeight, 1});
    if (before != 0) out.push_back({mix(before * 31 + word + kPairSeed), kPairWeight, 1});
    before = word;
    framed.assign(1, '<');
    framed += t.term;
    framed += '>';
    const std::vector<size_t> at = boundaries(framed);
    const size_t letters = at.size() - 1;
    for (size_t n = 3; n <= 5 && n <= letters; ++n) {
      for (size_t i = 0; i + n <= letters; ++i) {
        const std::string_view gram = std::string_view(framed).substr(at[i], at[i + n] - at[i]);
        out.push_back({hash(gram, kGramSeed), kGramWeight, 1});
      }
    }
  }
  return out;
}

// Sorted by hash, equal ones counted: the order of the sums, and so their last bits, is fixed.
std::vector<Feature> features_of(const meta::Tokenizer& tokenizer, std::string_view text) {
  std::vector<Feature> out = raw_features(tokenizer, text);
  std::sort(out.begin(), out.end(),
            [](const Feature& a, const Feature& b) { return a.hash < b.hash; });
  size_t kept = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (kept > 0 && out[kept - 1].hash == out[i].hash) {
      ++out[kept - 1].count;
    } else {
      out[kept++] = out[i];
    }
  }
  out.resize(kept);
  return out;
}

}  // namespace

double portable_log_ratio(uint64_t n, uint64_t d) noexcept {
  // x = m * 2^e with m in [1, 2); ln m = 2 artanh((m - 1) / (m + 1)) as a series.
  const double x = static_cast<double>(n) / static_cast<double>(d);
  const auto bits = std::bit_cast<uint64_t>(x);
  const int exponent = static_cast<int>(bits >> 52) - 1023;
  const double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL);
  const double z = (m - 1) / (m + 1);
  const double zz = z * z;
  double power = z;
  double sum = 0;
  for (int i = 1; i < 40; i += 2) {
    sum += power / i;
    power *= zz;
  }
  return 2 * sum + exponent * 0.69314718055994530942;
}

TextEmbedder::TextEmbedder(EmbedderOptions options)
    : options_(options), tokenizer_({.stem = options.stem}), frequencies_(kCells) {}

Result<TextEmbedder> TextEmbedder::create(EmbedderOptions options) {
  if (options.dimension < 8 || options.dimension > kMaxDimension) {
    return Error(ErrorCode::kBadArgument, "text embedder: the dimension must be 8 to 65535");
  }
  return TextEmbedder(options);
}

void TextEmbedder::learn(std::string_view text) {
  ++documents_;
  // Two features of a document in one cell count it once.
  std::vector<bool> seen(kCells);
  for (const Feature& f : raw_features(tokenizer_, text)) {
    const auto cell = static_cast<size_t>(f.hash >> 48);
    if (seen[cell]) continue;
    seen[cell] = true;
    ++frequencies_[cell];
  }
}

std::vector<float> TextEmbedder::embed(std::string_view text) const {
  std::vector<double> sums(options_.dimension);
  for (const Feature& f : features_of(tokenizer_, text)) {
    const uint64_t df = frequencies_[f.hash >> 48];
    const double idf = portable_log_ratio(documents_ + 2, df + 1);
    const double value = f.weight * std::sqrt(static_cast<double>(f.count)) * std::max(idf, 0.0);
    // Two cells with signs for each feature: fewer features then cancel out whole.
    const uint64_t second = mix(f.hash + kPairSeed);
    const auto add = [&](uint64_t h) {
      const auto cell = static_cast<size_t>(((h & 0xFFFFFFFF) * options_.dimension) >> 32);
      sums[cell] += (h >> 40 & 1) != 0 ? value : -value;
    };
    add(f.hash);
    add(second);
  }
  double squares = 0;
  for (const double v : sums) squares += v * v;
  std::vector<float> out(options_.dimension);
  if (squares == 0) return out;
  const double scale = 1 / std::sqrt(squares);
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(sums[i] * scale);
  return out;
}

// u32 magic, u32 dimension, u32 flags, u32 cells, u64 documents, then a varint for each cell.
wire::Bytes TextEmbedder::encode() const {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.u32(kTableMagic);
  out.u32(options_.dimension);
  out.u32(options_.stem ? kStemFlag : 0);
  out.u32(static_cast<uint32_t>(frequencies_.size()));
  out.u64(documents_);
  for (const uint32_t f : frequencies_) out.varint(f);
  return bytes;
}

Result<TextEmbedder> TextEmbedder::decode(wire::ByteSpan bytes) {
  wire::ByteReader in(bytes);
  if (in.u32() != kTableMagic) return Error(ErrorCode::kBadMagic, "text embedder: not its table");
  EmbedderOptions options;
  options.dimension = in.u32();
  const uint32_t flags = in.u32();
  const uint32_t cells = in.u32();
  const uint64_t documents = in.u64();
  if (!in.ok()) return Error(ErrorCode::kTruncated, "text embedder: the table is cut off");
  if ((flags & ~kStemFlag) != 0 || cells != kCells) {
    return Error(ErrorCode::kUnsupported, "text embedder: a table of another version");
  }
  options.stem = (flags & kStemFlag) != 0;
  RVF_ASSIGN(TextEmbedder embedder, create(options));
  embedder.documents_ = documents;
  for (uint32_t& f : embedder.frequencies_) {
    const uint64_t v = in.varint();
    if (v > documents || v > 0xFFFFFFFF) {
      return Error(ErrorCode::kCorrupt,
                   "text embedder: a feature in more documents than there are");
    }
    f = static_cast<uint32_t>(v);
  }
  if (!in.ok()) return Error(ErrorCode::kTruncated, "text embedder: the table is cut off");
  if (in.remaining() > 0) return Error(ErrorCode::kCorrupt, "text embedder: bytes after the table");
  return embedder;
}

}  // namespace rvf::embed
