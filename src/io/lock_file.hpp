// The writer lock of the operating system: `<store>.lock` holds the documented 104-byte record, for
// people and for programs that look at it; the right itself is an open-file-description lock on
// that file, which the kernel drops when the holder dies.
#pragma once
#include <memory>
#include <string>

#include "io/file.hpp"

namespace rvf::io {

Result<std::unique_ptr<WriterLock>> lock_store_file(const std::string& store_path);

}  // namespace rvf::io
