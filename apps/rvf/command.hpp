// What the commands of `rvf` share: how they register, how they end, what they print with.
#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "output.hpp"
#include "progress_bar.hpp"
#include "rvf/store.hpp"
#include "store_access.hpp"

namespace rvf::cli {

// Exit codes of the program; docs/cli.md.
enum ExitCode : int {
  kDone = 0,
  kUserError = 1,
  kDamaged = 2,
  kHeld = 3,
  kIoError = 4,
  kNothingLeft = 5,  // of a repair
  kStopped = 128,  // by a signal, whose number is added
};

// Ends a command from anywhere inside it; main() prints the message and exits with the code.
struct Failure {
  int code;
  std::string message;
};

// For an error of the store or of the system.
[[noreturn]] void fail(const Error& error);
// For something wrong with an input file of the user: damaged input is the user's to mend, not a
// damaged store.
[[noreturn]] void fail_input(const Error& error);
[[noreturn]] void fail_usage(const std::string& message);

template <class T>
T must(Result<T>&& r) {
  if (!r.ok()) fail(r.error());
  return *std::move(r);
}
inline void must(Status&& s) {
  if (!s) fail(s.error());
}
template <class T>
T must_input(Result<T>&& r) {
  if (!r.ok()) fail_input(r.error());
  return *std::move(r);
}

// Options that most commands have.
struct Common {
  std::string store;
  bool json = false;
  bool quiet = false;
  size_t threads = 0;  // 0: the command's default
  bool last_intact = false;
  double wait = 0;  // seconds
};
// The store's file, and what goes with opening it.
void add_store_to_read(CLI::App& command, Common& common);
void add_store_to_write(CLI::App& command, Common& common);
void add_wait(CLI::App& command, Common& common);  // for another writer
void add_json(CLI::App& command, Common& common);
void add_threads(CLI::App& command, Common& common, const char* what);
// Numbers of this range, both ends included; NaN is none.
CLI::Validator between(double least, double most);
CLI::Validator at_least(uint64_t least);

void register_create(CLI::App& app);
void register_ingest(CLI::App& app);
void register_query(CLI::App& app);
void register_rows(CLI::App& app);  // get, delete
void register_metadata(CLI::App& app);  // schema, count, scan, update
void register_status(CLI::App& app);
void register_inspect(CLI::App& app);
void register_maintain(CLI::App& app);  // index, verify, compact, rollback
void register_repair(CLI::App& app);
void register_warm(CLI::App& app);
void register_export(CLI::App& app);
void register_convert(CLI::App& app);
void register_bench(CLI::App& app);
void register_text(CLI::App& app);
void register_demo(CLI::App& app);
void register_completion(CLI::App& app);

}  // namespace rvf::cli
