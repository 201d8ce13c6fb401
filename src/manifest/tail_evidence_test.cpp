#include "manifest/tail_evidence.hpp"

#include <gtest/gtest.h>

#include "manifest/manifest_test_util.hpp"

namespace rvf::manifest {
namespace {}  // namespace
}  // namespace rvf::manifest
