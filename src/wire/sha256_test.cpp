#include "wire/sha256.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rvf::wire {
namespace {

std::string hex(const Sha256Digest& digest) {
  std::string out;
  for (const uint8_t b : digest) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

// The examples of FIPS 180-4 and of NIST's CSRC page of them.
TEST(Sha256, GivesWhatTheStandardGives) {
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(as_bytes("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                                "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"))),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(hex(sha256(as_bytes(std::string(1000000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesOfAnyLengthGiveTheSameDigest) {
  const std::string text(300, 'x');
  for (size_t length = 0; length <= text.size(); ++length) {
    const ByteSpan data = as_bytes(std::string_view(text).substr(0, length));
    Sha256 h;
    for (size_t at = 0; at < length; at += 7)
      h.update(data.subspan(at, std::min<size_t>(7, length - at)));
    EXPECT_EQ(h.finish(), sha256(data)) << length;
  }
}

}  // namespace
}  // namespace rvf::wire
