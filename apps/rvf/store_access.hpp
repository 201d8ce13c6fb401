// How commands open stores and say what recovery did.
#pragma once
#include <memory>
#include <string>

#include "rvf/store.hpp"

namespace rvf::cli {

struct Common;

size_t core_count() noexcept;
std::shared_ptr<Executor> make_executor(size_t threads);  // null for one thread

// What the library does only if asked, and this command does always; and what the options say.
OpenOptions reading_options(const Common& common, OpenOptions options = {});
// From here on Ctrl-C is for the command to see: see interrupted().
OpenOptions writing_options(const Common& common, OpenOptions options = {});

// Open or fail the command. A recovery that cost something is told on standard error.
Store open_for_reading(const Common& common, const OpenOptions& options = {});
Store open_for_writing(const Common& common, const OpenOptions& options = {});
void tell_recovery(const Store& store, const std::string& path);

}  // namespace rvf::cli
