// A file system in front of another one that fails the n-th call it sees.
// Thread-safe as far as the file system behind it is.
#pragma once
#include <atomic>
#include <memory>

#include "io/file.hpp"

namespace rvf::testing {

enum class Call : uint32_t {
  kOpen = 1 << 0,
  kSize = 1 << 1,
  kRead = 1 << 2,
  kWrite = 1 << 3,
  kSync = 1 << 4,
  kTruncate = 1 << 5,
  kMap = 1 << 6,
  kRename = 1 << 7,
  kRemove = 1 << 8,
  kSyncParent = 1 << 9,
  kReserve = 1 << 10,
  kLookUp = 1 << 11,  // exists, identity, resolve, link_count
  kAttributes = 1 << 12,
};
inline constexpr uint32_t kAllCalls = (1 << 13) - 1;
inline constexpr uint32_t kWritingCalls =
    static_cast<uint32_t>(Call::kWrite) | static_cast<uint32_t>(Call::kSync) |
    static_cast<uint32_t>(Call::kTruncate) | static_cast<uint32_t>(Call::kRename) |
    static_cast<uint32_t>(Call::kSyncParent);

struct Fault {
  uint64_t nth = 0;             // counted from 1 since arm(); 0: none
  bool sticky = false;          // every later call of these kinds fails as well
  ErrorCode code = ErrorCode::kIo;  // a failed sync is always kSyncFailed
  uint32_t calls = kAllCalls;   // which kinds are counted
  double written = 0.5;         // the share of its bytes that a failing write writes first
};

// What all files of one FaultFileSystem share.
struct FaultState {
  std::atomic<uint64_t> seen = 0;
  std::atomic<uint64_t> fired = 0;
  std::atomic<uint32_t> last = 0;  // the kind of the call that failed last
  std::atomic<bool> sync_failed = false;
  std::atomic<bool> cut_failed = false;
  std::atomic<bool> renamed = false;
  Fault fault;
  bool fails(Call call);
  Error error(const char* action) const;
};

class FaultFileSystem final : public io::FileSystem {
 public:
  explicit FaultFileSystem(std::shared_ptr<io::FileSystem> base) : base_(std::move(base)) {}

  void arm(const Fault& fault);
  void disarm() { arm({}); }
  uint64_t seen() const { return state_->seen; }    // counted calls since arm()
  uint64_t fired() const { return state_->fired; }  // failures since arm()
  // A barrier, of a file or of a folder, failed since arm().
  bool sync_failed() const { return state_->sync_failed; }
  // A truncation failed since arm(): what a failed write left may be there for good.
  bool cut_failed() const { return state_->cut_failed; }
  bool renamed() const { return state_->renamed; }  // a rename went well since arm()
  uint32_t last_kind() const { return state_->last; }

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::string> resolve(const std::string& path) override;
  Result<uint64_t> link_count(const std::string& path) override;
  Status copy_attributes(const std::string& from, const std::string& to) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status rename_new(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_parent(const std::string& path) override;
  Result<io::File::Identity> identity(const std::string& path) override;
  Result<std::unique_ptr<io::WriterLock>> lock(const std::string& path) override {
    return base_->lock(path);
  }

 private:
  std::shared_ptr<io::FileSystem> base_;
  std::shared_ptr<FaultState> state_ = std::make_shared<FaultState>();
};

}  // namespace rvf::testing
