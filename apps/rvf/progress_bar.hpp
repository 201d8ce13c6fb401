// A progress bar with rate and time left, on standard error and only if that is a terminal.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "rvf/executor.hpp"

namespace rvf::cli {

class ProgressBar {
 public:
  // `unit` names what is counted: "vectors", "B" (shown as bytes), "" (a share only).
  ProgressBar(std::string label, std::string unit, bool enabled = true);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(uint64_t done, uint64_t total);  // total 0: unknown
  void finish();                               // removes the line
  Progress callback();                         // calls update(), goes on unless interrupted

 private:
  std::string label_, unit_;
  bool enabled_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point started_, last_;
};

// Set by SIGINT and SIGTERM once install_interrupt() was called; long operations then stop in good
// order, and a second signal ends the process. Without it the first one does: for commands that
// leave nothing behind.
bool interrupted() noexcept;
int interrupting_signal() noexcept;  // 0: none
void install_interrupt();

}  // namespace rvf::cli
