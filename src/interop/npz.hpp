// Opens what a user names as an input: a file, a pipe, "-" for standard input, or one array of an npz
// archive. Of an archive FILE.npz:NAME is the array of that name; FILE.npz alone the only one there is.
//
// npz is a zip archive of npy files (numpy.savez, numpy.savez_compressed; APPNOTE.TXT 6.3): members
// are stored or deflated, and read through the central directory at the archive's end, so that it has
// to be a plain file. Sizes and checksums that it claims are checked while the array is read.
// Errors: those of ByteSource, kUnsupported (several arrays and no name, encryption, another method, an
// archive in a pipe), kCorrupt and kTruncated (a damaged directory), kNotFound (no array of that name).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "interop/byte_source.hpp"

namespace rvf::interop {

Result<std::unique_ptr<ByteSource>> open_input(const std::string& path);

struct NpzMember {
  std::string name;  // without ".npy"
  MemberPlace place;
};
// The members whose names end in .npy.
Result<std::vector<NpzMember>> npz_members(const ByteSource& archive);

}  // namespace rvf::interop
