#include "inputs.hpp"

#include <algorithm>

#include "command.hpp"
#include "interop/byte_source.hpp"
#include "types_arguments.hpp"

namespace rvf::cli {
namespace {

constexpr size_t kMaxFilter = 16 << 20;

std::string read_filter(const std::string& path) {
  const auto source = must_input(interop::ByteSource::open(path));
  const wire::ByteSpan bytes = must_input(source->peek(kMaxFilter));
  if (bytes.size() == kMaxFilter) fail_usage(path + ": is no filter, it is too large");
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  // A blank filter would match all; a file that is empty was hardly meant so.
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) fail_usage(path + ": is empty");
  return text;
}

}  // namespace

void one_standard_input(const std::vector<std::string>& inputs) {
  const auto is_standard = [](const std::string& name) {
    return name == "-" || name == "/dev/stdin" || name == "/dev/fd/0" || name == "/proc/self/fd/0";
  };
  if (std::count_if(inputs.begin(), inputs.end(), is_standard) > 1) {
    fail_usage("standard input is named twice; it can be read once");
  }
}

FilterOptions add_filter(CLI::App& command, std::string& filter, const std::string& help) {
  FilterOptions out{};
  out.text = command.add_option("--filter", filter, help);
  out.file = command.add_option_function<std::string>(
      "--filter-file", [&filter](const std::string& path) { filter = read_filter(path); },
      "the filter stands in this file, \"-\" for standard input");
  out.file->excludes(out.text)->type_name("FILE");
  return out;
}

CLI::Option* add_id_type(CLI::App& command, IdKind& kind) {
  static const std::map<std::string, IdKind> names = {
      {"auto", IdKind::kUndecided}, {"number", IdKind::kNumbers}, {"text", IdKind::kTexts}};
  return add_choice(command, "--id-type", kind, names,
                    "auto: as the ids of the first file look; number or text: all of them")
      ->type_name("KIND");
}

}  // namespace rvf::cli
