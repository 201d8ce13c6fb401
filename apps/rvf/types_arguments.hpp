// Options whose values are enums of the library.
#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "rvf/store.hpp"

namespace rvf::cli {

// An option whose value is one of `names`, in any case.
template <class Enum, class Target>  // Target: Enum, or an optional one
CLI::Option* add_choice(CLI::App& command, const std::string& flag, Target& target,
                        const std::map<std::string, Enum>& names, const std::string& help) {
  const auto choose = [&target, names, flag](const std::string& text) {
    const auto found = names.find(CLI::detail::to_lower(text));
    if (found != names.end()) {
      target = found->second;
      return;
    }
    std::string known;
    for (const auto& [name, value] : names) known += (known.empty() ? "" : ", ") + name;
    throw CLI::ValidationError(flag, "'" + text + "' is not one of " + known);
  };
  std::string values;  // as CLI11 shows those of IsMember; completions read them there
  for (const auto& [name, value] : names) values += (values.empty() ? "{" : ",") + name;
  return command.add_option_function<std::string>(flag, choose, help)->type_name(values + "}");
}

inline CLI::Option* add_metric(CLI::App& command, Metric& metric) {
  static const std::map<std::string, Metric> names = {{"l2", Metric::kL2},
                                                      {"cosine", Metric::kCosine},
                                                      {"ip", Metric::kInnerProduct},
                                                      {"hamming", Metric::kHamming}};
  return add_choice(command, "--metric", metric, names, "l2 (squared), cosine, ip or hamming");
}

// Bits are compared by hamming unless another metric was asked for.
inline void choose_metric(CreateOptions& options, bool metric_given) {
  if (options.dtype == DType::kBinary && !metric_given) options.metric = Metric::kHamming;
}

inline CLI::Option* add_dtype(CLI::App& command, DType& dtype) {
  static const std::map<std::string, DType> names = {
      {"f32", DType::kF32}, {"f16", DType::kF16}, {"bf16", DType::kBF16},
      {"i8", DType::kI8},   {"u8", DType::kU8},   {"binary", DType::kBinary}};
  return add_choice(command, "--dtype", dtype, names, "f32, f16, bf16, i8, u8 or binary");
}

template <class Layout>  // SearchLayout, or an optional one
CLI::Option* add_search_layout(CLI::App& command, Layout& layout) {
  static const std::map<std::string, SearchLayout> names = {
      {"fused", SearchLayout::kFused},
      {"standard", SearchLayout::kStandard},
      {"partitions", SearchLayout::kPartitions}};
  return add_choice(
      command, "--search-layout", layout, names,
      "fused: node blocks beside the graph, fastest; standard: the graph alone, smaller; "
      "partitions: codes in lists, for collections too large for a graph");
}

inline CLI::Option* add_durability(CLI::App& command, Durability& durability) {
  static const std::map<std::string, Durability> names = {
      {"sync", Durability::kSync}, {"flush", Durability::kFlush}, {"none", Durability::kNone}};
  return add_choice(
      command, "--durability", durability, names,
      "sync: a batch is on disk when it is acknowledged; flush: survives the process; "
      "none: kept at the end");
}

inline CLI::Option* add_fusion(CLI::App& command, Fusion& fusion) {
  static const std::map<std::string, Fusion> names = {{"rrf", Fusion::kReciprocalRank},
                                                      {"weighted", Fusion::kWeighted}};
  return add_choice(command, "--fusion", fusion, names, "rrf (by ranks) or weighted (by scores)");
}

inline CLI::Option* add_strategy(CLI::App& command, FilterStrategy& strategy) {
  static const std::map<std::string, FilterStrategy> names = {{"auto", FilterStrategy::kAuto},
                                                              {"pre", FilterStrategy::kPre},
                                                              {"in", FilterStrategy::kIn},
                                                              {"post", FilterStrategy::kPost},
                                                              {"codes", FilterStrategy::kCodes}};
  return add_choice(command, "--strategy", strategy, names,
                    "auto, or force: pre (compare what matches), in (walk the graph, keep what "
                    "matches), post (test what is found), codes (compare codes of what matches)");
}

}  // namespace rvf::cli
