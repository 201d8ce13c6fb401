#include "progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "command.hpp"

namespace rvf::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPatience = std::chrono::milliseconds(400);  // shorter work shows no bar
volatile std::sig_atomic_t g_interrupted = 0;

std::string amount(uint64_t n, const std::string& unit) {
  if (unit == "B") return human_bytes(n);
  return unit.empty() ? human_count(n) : human_count(n) + " " + unit;
}

}  // namespace

bool interrupted() noexcept { return g_interrupted != 0; }
int interrupting_signal() noexcept { return g_interrupted; }

void install_interrupt() {
  const auto handler = [](int signal) {
    if (g_interrupted != 0) ::_exit(kStopped + signal);  // the second time means it
    g_interrupted = signal;
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

ProgressBar::ProgressBar(std::string label, std::string unit, bool enabled)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      enabled_(enabled && ::isatty(STDERR_FILENO) != 0),
      started_(std::chrono::steady_clock::now()),
      last_(started_) {}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::finish() {
  if (!shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  (void)std::fflush(stderr);
  shown_ = false;
}

void ProgressBar::update(uint64_t done, uint64_t total) {
  if (!enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - started_ < kPatience || (shown_ && now - last_ < kRedraw && done != total)) return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(done) / seconds;
  std::string line = label_ + " ";
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    constexpr size_t kWidth = 24;
    const auto full = static_cast<size_t>(share * kWidth);
    line += "[" + std::string(full, '#') + std::string(kWidth - full, '.') +
            fmt::format("] {:3.0f} % ", share * 100);
  }
  if (!unit_.empty())
    line += amount(done, unit_) + ", " + amount(static_cast<uint64_t>(rate), unit_) + "/s";
  if (total > done && rate > 0) {
    line += ", " + human_time(static_cast<double>(total - done) / rate) + " left";
  }
  fmt::print(stderr, "\r{}\x1b[K", line);
  (void)std::fflush(stderr);
}

Progress ProgressBar::callback() {
  return [this](uint64_t done, uint64_t total) {
    update(done, total);
    return !interrupted();
  };
}

}  // namespace rvf::cli
