// One place turns errno into an Error with a message that names the path and the failed action.
#pragma once
#include <string>

#include "rvf/result.hpp"

namespace rvf::io {

Error errno_error(int error_number, const std::string& action, const std::string& path);

}  // namespace rvf::io
