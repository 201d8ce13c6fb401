#include "wire/segment.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  const auto view = read_segment(input, 0, false);
  if (!view) return;
  rvf::fuzz::require(view->end % 64 == 0 && view->end <= input.size());
  const auto algo = view->header.checksum;
  if (!is_known(algo)) return;
  const Bytes again = make_segment(view->header, view->payload);
  const auto back = read_segment(again, 0, true);
  // A signed segment loses its footer here and with it the room that its trailer had.
  rvf::fuzz::require(back && back->payload.size() == view->payload.size());
}
