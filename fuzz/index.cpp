#include "wire/index_codec.hpp"

#include <array>
#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  const auto view = IndexView::parse(input);
  if (!view) return;
  std::array<uint32_t, kMaxListLength> list{};
  for (uint64_t node = 0; node < view->meta().node_count && node < 1000; ++node) {
    const uint32_t layers = view->layer_count(node);
    for (uint32_t layer = 0; layer <= layers && layer < 40; ++layer) {
      bool bad = false;
      const size_t n = view->neighbours(node, layer, list.data(), bad);
      rvf::fuzz::require(n <= list.size());
      for (size_t i = 0; i < n; ++i) rvf::fuzz::require(list[i] < view->meta().total_nodes);
    }
  }
}
