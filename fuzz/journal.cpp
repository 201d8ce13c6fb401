#include "wire/journal_codec.hpp"

#include "fuzz.hpp"

RVF_FUZZ { rvf::fuzz::round_trip(input, rvf::wire::decode_journal, rvf::wire::encode_journal); }
