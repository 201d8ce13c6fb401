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
  if (r.lost_epochs == 0) {
    say(stderr,
        "rvf: {}: the last write was not finished; epoch {} is used, {} after it are ignored\n",
        path, r.epoch, human_bytes(r.ignored_bytes));
  } else {
    say(stderr,
        "rvf: warning: {}: {} newer commit(s) are damaged ({}); epoch {} is used. Keep a "
        "copy of the file "
        "before writing to it.\n",
        path, r.lost_epochs, r.reason, r.epoch);
  }
}

Store open_for_reading(const Common& common, const OpenOptions& options) {
  Store s = must(Store::open_readonly(common.store, options));
  tell_recovery(s, common.store);
  return s;
}

Store open_for_writing(const Common& common, const OpenOptions& options) {
  Store s = must(Store::open(common.store, options));
  tell_recovery(s, common.store);
  return s;
}

}  // namespace rvf::cli
