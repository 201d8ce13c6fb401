// The rotation round for vectors of kLanes floats, which the including unit has defined. Included
// once by each unit, which keeps its own copy, compiled with its own flags: hence no include guard
// and the anonymous namespace.
namespace rvf::kernels {
namespace {

using Lanes = float __attribute__((vector_size(kLanes * 4)));

// Values may lie at any address that suits a float.
inline Lanes load(const float* p) {
  Lanes v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
inline void store(float* p, Lanes v) { __builtin_memcpy(p, &v, sizeof(v)); }

template <int kStep, int... kLane>
inline Lanes partners(Lanes v, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(v, v, (kLane ^ kStep)...);
}

// (sum, difference) of neighbours kStep lanes apart: partner + own value, negated where it is the
// upper one.
template <int kStep>
inline Lanes within(Lanes v) {
  Lanes sign;
  for (int i = 0; i < kLanes; ++i) sign[i] = (i & kStep) != 0 ? -1.0F : 1.0F;
  return partners<kStep>(v, std::make_integer_sequence<int, kLanes>{}) + v * sign;
}

inline Lanes within_all(Lanes v) {
  v = within<1>(v);
  v = within<2>(v);
  if constexpr (kLanes > 4) v = within<4>(v);
  if constexpr (kLanes > 8) v = within<8>(v);
  return v;
}

// Two levels at once: four vectors `step` values apart.
inline void four(float* p, size_t step, Lanes a, Lanes b, Lanes c, Lanes d) {
  const Lanes ab = a + b;
  const Lanes a_b = a - b;
  const Lanes cd = c + d;
  const Lanes c_d = c - d;
  store(p, ab + cd);
  store(p + step, a_b + c_d);
  store(p + 2 * step, ab - cd);
  store(p + 3 * step, a_b - c_d);
}

// Levels in ascending order: pairs 1, 2, 4, ... window / 2 apart.
inline void transform(float* x, size_t window) {
  size_t step = kLanes;
  if (window >= 4 * kLanes) {
    for (float* p = x; p < x + window; p += 4 * kLanes) {
      four(p, kLanes, within_all(load(p)), within_all(load(p + kLanes)),
           within_all(load(p + 2 * kLanes)), within_all(load(p + 3 * kLanes)));
    }
    step = 4 * kLanes;
  } else {
    for (float* p = x; p < x + window; p += kLanes) store(p, within_all(load(p)));
  }
  for (; step * 4 <= window; step *= 4) {
    for (float* group = x; group < x + window; group += 4 * step) {
      for (float* p = group; p < group + step; p += kLanes) {
        four(p, step, load(p), load(p + step), load(p + 2 * step), load(p + 3 * step));
      }
    }
  }
  if (step < window) {  // one level is left, and it is the last
    for (float* p = x; p < x + step; p += kLanes) {
      const Lanes a = load(p);
      const Lanes b = load(p + step);
      store(p, a + b);
      store(p + step, a - b);
    }
  }
}

inline void butterflies(float* x, size_t padded) {
  constexpr float kHalfRoot = 0.70710678F;
  const size_t half = padded / 2;  // a multiple of 8
  size_t i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    const Lanes a = load(x + i);
    const Lanes b = load(x + i + half);
    store(x + i, (a + b) * kHalfRoot);
    store(x + i + half, (a - b) * kHalfRoot);
  }
  for (; i < half; ++i) {
    const float a = x[i];
    const float b = x[i + half];
    x[i] = (a + b) * kHalfRoot;
    x[i + half] = (a - b) * kHalfRoot;
  }
}

inline void scale(float* x, const float* factors, size_t n) {
  for (size_t i = 0; i < n; i += kLanes) store(x + i, load(x + i) * load(factors + i));
}

void forward(const HadamardRound& round, float* values) {
  scale(values, round.factors, round.padded);
  transform(values + round.first, round.window);
  if (round.butterfly) butterflies(values, round.padded);
}

void backward(const HadamardRound& round, float* values) {
  if (round.butterfly) butterflies(values, round.padded);
  transform(values + round.first, round.window);
  scale(values, round.factors, round.padded);
}

}  // namespace
}  // namespace rvf::kernels
