// An npz archive: its directory, and every array that it lists, read to the end.
#include "interop/npz.hpp"

#include "memory_file.hpp"

using namespace rvf;           // NOLINT: a program of one function
using namespace rvf::interop;  // NOLINT

RVF_FUZZ {
  const fuzz::MemoryFile file(input);
  const auto archive = ByteSource::open(file.path());
  if (!archive) return;
  const auto members = npz_members(**archive);
  if (!members) {
    fuzz::require(!members.error().message.empty());
    return;
  }
  std::vector<std::byte> buffer(4096);
  for (const NpzMember& m : *members) {
    fuzz::require(m.place.offset <= input.size());
    fuzz::require(m.place.packed <= input.size() - m.place.offset);
    auto source = ByteSource::open_member(file.path(), m.name, m.place);
    uint64_t total = 0;
    while (source && total < (1 << 22)) {
      const auto n = (*source)->read(buffer.data(), buffer.size());
      if (!n || *n == 0) break;
      total += *n;
      fuzz::require(total <= m.place.size);  // more is damage, found before it is handed over
    }
  }
}
