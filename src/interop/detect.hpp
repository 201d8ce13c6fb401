// Recognises a vector file by its first bytes and its size; vector_file.hpp states the rule.
#pragma once
#include "interop/byte_source.hpp"
#include "interop/vector_file.hpp"

namespace rvf::interop {

// Consumes nothing. kBadArgument for an empty file, kUnsupported when nothing fits.
Result<Format> detect_format(ByteSource& source);

// The extension in lower case, without the dot and without a last ".gz"; may be empty.
std::string extension_of(const std::string& path);

}  // namespace rvf::interop
