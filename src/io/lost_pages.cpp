#include "io/lost_pages.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "types/planted_bug.hpp"

namespace rvf::io {
namespace {

// One mapping. Free where `begin` is 0; taken by setting `length` last, freed in the other order.
struct Slot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<size_t> length{0};
  std::atomic<bool> lost{false};
};

constexpr size_t kSlots = 4096;  // more mappings at once are not guarded
std::array<Slot, kSlots> slots;
std::atomic<size_t> used_slots{0};  // how far the handler has to look
std::atomic<size_t> lost_slots{0};
struct sigaction previous;
size_t page_bytes = 4096;

void pass_on(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  // Nobody else's either: the same access, repeated on return, ends the process.
  struct sigaction otherwise{};
  otherwise.sa_handler = SIG_DFL;
  ::sigaction(SIGBUS, &otherwise, nullptr);
}

void on_lost_page(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const size_t used = used_slots.load(std::memory_order_acquire);
  for (size_t i = 0; i < used; ++i) {
    const size_t length = slots[i].length.load(std::memory_order_acquire);
    const uintptr_t begin = slots[i].begin.load(std::memory_order_relaxed);
    if (length == 0 || address < begin || address - begin >= length) continue;
    // All from this page on: a file that was cut has nothing behind its end.
    const uintptr_t page = address / page_bytes * page_bytes;
    const uintptr_t end = (begin + length + page_bytes - 1) / page_bytes * page_bytes;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gave a number, and takes a pointer
    void* zeros = ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) break;
    if (!slots[i].lost.exchange(true)) lost_slots.fetch_add(1);
    return;
  }
  pass_on(signal, info, context);
}

bool install() noexcept {
  if (const long bytes = ::sysconf(_SC_PAGESIZE); bytes > 0) {
    page_bytes = static_cast<size_t>(bytes);
  }
  if (::sigaction(SIGBUS, nullptr, &previous) != 0) return false;
  struct sigaction ours{};
  ours.sa_sigaction = on_lost_page;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&ours.sa_mask);
  return ::sigaction(SIGBUS, &ours, nullptr) == 0;
}

}  // namespace

PageGuard::PageGuard(const void* address, size_t length) noexcept {
  static const bool installed = install();
  if (!installed || length == 0) return;
  const auto begin = reinterpret_cast<uintptr_t>(address);
  for (size_t i = 0; i < kSlots; ++i) {
    uintptr_t free = 0;
    if (!slots[i].begin.compare_exchange_strong(free, begin)) continue;
    slots[i].length.store(length, std::memory_order_release);
    size_t used = used_slots.load();
    while (used < i + 1 && !used_slots.compare_exchange_weak(used, i + 1)) {
    }
    slot_ = static_cast<int>(i);
    return;
  }
}

PageGuard::~PageGuard() {
  if (slot_ < 0) return;
  Slot& slot = slots[static_cast<size_t>(slot_)];
  slot.length.store(0, std::memory_order_release);
  if (slot.lost.exchange(false)) lost_slots.fetch_sub(1);
  slot.begin.store(0, std::memory_order_release);
}

bool PageGuard::lost() const noexcept {
  if (slot_ < 0 || planted(PlantedBug::kIgnoreLostPages)) return false;
  return slots[static_cast<size_t>(slot_)].lost.load(std::memory_order_acquire);
}

bool any_pages_lost() noexcept { return lost_slots.load(std::memory_order_acquire) > 0; }

}  // namespace rvf::io
