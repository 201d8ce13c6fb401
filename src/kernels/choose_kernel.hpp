// From a pair of dtype and metric to the kernel compiled for it. Internal to src/kernels.
#pragma once
#include "kernels/kernel_table.hpp"

namespace rvf::kernels::detail {

// `Set` belongs to one unit (an unnamed namespace) and has the variable templates kFloat<D, M>,
// kInteger<D, M> and kBinary<M>. Null for what no unit offers.
template <class Set, DType D>
KernelFn choose_metric(Metric metric, bool integer) {
  if constexpr (D == DType::kI8 || D == DType::kU8) {
    if (integer) {
      switch (metric) {
        case Metric::kL2: return Set::template kInteger<D, Metric::kL2>;
        case Metric::kInnerProduct: return Set::template kInteger<D, Metric::kInnerProduct>;
        case Metric::kCosine: return Set::template kInteger<D, Metric::kCosine>;
        case Metric::kHamming: return nullptr;
      }
    }
  }
  switch (metric) {
    case Metric::kL2: return Set::template kFloat<D, Metric::kL2>;
    case Metric::kInnerProduct: return Set::template kFloat<D, Metric::kInnerProduct>;
    case Metric::kCosine: return Set::template kFloat<D, Metric::kCosine>;
    case Metric::kHamming: return nullptr;
  }
  return nullptr;
}

template <class Set>
KernelFn choose_binary(Metric metric) {
  switch (metric) {
    case Metric::kL2: return Set::template kBinary<Metric::kL2>;
    case Metric::kInnerProduct: return Set::template kBinary<Metric::kInnerProduct>;
    case Metric::kCosine: return Set::template kBinary<Metric::kCosine>;
    case Metric::kHamming: return Set::template kBinary<Metric::kHamming>;
  }
  return nullptr;
}

template <class Set>
KernelFn choose_kernel(DType dtype, Metric metric, bool integer) {
  switch (dtype) {
    case DType::kF32: return choose_metric<Set, DType::kF32>(metric, integer);
    case DType::kF16: return choose_metric<Set, DType::kF16>(metric, integer);
    case DType::kBF16: return choose_metric<Set, DType::kBF16>(metric, integer);
    case DType::kI8: return choose_metric<Set, DType::kI8>(metric, integer);
    case DType::kU8: return choose_metric<Set, DType::kU8>(metric, integer);
    case DType::kI4: return choose_metric<Set, DType::kI4>(metric, integer);
    case DType::kBinary: return choose_binary<Set>(metric);
    case DType::kPQ:
    case DType::kCustom: return nullptr;
  }
  return nullptr;
}

}  // namespace rvf::kernels::detail
