// Options whose values are enums of the library.
#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "rvf/store.hpp"

namespace rvf::cli {

inline CLI::Option* add_metric(CLI::App& command, Metric& metric) {
  static const std::map<std::string, Metric> names = {{"l2", Metric::kL2},
                                                      {"cosine", Metric::kCosine},
                                                      {"ip", Metric::kInnerProduct},
                                                      {"hamming", Metric::kHamming}};
  return command.add_option("--metric", metric, "l2 (squared), cosine, ip or hamming")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description(""))
      ->type_name("METRIC");
}

inline CLI::Option* add_dtype(CLI::App& command, DType& dtype) {
  static const std::map<std::string, DType> names = {
      {"f32", DType::kF32}, {"f16", DType::kF16}, {"bf16", DType::kBF16},
      {"i8", DType::kI8},   {"u8", DType::kU8},   {"binary", DType::kBinary}};
  return command.add_option("--dtype", dtype, "f32, f16, bf16, i8, u8 or binary")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description(""))
      ->type_name("DTYPE");
}

template <class Layout>  // SearchLayout, or an optional one
CLI::Option* add_search_layout(CLI::App& command, Layout& layout) {
  static const std::map<std::string, SearchLayout> names = {
      {"fused", SearchLayout::kFused},
      {"standard", SearchLayout::kStandard},
      {"partitions", SearchLayout::kPartitions}};
  return command
      .add_option(
          "--search-layout", layout,
          "fused: node blocks beside the graph, fastest; standard: the graph alone, smaller; "
          "partitions: codes in lists, for collections too large for a graph")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description(""))
      ->type_name("LAYOUT");
}

inline CLI::Option* add_durability(CLI::App& command, Durability& durability) {
  static const std::map<std::string, Durability> names = {
      {"sync", Durability::kSync}, {"flush", Durability::kFlush}, {"none", Durability::kNone}};
  return command
      .add_option("--durability", durability,
                  "sync: a batch is on disk when it is acknowledged; flush: survives the process; "
                  "none: kept at the end")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description(""))
      ->type_name("MODE");
}

inline CLI::Option* add_fusion(CLI::App& command, Fusion& fusion) {
  static const std::map<std::string, Fusion> names = {{"rrf", Fusion::kReciprocalRank},
                                                      {"weighted", Fusion::kWeighted}};
  return command.add_option("--fusion", fusion, "rrf (by ranks) or weighted (by scores)")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description(""))
      ->type_name("MODE");
}

inline CLI::Option* add_strategy(CLI::App& command, FilterStrategy& strategy) {
  static const std::map<std::string, FilterStrategy> names = {{"auto", FilterStrategy::kAuto},
                                                              {"pre", FilterStrategy::kPre},
                                                              {"in", FilterStrategy::kIn},
                                                              {"post", FilterStrategy::kPost}};
  return command
      .add_option("--strategy", strategy,
                  "auto, or force: pre (compare what matches), in (walk the graph, keep what "
                  "matches), post (test what is found)")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description(""))
      ->type_name("MODE");
}

}  // namespace rvf::cli
