#include "runtime/fair_mutex.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace rvf::runtime {
namespace {

TEST(FairMutex, WhoAskedFirstComesBeforeWhoJustLetGo) {
  for (int round = 0; round < 100; ++round) {
    FairMutex mutex;
    std::string order;
    mutex.lock();
    std::thread other([&] {
      std::lock_guard guard(mutex);
      order += 'b';
    });
    while (!mutex.contended()) std::this_thread::yield();
    mutex.unlock();
    mutex.lock();
    order += 'a';
    mutex.unlock();
    other.join();
    ASSERT_EQ(order, "ba");
  }
}

}  // namespace
}  // namespace rvf::runtime
