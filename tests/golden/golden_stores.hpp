// The stores that are kept for ever, and what is known of them, as JSON text.
#pragma once
#include <string>

#include "rvf/store.hpp"

namespace rvf::testing {

// Everything that must never change for whoever reads an old file. Later versions may answer more
// questions in new sets, but not these otherwise.
std::string golden_text(const Store& store);

}  // namespace rvf::testing
