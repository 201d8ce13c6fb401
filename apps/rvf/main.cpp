// rvf: the command line of the store. Argument handling only; the work is done by the library.
#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "command.hpp"
#include "meta/nearest_name.hpp"

namespace rvf::cli {
namespace {

int exit_code(const Error& error) {
  switch (error.code) {
    // Of what is stored it names the segment; else it speaks of what was to be written.
    case ErrorCode::kBadMetadata: return error.segment_id != 0 ? kDamaged : kUserError;
    case ErrorCode::kLockHeld: return kHeld;
    case ErrorCode::kBadMagic:
    case ErrorCode::kBadVersion:
    case ErrorCode::kBadChecksum:
    case ErrorCode::kBadSignature:
    case ErrorCode::kTruncated:
    case ErrorCode::kManifestInvalid:
    case ErrorCode::kManifestNotFound:
    case ErrorCode::kBadAlignment:
    case ErrorCode::kBrokenAncestry:
    case ErrorCode::kCorrupt: return kDamaged;
    case ErrorCode::kIo:
    case ErrorCode::kDiskFull:
    case ErrorCode::kSyncFailed:
    case ErrorCode::kPermission:
    case ErrorCode::kReadOnly:
    case ErrorCode::kPathLost:
    case ErrorCode::kWriterPoisoned:
    case ErrorCode::kOutOfMemory: return kIoError;
    default: return kUserError;
  }
}

}  // namespace

void fail(const Error& error) { throw Failure{exit_code(error), error.message}; }

void fail_input(const Error& error) {
  const int code = exit_code(error);
  throw Failure{code == kIoError ? kIoError : kUserError, error.message};
}

void fail_usage(const std::string& message) { throw Failure{kUserError, message}; }

void add_store_to_read(CLI::App& command, Common& common) {
  command.add_option("STORE", common.store, "the store's file")->required();
  command.add_flag("--last-intact", common.last_intact,
                   "where the newest commit is damaged, take the last one before it that is whole");
}

void add_store_to_write(CLI::App& command, Common& common) {
  command.add_option("STORE", common.store, "the store's file")->required();
  add_wait(command, common);
}

void add_wait(CLI::App& command, Common& common) {
  constexpr double kLongest = 1e9;
  command.add_option("--wait", common.wait, "seconds to wait for another writer to finish (0)")
      ->check(between(0, kLongest));
}

void add_json(CLI::App& command, Common& common) {
  command.add_flag("--json", common.json, "print JSON");
}

void add_threads(CLI::App& command, Common& common, const char* what) {
  constexpr double kMostThreads = 1024;
  command.add_option("--threads", common.threads, what)->check(between(1, kMostThreads));
}

CLI::Validator between(double least, double most) {
  const auto check = [least, most](const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) {
      return std::string();
    }
    return fmt::format("'{}' is not a number from {:.10g} to {:.10g}", text, least, most);
  };
  return {check, "", "between"};
}

CLI::Validator at_least(uint64_t least) {
  const auto check = [least](const std::string& text) {
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && last == end && value >= least) return std::string();
    return fmt::format("'{}' is not a whole number of {} or more", text, least);
  };
  return {check, "", "at_least"};
}

namespace {

// What is opened first gets the lowest free number: a store must not become the standard output of
// a caller that closed it. What stands in its place refuses what a closed one would.
void hold_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
  }
}

// Says it where that is possible; the exit code says it anyway.
void complain(const std::string& message) {
  (void)std::fputs(("rvf: " + visible(message, "\n") + "\n").c_str(), stderr);
}

// `rvf help query` is `rvf query --help`.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  return words;
}

std::vector<std::string> names_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* c : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(c->get_name());
  }
  for (const CLI::Option* o : command.get_options()) {
    for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : o->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// The first word that means nothing where it stands, with what may have been meant; or nothing.
std::string unknown_word(const CLI::App& app) {
  const CLI::App* command = &app;
  std::string path = "rvf";
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  for (const std::string& word : app.remaining(true)) {
    if (word.empty() || word == "--") continue;
    const bool is_option = word.front() == '-' && word.size() > 1;
    const bool has_commands =
        !command->get_subcommands([](const CLI::App*) { return true; }).empty();
    const char* what = is_option ? "option" : has_commands ? "command" : "argument";
    const std::string name = is_option ? word.substr(0, word.find('=')) : word;
    std::string out = fmt::format("unknown {} '{}'", what, name);
    if (command != &app) out += fmt::format(" of {}", path);
    if (!is_option && !has_commands) return out;
    std::vector<std::string> names = names_of(*command);
    std::erase_if(names, [&](const std::string& n) { return (n.front() == '-') != is_option; });
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string near = meta::nearest_name(name, views);
    return near.empty() ? out : fmt::format("{}; did you mean '{}'?", out, near);
  }
  return {};
}

// A shell variable that is not set must not turn into an option that is not there.
void refuse_empty_values(const CLI::App& app) {
  for (const CLI::App* c : app.get_subcommands()) {
    for (const CLI::Option* o : c->get_options()) {
      for (const std::string& value : o->results()) {
        if (value.empty() && o->get_items_expected_max() > 0) {
          fail_usage(o->get_name() + " is empty; leave it out if there is nothing to say");
        }
      }
    }
    refuse_empty_values(*c);
  }
}

int end_of_parsing(const CLI::App& app, const CLI::ParseError& e) {
  const std::string unknown = unknown_word(app);
  // Help for a command that is none is no help.
  if (e.get_exit_code() != 0 || (!unknown.empty() && app.get_subcommands().empty())) {
    if (unknown.empty()) {
      std::ostringstream out;
      std::ostringstream err;
      app.exit(e, out, err);
      (void)std::fputs(visible(err.str(), "\n").c_str(), stderr);
    } else {
      complain(unknown + "\nRun with --help for more information.");
    }
    return kUserError;
  }
  app.exit(e);
  if (std::cout.flush() && std::fflush(stdout) == 0) return kDone;
  complain("standard output cannot be written");
  return kIoError;
}

}  // namespace
}  // namespace rvf::cli

int main(int argc, char** argv) {
  using namespace rvf::cli;
  hold_standard_streams();
  // A reader that stops, as in `rvf ... | head`, is an error of writing and no sudden end: open files
  // are left in good order.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{
      "A crash-safe memory for vectors in one file.\n\n"
      "Start with:  rvf ingest my.rvf vectors.npy --create   then   rvf query my.rvf --queries "
      "q.npy\n"
      "or:          rvf text add my.rvf ~/notes              then   rvf text search my.rvf "
      "\"words\"\n\n"
      "Exit codes: 0 done, 1 user error, 2 store damaged, 3 held by another writer, 4 "
      "input/output, 5 nothing left to repair, 128 + the signal that stopped it (Ctrl-C: 130)."};
  app.name("rvf");
  app.set_version_flag("--version", std::string("rvf " RVF_VERSION));
  app.require_subcommand(1);
  app.parse_complete_callback([&app] { refuse_empty_values(app); });
  app.fallthrough();
  app.formatter(std::make_shared<CLI::Formatter>());
  app.get_formatter()->column_width(34);
  register_create(app);
  register_ingest(app);
  register_query(app);
  register_rows(app);
  register_metadata(app);
  register_status(app);
  register_inspect(app);
  register_maintain(app);
  register_repair(app);
  register_warm(app);
  register_export(app);
  register_convert(app);
  register_bench(app);
  register_text(app);
  register_demo(app);
  register_completion(app);
  try {
    app.parse(arguments_of(argc, argv));
    if (std::fflush(stdout) != 0) throw Failure{kIoError, "standard output cannot be written"};
  } catch (const CLI::ParseError& e) {
    return end_of_parsing(app, e);
  } catch (const Failure& f) {
    (void)std::fflush(stdout);
    complain(f.message);
    return interrupted() ? kStopped + interrupting_signal() : f.code;
  } catch (const std::exception& e) {
    complain(e.what());
    return kIoError;
  }
  return kDone;
}
