// Stores on real disks: full, read-only, cut under a reader, wanted by two processes.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>

#include "store_fixture.hpp"
#include "support/fault_file_system.hpp"
#include "support/store_model.hpp"

namespace rvf {
namespace {

class StoreOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rvf-disk-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/s.rvf";
  }
  void TearDown() override {
    if (mounted_) (void)::umount(folder_.c_str());
    (void)::chmod(folder_.c_str(), 0700);
    std::filesystem::remove_all(folder_);
  }
  // False where this user or container may not mount.
  bool mount_tmpfs(const char* options) {
    mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, options) == 0;
    return mounted_;
  }
  Store make() {
    auto s = Store::create(path_, {.dimension = 4});
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : s.error().message);
    const auto data = gaussian(20, 4, 1);
    EXPECT_TRUE(s->ingest(Vectors::from_f32(data, 4)).ok());
    return std::move(*s);
  }

  std::string folder_, path_;
  bool mounted_ = false;
};

TEST_F(StoreOnDisk, AFullDiskIsNamedAndCostsNothingThatWasAcknowledged) {
  if (!mount_tmpfs("size=1m")) GTEST_SKIP() << "mounting a tmpfs is not allowed here";
  Store s = make();
  uint64_t kept = 20;
  const auto data = gaussian(200, 4, 2);
  while (true) {
    const auto r = s.ingest(Vectors::from_f32(data, 4));
    if (!r) {
      EXPECT_EQ(r.error().code, ErrorCode::kDiskFull) << r.error().message;
      EXPECT_NE(r.error().message.find(path_), std::string::npos) << r.error().message;
      break;
    }
    kept += 200;
    ASSERT_LT(kept, 100000U);
  }
  EXPECT_EQ(s.status().vectors, kept);
  EXPECT_FALSE(s.compact().ok()) << "there is no room for a second copy";
  EXPECT_EQ(s.status().vectors, kept);
  (void)s.close();
  (void)std::filesystem::remove(path_ + ".compact");
  auto again = Store::open(path_);
  ASSERT_RVF_OK(again);
  EXPECT_EQ(again->status().vectors, kept);
  ASSERT_RVF_OK(again->remove_range(0, 0));
}

TEST_F(StoreOnDisk, ADiskThatIsSimulatedFullCostsNothingThatWasAcknowledged) {
  auto fs = std::make_shared<testing::FaultFileSystem>(io::posix_file_system());
  OpenOptions o;
  o.file_system = fs;
  {
    make();
  }
  auto s = Store::open(path_, o);
  ASSERT_RVF_OK(s);
  testing::Fault full;
  full.nth = 1;
  full.sticky = true;
  full.code = ErrorCode::kDiskFull;
  full.calls = static_cast<uint32_t>(testing::Call::kWrite);
  fs->arm(full);
  const auto data = gaussian(3, 4, 2);
  EXPECT_RVF_ERROR(s->ingest(Vectors::from_f32(data, 4)), kDiskFull);
  EXPECT_EQ(s->status().vectors, 20U);
  fs->disarm();
  ASSERT_RVF_OK(s->ingest(Vectors::from_f32(data, 4)));
  ASSERT_RVF_OK(s->close());
  const auto found = testing::inspect(path_, io::posix_file_system());
  EXPECT_EQ(found.problem, "");
  EXPECT_EQ(found.content.size(), 23U);
  EXPECT_FALSE(found.status.recovery.recovered);
}

TEST_F(StoreOnDisk, AReadOnlyDiskRefusesWritersAndServesReaders) {
  if (!mount_tmpfs("size=1m")) GTEST_SKIP() << "mounting a tmpfs is not allowed here";
  {
    make();
  }
  ASSERT_EQ(::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_RVF_ERROR(Store::open(path_), kReadOnly);
  EXPECT_RVF_ERROR(Store::create(folder_ + "/new.rvf", {.dimension = 4}), kReadOnly);
  auto reader = Store::open_readonly(path_);
  ASSERT_RVF_OK(reader);
  EXPECT_EQ(reader->status().vectors, 20U);
}

TEST_F(StoreOnDisk, AFolderWithoutPermissionRefusesWritersAndNamesThePath) {
  {
    make();
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0500), 0);
  if (::access(folder_.c_str(), W_OK) == 0)
    GTEST_SKIP() << "permissions do not bind this user (root)";
  const auto refused = Store::open(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
  EXPECT_NE(refused.error().message.find(path_), std::string::npos) << refused.error().message;
  ASSERT_RVF_OK(Store::open_readonly(path_));
}

TEST_F(StoreOnDisk, ASecondProcessIsToldWhoWrites) {
  {
    make();
  }
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char c = 0;
    {
      auto s = Store::open(path_);
      c = s.ok() ? 'y' : 'n';
      (void)!::write(ready[1], &c, 1);
      (void)!::read(done[0], &c, 1);
    }
    ::_exit(0);
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  EXPECT_EQ(c, 'y');
  const auto refused = Store::open(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLockHeld);
  EXPECT_NE(refused.error().message.find("process " + std::to_string(child)), std::string::npos)
      << refused.error().message;
  EXPECT_TRUE(Store::open_readonly(path_).ok()) << "readers need no lock";
  ASSERT_EQ(::write(done[1], "x", 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_RVF_OK(Store::open(path_));
  for (const int fd : {ready[0], ready[1], done[0], done[1]}) ::close(fd);
}

TEST_F(StoreOnDisk, AFileCutUnderAReaderIsFoundOutOnRefresh) {
  Store s = make();
  const auto data = gaussian(5, 4, 3);
  ASSERT_RVF_OK(s.close());
  auto reader = Store::open_readonly(path_);
  ASSERT_RVF_OK(reader);
  const auto size = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, size - 64);
  const auto fresh = reader->refresh();
  if (fresh.ok()) {
    EXPECT_TRUE(*fresh);
    EXPECT_TRUE(reader->status().recovery.recovered);
    EXPECT_LT(reader->status().vectors, 20U);
  }
  std::filesystem::resize_file(path_, 100);
  EXPECT_FALSE(reader->refresh().ok());
}

TEST_F(StoreOnDisk, AStoreThatWasMovedAwayIsNotWrittenToAndIsWholeWhereItIs) {
  Store s = make();
  const std::string moved = folder_ + "/t.rvf";
  std::filesystem::rename(path_, moved);
  const auto data = gaussian(5, 4, 3);
  EXPECT_RVF_ERROR(s.ingest(Vectors::from_f32(data, 4)), kPathLost);
  EXPECT_RVF_ERROR(s.compact(), kPathLost);
  EXPECT_RVF_ERROR(Store::open(moved), kLockHeld);
  EXPECT_EQ(Store::open_readonly(moved)->status().vectors, 20U);
  std::filesystem::rename(moved, path_);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 4)));
  ASSERT_RVF_OK(s.compact());
  EXPECT_RVF_ERROR(Store::open(path_), kLockHeld);
  ASSERT_RVF_OK(s.close());
  EXPECT_EQ(Store::open(path_)->status().vectors, 25U);
}

TEST_F(StoreOnDisk, AForkedChildNeitherWritesNorTakesTheRightFromItsParent) {
  Store s = make();
  const auto data = gaussian(5, 4, 3);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto refused = s.ingest(Vectors::from_f32(data, 4));
    const bool closed = s.close().ok();
    ::_exit(!refused && refused.error().code == ErrorCode::kLockHeld && closed ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_RVF_ERROR(Store::open(path_), kLockHeld);
  ASSERT_RVF_OK(s.ingest(Vectors::from_f32(data, 4)));
}

TEST_F(StoreOnDisk, ASnapshotThatIsHeldDoesNotHoldTheRightToWrite) {
  Store s = make();
  const auto snapshot = s.snapshot();
  ASSERT_RVF_OK(snapshot);
  ASSERT_RVF_OK(s.compact());
  ASSERT_RVF_OK(s.close());
  ASSERT_RVF_OK(Store::open(path_));
  EXPECT_EQ(*snapshot->size(), 20U);
}

TEST_F(StoreOnDisk, AnOpenThatWaitsGetsTheStoreOrGivesUp) {
  std::optional<Store> s(make());
  OpenOptions o;
  o.lock_wait = std::chrono::milliseconds(20);
  EXPECT_RVF_ERROR(Store::open(path_, o), kLockHeld);
  int asked = 0;
  const Progress stop = [&](uint64_t, uint64_t total) {
    EXPECT_EQ(total, 60'000U);
    return ++asked < 3;
  };
  o.lock_wait = std::chrono::minutes(1);
  o.lock_progress = &stop;
  EXPECT_RVF_ERROR(Store::open(path_, o), kCancelled);
  const Progress release = [&](uint64_t, uint64_t) {
    s.reset();
    return true;
  };
  o.lock_progress = &release;
  ASSERT_RVF_OK(Store::open(path_, o));
}

}  // namespace
}  // namespace rvf
