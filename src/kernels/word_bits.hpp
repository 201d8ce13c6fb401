// Bits by 64-bit words and the scalar population count, for vector units whose registers have
// none. Included once by such a unit; no include guard and an anonymous namespace on purpose: every
// unit must keep its own copy, compiled with its own flags.
namespace rvf::kernels::detail {
namespace {

struct WordBits {
  using B = uint64_t;
  using Count = uint64_t;
  static constexpr size_t kBitBytes = 8;

  static B load_bits(const std::byte* p) {
    B v;
    __builtin_memcpy(&v, p, 8);
    return v;
  }
  // `bits` < 64; the others are zero and bytes beyond them are not touched.
  static B tail_bits(const std::byte* p, size_t bits) {
    B v = 0;
    for (size_t b = 0; b < (bits + 7) / 8; ++b) v |= static_cast<B>(p[b]) << (b * 8);
    return v & ((B{1} << bits) - 1);
  }
  static B differ(B a, B b) { return a ^ b; }
  static B common(B a, B b) { return a & b; }
  static Count no_bits() { return 0; }
  static Count count_bits(Count n, B b) {
    return n + static_cast<uint64_t>(__builtin_popcountll(b));
  }
  static Count doubled(Count n) { return n << 1; }
  static Count add_shifted(Count n, Count term, unsigned by) { return n + (term << by); }
  static uint64_t total_bits(Count n) { return n; }
};

}  // namespace
}  // namespace rvf::kernels::detail
