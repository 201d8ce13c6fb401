#include "store_access.hpp"

#include <fmt/format.h>

#include <thread>

#include "command.hpp"

namespace rvf::cli {

size_t core_count() noexcept {
  const unsigned n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : n;
}

std::shared_ptr<Executor> make_executor(size_t threads) {
  if (threads <= 1) return nullptr;
  return make_thread_pool(threads);
}

void tell_recovery(const Store& store, const std::string& path) {
  const RecoveryInfo r = store.status().recovery;
  if (!r.recovered) return;
  if (r.damaged) {
    say(stderr,
        "rvf: warning: {}: what was written after epoch {} is damaged{}; that epoch is "
        "used. Keep a copy of the file before writing to it.\n",
        path, r.epoch, r.reason.empty() ? "" : " (" + r.reason + ")");
  } else {
    say(stderr,
        "rvf: {}: the last write was not finished; epoch {} is used, {} after it are ignored\n",
        path, r.epoch, human_bytes(r.ignored_bytes));
  }
}

OpenOptions reading_options(const Common& common, OpenOptions options) {
  options.last_intact = options.last_intact || common.last_intact;
  options.survive_lost_pages = true;
  return options;
}

OpenOptions writing_options(const Common& common, OpenOptions options) {
  static const Progress kGoOn = [](uint64_t, uint64_t) { return !interrupted(); };
  install_interrupt();
  options.survive_lost_pages = true;
  options.lock_wait = std::chrono::milliseconds(static_cast<int64_t>(common.wait * 1000));
  options.lock_progress = &kGoOn;
  return options;
}

Store open_for_reading(const Common& common, const OpenOptions& options) {
  Store s = must(Store::open_readonly(common.store, reading_options(common, options)));
  tell_recovery(s, common.store);
  return s;
}

Store open_for_writing(const Common& common, const OpenOptions& options) {
  Store s = must(Store::open(common.store, writing_options(common, options)));
  tell_recovery(s, common.store);
  return s;
}

}  // namespace rvf::cli
