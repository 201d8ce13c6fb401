// Steps that several workloads of the crash tests take.
#pragma once
#include <string>
#include <vector>

#include "crash/crash_history.hpp"

namespace rvf::testing {

using Ids = std::vector<uint64_t>;

inline std::vector<Column> columns_for(Life& life, size_t rows) {
  Column year{"year", FieldType::kI64, {}};
  Column title{"title", FieldType::kString, {}};
  for (size_t i = 0; i < rows; ++i) {
    year.values.emplace_back(static_cast<int64_t>(2000 + life.random()() % 30));
    title.values.emplace_back("title number " + std::to_string(life.random()() % 1000));
  }
  return {year, title};
}

inline void write_rows(Life& life, size_t rows, std::span<const std::string> keys,
                       std::span<const Column> columns, std::span<const std::string> gone = {}) {
  const auto values = values_of(life.random()(), rows, kLifeDim);
  WriteBatch batch;
  batch.vectors = Vectors::from_f32(values, kLifeDim);
  batch.keys = keys;
  batch.columns = columns;
  batch.delete_keys = gone;
  life.call(life.store().write(batch));
}

inline std::vector<std::string> keys_from(size_t first, size_t count) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back("key " + std::to_string(first + i));
  return keys;
}

// What is found often stays hot in a compaction with tiers.
inline void ask(Life& life, int times) {
  const std::vector<float> query(life.store().status().dimension, 0.5F);
  for (int i = 0; i < times; ++i) {
    if (auto found = life.store().query(query, {.k = 3}); !found) {
      return life.fail(found.error().message);
    }
  }
}

}  // namespace rvf::testing
