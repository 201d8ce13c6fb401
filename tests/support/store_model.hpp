// What a store has to hold, as a plain map, and the comparison of the two.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "io/file.hpp"
#include "rvf/store.hpp"

namespace rvf::testing {

using Model = std::map<uint64_t, std::vector<float>>;

// Of a store of dtype f32. A vector with metadata is followed by four numbers that stand for it.
Model content_of(const Snapshot& snapshot);

// Empty if equal; otherwise what differs first.
std::string difference(const Model& expected, const Model& actual);

// A store's content and its deep verification through a fresh, read-only handle; the text of a
// problem otherwise.
struct Inspection {
  Model content;
  StoreStatus status;
  std::string problem;
};
Inspection inspect(const std::string& path, std::shared_ptr<io::FileSystem> fs);

std::vector<std::byte> bytes_of(io::FileSystem& fs, const std::string& path);
void put_bytes(io::FileSystem& fs, const std::string& path, const std::vector<std::byte>& bytes);

// `count` vectors whose values tell where they come from.
std::vector<float> values_of(uint64_t seed, size_t count, size_t dim);

uint64_t number_from_env(const char* name, uint64_t otherwise);

}  // namespace rvf::testing
