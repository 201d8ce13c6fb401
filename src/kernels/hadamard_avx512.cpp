#include "kernels/hadamard.hpp"

#include <utility>

namespace rvf::kernels {
namespace {
constexpr int kLanes = 16;
}  // namespace
}  // namespace rvf::kernels

#include "kernels/hadamard_generic.hpp"

namespace rvf::kernels {

HadamardKernel detail::avx512_hadamard() noexcept { return {forward, backward}; }

}  // namespace rvf::kernels
