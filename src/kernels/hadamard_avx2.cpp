#include "kernels/hadamard.hpp"

#include <utility>

namespace rvf::kernels {
namespace {
constexpr int kLanes = 8;
}  // namespace
}  // namespace rvf::kernels

#include "kernels/hadamard_generic.hpp"

namespace rvf::kernels {

HadamardKernel detail::avx2_hadamard() noexcept { return {forward, backward}; }

}  // namespace rvf::kernels
