// What commands are told about their inputs: standard input, filters from files, kinds of ids.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "rvf/types.hpp"

namespace rvf::cli {

// Standard input can be read once. Fails the command if more than one of these names it.
void one_standard_input(const std::vector<std::string>& inputs);

// --filter and --filter-file, which exclude each other. The file's text becomes the filter.
struct FilterOptions {
  CLI::Option* text;
  CLI::Option* file;
};
FilterOptions add_filter(CLI::App& command, std::string& filter,
                         const std::string& help = "only vectors whose fields match");

// --id-type auto|number|text
CLI::Option* add_id_type(CLI::App& command, IdKind& kind);

}  // namespace rvf::cli
