#include "wire/delta.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  ByteReader in(input);
  const uint32_t interval = in.u8();
  const uint64_t count = in.varint();
  const uint64_t restart_bytes = in.u16();
  const uint64_t probe = in.u64();
  const ByteSpan restarts = in.bytes(restart_bytes);
  if (!in.ok()) return;
  const ByteSpan values = input.subspan(in.position());
  if (const auto list = DeltaList::open(values, restarts, count, interval)) {
    for (uint64_t i = 0; i < list->size() && i < 1000; ++i) (void)list->at(i);
    (void)list->lower_bound(probe);
  }
  const auto decoded = read_deltas(in, count, interval);
  if (!decoded) return;
  Bytes bytes;
  ByteWriter out(bytes);
  write_deltas(out, *decoded, interval);
  ByteReader again(bytes);
  const auto back = read_deltas(again, count, interval);
  rvf::fuzz::require(back && *back == *decoded);
}
