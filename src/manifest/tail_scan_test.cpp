#include "manifest/tail_scan.hpp"

#include <cstring>

#include "manifest/manifest_test_util.hpp"

namespace rvf::manifest {
namespace {

TEST(TailScan, TheFirstReadIsTheLastFourThousandAndNinetySixBytes) {
  LogMaker m;
  for (int i = 0; i < 100; ++i) m.commit();
  const CountingFile counted(*m.file);
  const auto found = find_manifest(counted, nullptr);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->at_tail);
  EXPECT_EQ(found->log.epoch(), 100U);
  EXPECT_EQ(found->manifest_end, m.size());
  const auto first = std::pair<uint64_t, uint64_t>(m.size() - kRootSize, kRootSize);
  EXPECT_EQ(counted.reads[0], first);
  const CountingFile booted(*m.file);
  ASSERT_TRUE(boot(booted).ok());
  EXPECT_EQ(booted.reads.size(), 1U) << "Level 0 is one read";
}

TEST(TailScan, ATornTailOfAnyLengthFallsBackToTheCommitBefore) {
  LogMaker m;
  for (int i = 0; i < 12; ++i) m.commit();
  const uint64_t whole = m.size();
  m.commit();
  const uint64_t full = m.size();
  std::vector<std::byte> bytes(full);
  ASSERT_TRUE(m.file->read(0, bytes).ok());
  for (uint64_t length = whole; length < full; length += 13) {
    auto cut =
        io::memory_file({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    const auto found = find_manifest(*cut, nullptr);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->log.epoch(), 12U);
    EXPECT_EQ(found->at_tail, length == whole);
    EXPECT_EQ(found->manifest_end, whole);
    EXPECT_EQ(found->rejected, 0U);
  }
}

TEST(TailScan, GarbageAfterTheLastCommitIsSkipped) {
  LogMaker m;
  for (int i = 0; i < 12; ++i) m.commit();
  const uint64_t whole = m.size();
  std::vector<std::byte> garbage(3'000'000);
  for (size_t i = 0; i < garbage.size(); ++i) garbage[i] = static_cast<std::byte>(i * i >> 3);
  ASSERT_TRUE(m.file->write(whole, garbage).ok());
  const auto found = find_manifest(*m.file, nullptr);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->manifest_end, whole);
  EXPECT_FALSE(found->at_tail);
}

TEST(TailScan, ADamagedRootIsCountedAndNamed) {
  LogMaker m;
  for (int i = 0; i < 12; ++i) m.commit();
  const std::array<std::byte, 1> x{std::byte{0xEE}};
  ASSERT_TRUE(m.file->write(m.size() - 2000, x).ok());
  const auto found = find_manifest(*m.file, nullptr);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->log.epoch(), 11U);
  EXPECT_EQ(found->rejected, 1U);
  EXPECT_EQ(found->highest_seen, 12U);
  EXPECT_FALSE(found->reason.empty());
}

TEST(TailScan, ACandidateThatTheCallerRejectsIsPassedOver) {
  LogMaker m;
  for (int i = 0; i < 12; ++i) m.commit();
  const auto accept = [](const ManifestLog& log) -> Status {
    if (log.epoch() > 7) return Error(ErrorCode::kBadChecksum, "too new");
    return {};
  };
  const auto found = find_manifest(*m.file, accept);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->log.epoch(), 7U);
  EXPECT_EQ(found->rejected, 5U);
  EXPECT_EQ(found->highest_seen, 12U);
}

// Falling back is for damage. Where the newest commit merely cannot be read now, older data must
// not pass for it.
TEST(TailScan, AnErrorOfTheSystemIsReturnedInsteadOfAnOlderEpoch) {
  LogMaker m;
  for (int i = 0; i < 12; ++i) m.commit();
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kOutOfMemory, ErrorCode::kBudgetExceeded,
                               ErrorCode::kPermission, ErrorCode::kNoSuchFile}) {
    int calls = 0;
    const auto accept = [&](const ManifestLog&) -> Status {
      if (++calls == 1) return Error(code, "not now");
      return {};
    };
    const auto found = find_manifest(*m.file, accept);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, code);
  }
}

TEST(TailScan, WhatIsNoStoreIsToldApart) {
  EXPECT_EQ(find_manifest(*io::memory_file({}), nullptr).error().code, ErrorCode::kNotAStore);
  auto text = io::memory_file(std::vector<std::byte>(9000, std::byte{'x'}));
  EXPECT_EQ(find_manifest(*text, nullptr).error().code, ErrorCode::kNotAStore);
  LogMaker m;
  m.commit();
  std::vector<std::byte> bytes(m.size() - 64);
  ASSERT_TRUE(m.file->read(0, bytes).ok());
  EXPECT_EQ(find_manifest(*io::memory_file(bytes), nullptr).error().code,
            ErrorCode::kManifestNotFound);
}

TEST(TailScan, AFileFullOfRootMagicsIsReadInLinearTime) {
  std::vector<std::byte> bytes(4U << 20);
  for (size_t at = 0; at < bytes.size(); at += 64) {
    std::memcpy(bytes.data() + at, &kRootMagic, 4);
  }
  const auto file = io::memory_file(bytes);
  const CountingFile counted(*file);
  EXPECT_FALSE(find_manifest(counted, nullptr).ok());
  EXPECT_LE(counted.bytes, 70 * bytes.size()) << "each 64 bytes may cost a root of 4096";
}

TEST(TailScan, AFileFullOfRefusedManifestsIsReadInLinearTime) {
  for (const size_t commits : {100U, 1000U}) {
    LogMaker m;
    for (size_t i = 0; i < commits; ++i) m.commit();
    const CountingFile counted(*m.file);
    const auto refuse = [](const ManifestLog&) -> Status {
      return Error(ErrorCode::kBadChecksum, "never good");
    };
    EXPECT_FALSE(find_manifest(counted, refuse).ok());
    EXPECT_LE(counted.bytes, 70 * m.size());
  }
}

}  // namespace
}  // namespace rvf::manifest
