#include "support/fault_file_system.hpp"

#include <string>

namespace rvf::testing {

bool FaultState::fails(Call call) {
  if ((fault.calls & static_cast<uint32_t>(call)) == 0) return false;
  const uint64_t number = ++seen;
  if (fault.nth == 0 || number < fault.nth || (number > fault.nth && !fault.sticky)) return false;
  ++fired;
  last = static_cast<uint32_t>(call);
  if (call == Call::kSync || call == Call::kSyncParent) sync_failed = true;
  if (call == Call::kTruncate) cut_failed = true;
  return true;
}

Error FaultState::error(const char* action) const {
  const bool barrier = last == static_cast<uint32_t>(Call::kSync) ||
                       last == static_cast<uint32_t>(Call::kSyncParent);
  return {barrier ? ErrorCode::kSyncFailed : fault.code, std::string("injected: cannot ") + action};
}

namespace {

class FaultFile final : public io::File {
 public:
  FaultFile(std::unique_ptr<io::File> base, std::shared_ptr<FaultState> state)
      : base_(std::move(base)), state_(std::move(state)) {}

  Result<uint64_t> size() const override {
    if (state_->fails(Call::kSize)) return state_->error("read the size");
    return base_->size();
  }
  Status read(uint64_t offset, std::span<std::byte> out) const override {
    if (state_->fails(Call::kRead)) return state_->error("read");
    return base_->read(offset, out);
  }
  Status write(uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
    if (!state_->fails(Call::kWrite)) return base_->write(offset, parts);
    std::vector<std::byte> all;
    for (const auto& p : parts) all.insert(all.end(), p.begin(), p.end());
    const auto share = static_cast<size_t>(static_cast<double>(all.size()) * state_->fault.written);
    if (share > 0) (void)base_->write(offset, std::span<const std::byte>(all).first(share));
    return state_->error("write");
  }
  using File::write;
  Status sync() override {
    if (state_->fails(Call::kSync)) return state_->error("sync");
    return base_->sync();
  }
  Status truncate(uint64_t size) override {
    if (state_->fails(Call::kTruncate)) return state_->error("truncate");
    return base_->truncate(size);
  }
  Result<std::shared_ptr<const io::Mapping>> map(uint64_t length) const override {
    if (state_->fails(Call::kMap)) return state_->error("map");
    return base_->map(length);
  }
  Result<Identity> identity() const override {
    if (state_->fails(Call::kLookUp)) return state_->error("identify");
    return base_->identity();
  }
  Status lock() override { return base_->lock(); }
  void unlock() noexcept override { base_->unlock(); }
  Result<bool> is_locked() const override { return base_->is_locked(); }
  Status reserve(uint64_t offset, uint64_t length) override {
    if (state_->fails(Call::kReserve)) return state_->error("reserve");
    return base_->reserve(offset, length);
  }

 private:
  std::unique_ptr<io::File> base_;
  std::shared_ptr<FaultState> state_;
};

}  // namespace

void FaultFileSystem::arm(const Fault& fault) {
  state_->fault = fault;
  state_->seen = 0;
  state_->fired = 0;
  state_->last = 0;
  state_->sync_failed = false;
  state_->cut_failed = false;
  state_->renamed = false;
}

Result<std::unique_ptr<io::File>> FaultFileSystem::open(const std::string& path,
                                                        io::OpenMode mode) {
  if (state_->fails(Call::kOpen)) return state_->error("open");
  RVF_ASSIGN(auto file, base_->open(path, mode));
  return std::unique_ptr<io::File>(new FaultFile(std::move(file), state_));
}
Result<bool> FaultFileSystem::exists(const std::string& path) {
  if (state_->fails(Call::kLookUp)) return state_->error("look up");
  return base_->exists(path);
}
Result<std::string> FaultFileSystem::resolve(const std::string& path) {
  if (state_->fails(Call::kLookUp)) return state_->error("look up");
  return base_->resolve(path);
}
Result<uint64_t> FaultFileSystem::link_count(const std::string& path) {
  if (state_->fails(Call::kLookUp)) return state_->error("look up");
  return base_->link_count(path);
}
Status FaultFileSystem::copy_attributes(const std::string& from, const std::string& to) {
  if (state_->fails(Call::kAttributes)) return state_->error("copy the attributes");
  return base_->copy_attributes(from, to);
}
Status FaultFileSystem::rename_new(const std::string& from, const std::string& to) {
  if (state_->fails(Call::kRename)) return state_->error("rename");
  RVF_TRY(base_->rename_new(from, to));
  state_->renamed = true;
  return {};
}
Status FaultFileSystem::rename(const std::string& from, const std::string& to) {
  if (state_->fails(Call::kRename)) return state_->error("rename");
  RVF_TRY(base_->rename(from, to));
  state_->renamed = true;
  return {};
}
Status FaultFileSystem::remove(const std::string& path) {
  if (state_->fails(Call::kRemove)) return state_->error("remove");
  return base_->remove(path);
}
Status FaultFileSystem::sync_parent(const std::string& path) {
  if (state_->fails(Call::kSyncParent)) return state_->error("sync the folder");
  return base_->sync_parent(path);
}
Result<io::File::Identity> FaultFileSystem::identity(const std::string& path) {
  if (state_->fails(Call::kLookUp)) return state_->error("look up");
  return base_->identity(path);
}

}  // namespace rvf::testing
