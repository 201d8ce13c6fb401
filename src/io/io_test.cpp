#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "io/file.hpp"
#include "types/limits.hpp"

namespace rvf::io {
namespace {

using Bytes = std::vector<std::byte>;

Bytes pattern(size_t n, uint8_t seed) {
  Bytes out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(i * 31 + seed);
  return out;
}

// A fresh folder a test; the memory file system takes its paths as mere names.
class IoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rvf-io-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

class BothFileSystems : public IoTest, public ::testing::WithParamInterface<bool> {
 protected:
  std::shared_ptr<FileSystem> fs_ = GetParam() ? posix_file_system() : memory_file_system();
};
INSTANTIATE_TEST_SUITE_P(PosixAndMemory, BothFileSystems, ::testing::Bool(),
                         [](const auto& p) { return p.param ? "Posix" : "Memory"; });

TEST_P(BothFileSystems, WhatIsWrittenInPartsIsReadBackAndAHoleReadsAsZeros) {
  auto file = fs_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  File& f = **file;
  const Bytes one = pattern(100, 1);
  const Bytes two = pattern(5000, 2);
  const std::span<const std::byte> parts[] = {one, {}, two};
  ASSERT_TRUE(f.write(4000, parts).ok());
  EXPECT_EQ(*f.size(), 9100U);
  Bytes all(9100);
  ASSERT_TRUE(f.read(0, all).ok());
  EXPECT_EQ(Bytes(all.begin(), all.begin() + 4000), Bytes(4000));
  EXPECT_EQ(Bytes(all.begin() + 4000, all.begin() + 4100), one);
  EXPECT_EQ(Bytes(all.begin() + 4100, all.end()), two);
  EXPECT_TRUE(f.sync().ok());
}

TEST_P(BothFileSystems, AReadPastTheEndFailsAsTruncated) {
  auto file = fs_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write(0, pattern(10, 1)).ok());
  Bytes out(11);
  EXPECT_EQ((*file)->read(0, out).error().code, ErrorCode::kTruncated);
  EXPECT_EQ((*file)->read(1000, out).error().code, ErrorCode::kTruncated);
  EXPECT_TRUE((*file)->read(10, {}).ok());
}

TEST_P(BothFileSystems, TruncationCutsAndWhatIsGrownAgainReadsAsZeros) {
  auto file = fs_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write(0, pattern(1000, 7)).ok());
  ASSERT_TRUE((*file)->truncate(10).ok());
  EXPECT_EQ(*(*file)->size(), 10U);
  ASSERT_TRUE((*file)->truncate(20).ok());
  Bytes out(20);
  ASSERT_TRUE((*file)->read(0, out).ok());
  Bytes expected = pattern(10, 7);
  expected.resize(20);
  EXPECT_EQ(out, expected);
}

TEST_P(BothFileSystems, AMappingBeyondTheEndBecomesReadableOrIsRenewedAsTheFileGrows) {
  auto file = fs_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write(0, pattern(100, 3)).ok());
  auto early = (*file)->map(1 << 20);
  ASSERT_TRUE(early.ok());
  EXPECT_EQ(std::memcmp((*early)->bytes().data(), pattern(100, 3).data(), 100), 0);
  const Bytes more = pattern(900, 4);
  ASSERT_TRUE((*file)->write(100, more).ok());
  if ((*early)->bytes().size() >= 1000) {
    EXPECT_EQ(std::memcmp((*early)->bytes().data() + 100, more.data(), 900), 0);
  }
  ASSERT_TRUE((*file)->write(1000, pattern(500000, 5)).ok());
  auto late = (*file)->map(501000);
  ASSERT_TRUE(late.ok());
  ASSERT_GE((*late)->bytes().size(), 501000U);
  EXPECT_EQ((*late)->bytes()[500999], pattern(500000, 5)[499999]);
  file->reset();
  EXPECT_EQ(std::memcmp((*early)->bytes().data(), pattern(100, 3).data(), 100), 0)
      << "a mapping outlives its file";
  (*early)->will_need(0, 4096);
  (*early)->will_need(1ULL << 40, 4096);
  (*early)->expect_random();
}

// A mapping that was there before the file grew must not show old bytes where the file was cut and
// written anew.
TEST_P(BothFileSystems, AnEarlyMappingShowsWhatIsWrittenAfterGrowthAndTruncation) {
  auto file = fs_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write(0, pattern(4000, 3)).ok());
  auto early = (*file)->map(1 << 20);
  ASSERT_TRUE(early.ok());
  ASSERT_TRUE((*file)->write(4000, pattern(90000, 4)).ok());
  ASSERT_TRUE((*file)->truncate(4000).ok());
  const Bytes again = pattern(64, 9);
  ASSERT_TRUE((*file)->write(4000, again).ok());
  ASSERT_GE((*early)->bytes().size(), 4064U);
  EXPECT_EQ(std::memcmp((*early)->bytes().data() + 4000, again.data(), 64), 0);
}

TEST_P(BothFileSystems, TheDirectoryCreatesRenamesRemovesAndNamesWhatIsMissing) {
  EXPECT_EQ(fs_->open(path("a"), OpenMode::kRead).error().code, ErrorCode::kNoSuchFile);
  EXPECT_EQ(fs_->open(path("a"), OpenMode::kReadWrite).error().code, ErrorCode::kNoSuchFile);
  EXPECT_FALSE(*fs_->exists(path("a")));
  auto a = fs_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(a.ok());
  EXPECT_EQ(fs_->open(path("a"), OpenMode::kCreateNew).error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE((*a)->write(0, pattern(10, 1)).ok());
  auto b = fs_->open(path("b"), OpenMode::kCreateNew);
  ASSERT_TRUE(b.ok());
  EXPECT_NE(*(*a)->identity(), *(*b)->identity());
  ASSERT_TRUE(fs_->rename(path("a"), path("b")).ok());
  EXPECT_TRUE(fs_->sync_parent(path("b")).ok());
  EXPECT_FALSE(*fs_->exists(path("a")));
  EXPECT_EQ(*fs_->identity(path("b")), *(*a)->identity());
  EXPECT_EQ(*(*fs_->open(path("b"), OpenMode::kRead))->size(), 10U);
  EXPECT_EQ(fs_->rename(path("a"), path("b")).error().code, ErrorCode::kNoSuchFile);
  EXPECT_TRUE(fs_->remove(path("b")).ok());
  EXPECT_TRUE(fs_->remove(path("b")).ok()) << "absent is fine";
  EXPECT_EQ(fs_->identity(path("b")).error().code, ErrorCode::kNoSuchFile);
}

TEST_P(BothFileSystems, AFileOpenedForReadingRefusesWrites) {
  ASSERT_TRUE(fs_->open(path("a"), OpenMode::kCreateNew).ok());
  auto f = fs_->open(path("a"), OpenMode::kRead);
  ASSERT_TRUE(f.ok());
  EXPECT_FALSE((*f)->write(0, pattern(4, 0)).ok());
  EXPECT_FALSE((*f)->truncate(4).ok());
}

TEST_P(BothFileSystems, ASecondLockIsRefusedAndTheRightReturnsWithTheHolder) {
  auto first = fs_->lock(path("s.rvf"));
  ASSERT_TRUE(first.ok());
  auto second = fs_->lock(path("s.rvf"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kLockHeld);
  ASSERT_TRUE(fs_->lock(path("other.rvf")).ok());
  first->reset();
  EXPECT_TRUE(fs_->lock(path("s.rvf")).ok());
}

TEST_P(BothFileSystems, TheLockOfAFileIsOnAllItsHandlesAndGoesWithTheOneThatHasIt) {
  auto first = fs_->open(path("a"), OpenMode::kCreatePrivate);
  ASSERT_TRUE(first.ok());
  auto second = fs_->open(path("a"), OpenMode::kReadWrite);
  auto reader = fs_->open(path("a"), OpenMode::kRead);
  EXPECT_FALSE(*(*reader)->is_locked());
  ASSERT_TRUE((*first)->lock().ok());
  EXPECT_TRUE((*first)->lock().ok()) << "once more does no harm";
  EXPECT_TRUE(*(*reader)->is_locked());
  EXPECT_FALSE(*(*first)->is_locked()) << "by another";
  EXPECT_EQ((*second)->lock().error().code, ErrorCode::kLockHeld);
  (*first)->unlock();
  ASSERT_TRUE((*second)->lock().ok());
  EXPECT_EQ((*first)->lock().error().code, ErrorCode::kLockHeld);
  second->reset();
  EXPECT_FALSE(*(*reader)->is_locked());
  EXPECT_TRUE((*first)->lock().ok());
}

TEST_P(BothFileSystems, ARenameToANewNameReplacesNothing) {
  ASSERT_TRUE(fs_->open(path("a"), OpenMode::kCreateNew).ok());
  ASSERT_TRUE(fs_->open(path("b"), OpenMode::kCreateNew).ok());
  EXPECT_EQ(fs_->rename_new(path("a"), path("b")).error().code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(*fs_->exists(path("a")));
  ASSERT_TRUE(fs_->rename_new(path("a"), path("c")).ok());
  EXPECT_FALSE(*fs_->exists(path("a")));
}

TEST_F(IoTest, TheLockOfAFileGoesByItsInodeAndNotToAForkedChild) {
  auto fs = posix_file_system();
  auto file = fs->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->lock().ok());
  std::filesystem::create_hard_link(path("a"), path("b"));
  std::filesystem::rename(path("a"), path("c"));
  for (const char* name : {"b", "c"}) {
    auto other = fs->open(path(name), OpenMode::kReadWrite);
    EXPECT_EQ((*other)->lock().error().code, ErrorCode::kLockHeld) << name;
  }
  EXPECT_EQ(*fs->link_count(path("b")), 2U);
  const auto name_lock = fs->lock(path("b"));
  ASSERT_TRUE(name_lock.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = !(*name_lock)->is_ours();
    (*file)->unlock();  // which is not the child's to give up
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto other = fs->open(path("b"), OpenMode::kReadWrite);
  EXPECT_EQ((*other)->lock().error().code, ErrorCode::kLockHeld);
}

TEST_F(IoTest, ANameIsResolvedThroughLinksToWhatExistsOrMayBeMade) {
  auto fs = posix_file_system();
  const std::string real = std::filesystem::canonical(folder_).string();
  std::filesystem::create_directory(path("d"));
  std::ofstream(path("d/s.rvf")) << "x";
  std::filesystem::create_symlink("d", path("up"));
  std::filesystem::create_symlink("d/s.rvf", path("one"));
  std::filesystem::create_symlink("one", path("two"));
  std::filesystem::create_symlink("d/new.rvf", path("new"));
  std::filesystem::create_symlink("round", path("round"));
  std::filesystem::create_symlink("gone/s.rvf", path("gone.rvf"));
  EXPECT_EQ(*fs->resolve(path("two")), real + "/d/s.rvf");
  EXPECT_EQ(*fs->resolve(path("up/../d/./s.rvf")), real + "/d/s.rvf");
  EXPECT_EQ(*fs->resolve(path("new")), real + "/d/new.rvf");
  EXPECT_EQ(*fs->resolve(path("none.rvf")), real + "/none.rvf");
  EXPECT_EQ(fs->resolve(path("none/")).error().code, ErrorCode::kNotAStore);
  EXPECT_EQ(fs->resolve(path("gone.rvf")).error().code, ErrorCode::kNoSuchFile);
  EXPECT_FALSE(fs->resolve(path("round")).ok());
  EXPECT_EQ(fs->resolve("").error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(fs->resolve(std::string("a\0b", 3)).error().code, ErrorCode::kBadArgument);
}

TEST_F(IoTest, AFolderAndAPipeAreNotStores) {
  auto fs = posix_file_system();
  EXPECT_EQ(fs->open(folder_, OpenMode::kRead).error().code, ErrorCode::kNotAStore);
  EXPECT_EQ(fs->open(folder_, OpenMode::kReadWrite).error().code, ErrorCode::kNotAStore);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(fs->open(path("pipe"), OpenMode::kRead).error().code, ErrorCode::kNotAStore);
}

TEST_F(IoTest, TheLockFileHoldsTheDocumentedRecord) {
  auto lock = posix_file_system()->lock(path("s.rvf"));
  ASSERT_TRUE(lock.ok());
  std::ifstream in(path("s.rvf.lock"), std::ios::binary);
  std::array<char, 200> raw{};
  in.read(raw.data(), raw.size());
  ASSERT_EQ(in.gcount(), static_cast<std::streamsize>(kLockRecordSize));
  const auto number = [&](size_t at) {
    uint32_t v = 0;
    std::memcpy(&v, raw.data() + at, 4);
    return v;
  };
  EXPECT_EQ(std::string(raw.data(), 4), "FLVR");
  EXPECT_EQ(number(0x04), static_cast<uint32_t>(::getpid()));
  char host[64] = {};
  ASSERT_EQ(::gethostname(host, sizeof(host) - 1), 0);
  EXPECT_STREQ(raw.data() + 0x08, host);
  uint64_t since = 0;
  std::memcpy(&since, raw.data() + 0x48, 8);
  EXPECT_GT(since, 1'700'000'000'000'000'000U);
  EXPECT_EQ(number(0x60), 1U);
  EXPECT_EQ(number(0x64), ::crc32(0, reinterpret_cast<const Bytef*>(raw.data()), 100));
  lock->reset();
  EXPECT_FALSE(std::filesystem::exists(path("s.rvf.lock")));
}

TEST_F(IoTest, ARefusedLockNamesTheProcessAndTheHost) {
  auto lock = posix_file_system()->lock(path("s.rvf"));
  ASSERT_TRUE(lock.ok());
  char host[64] = {};
  ASSERT_EQ(::gethostname(host, sizeof(host) - 1), 0);
  const auto refused = posix_file_system()->lock(path("s.rvf"));
  ASSERT_FALSE(refused.ok());
  const std::string& m = refused.error().message;
  EXPECT_NE(m.find("process " + std::to_string(::getpid()) + " on " + host), std::string::npos)
      << m;
}

TEST_F(IoTest, ALeftoverLockFileOfADeadProcessDoesNotBlock) {
  std::ofstream(path("s.rvf.lock")) << std::string(kLockRecordSize, 'x');
  EXPECT_TRUE(posix_file_system()->lock(path("s.rvf")).ok());
}

TEST_F(IoTest, TheLockIsFreeAgainWhenItsHolderIsKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = posix_file_system()->lock(path("s.rvf"));
    const char c = lock.ok() ? 'y' : 'n';
    (void)!::write(ready[1], &c, 1);
    while (true) ::pause();
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  EXPECT_EQ(c, 'y');
  const auto refused = posix_file_system()->lock(path("s.rvf"));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("process " + std::to_string(child)), std::string::npos);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(posix_file_system()->lock(path("s.rvf")).ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace rvf::io
