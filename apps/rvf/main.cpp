// rvf: the command line of the store. Argument handling only; the work is done by the library.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "command.hpp"

namespace rvf::cli {
namespace {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kLockHeld: return kHeld;
    case ErrorCode::kBadMagic:
    case ErrorCode::kBadVersion:
    case ErrorCode::kBadChecksum:
    case ErrorCode::kBadSignature:
    case ErrorCode::kTruncated:
    case ErrorCode::kManifestInvalid:
    case ErrorCode::kManifestNotFound:
    case ErrorCode::kBadAlignment:
    case ErrorCode::kBadMetadata:
    case ErrorCode::kBrokenAncestry:
    case ErrorCode::kCorrupt: return kDamaged;
    case ErrorCode::kIo:
    case ErrorCode::kDiskFull:
    case ErrorCode::kSyncFailed:
    case ErrorCode::kPermission:
    case ErrorCode::kReadOnly:
    case ErrorCode::kWriterPoisoned:
    case ErrorCode::kOutOfMemory: return kIoError;
    default: return kUserError;
  }
}

}  // namespace

void fail(const Error& error) { throw Failure{exit_code(error.code), error.message}; }

void fail_input(const Error& error) {
  const int code = exit_code(error.code);
  throw Failure{code == kIoError ? kIoError : kUserError, error.message};
}

void fail_usage(const std::string& message) { throw Failure{kUserError, message}; }

void add_store(CLI::App& command, Common& common) {
  command.add_option("STORE", common.store, "the store's file")->required();
}

void add_json(CLI::App& command, Common& common) {
  command.add_flag("--json", common.json, "print JSON");
}

void add_threads(CLI::App& command, Common& common, const char* what) {
  command.add_option("--threads", common.threads, what)->check(CLI::Range(1, 1024));
}

}  // namespace rvf::cli

int main(int argc, char** argv) {
  using namespace rvf::cli;
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
      "input/output, 5 nothing left to repair."};
  app.name("rvf");
  app.set_version_flag("--version", std::string("rvf " RVF_VERSION));
  app.require_subcommand(1);
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
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0) throw Failure{kIoError, "standard output cannot be written"};
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kDone : kUserError;
  } catch (const Failure& f) {
    (void)std::fflush(stdout);
    fmt::print(stderr, "rvf: {}\n", f.message);
    return f.code;
  } catch (const std::exception& e) {
    fmt::print(stderr, "rvf: {}\n", e.what());
    return kIoError;
  }
  return kDone;
}
