// Names of the operating system's files, and what hangs on them.
#pragma once
#include <string>

#include "io/file.hpp"

namespace rvf::io {

// FileSystem::resolve() and copy_attributes().
Result<std::string> resolve_path(const std::string& path);
Status copy_file_attributes(const std::string& from, const std::string& to);

}  // namespace rvf::io
