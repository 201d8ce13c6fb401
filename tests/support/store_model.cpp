#include "support/store_model.hpp"

#include <cstdlib>
#include <cstring>
#include <random>

namespace rvf::testing {

namespace {

// Names and values, so that equal texts mean equal records.
std::string text_of(const Record& record) {
  std::string out;
  for (const auto& [name, value] : record) {
    out += name + "=";
    if (const auto* s = std::get_if<std::string>(&value)) out += *s;
    if (const auto* i = std::get_if<int64_t>(&value)) out += std::to_string(*i);
    if (const auto* d = std::get_if<double>(&value)) out += std::to_string(*d);
    out += std::to_string(value.index()) + ";";
  }
  return out;
}

}  // namespace

Model content_of(const Snapshot& snapshot) {
  Model m;
  const Status seen = snapshot.for_each([&](uint64_t id, std::span<const std::byte> raw) {
    std::vector<float>& v = m[id];
    v.resize(raw.size() / sizeof(float));
    std::memcpy(v.data(), raw.data(), raw.size());
    return true;
  });
  if (!seen) return {};
  if (snapshot.fields().empty() && !snapshot.has_keys()) return m;
  for (auto& [id, v] : m) {
    const auto record = snapshot.record(id);
    const std::string text = record ? text_of(*record) : record.error().message;
    if (text.empty()) continue;
    const uint64_t hash = std::hash<std::string>()(text);
    for (unsigned shift = 0; shift < 64; shift += 16) {
      v.push_back(static_cast<float>(hash >> shift & 0xFFFF));
    }
  }
  return m;
}

std::string difference(const Model& expected, const Model& actual) {
  for (const auto& [id, vector] : expected) {
    const auto it = actual.find(id);
    if (it == actual.end()) return "id " + std::to_string(id) + " is missing";
    if (it->second != vector) return "id " + std::to_string(id) + " has another vector";
  }
  for (const auto& [id, vector] : actual) {
    if (!expected.contains(id)) return "id " + std::to_string(id) + " should not be there";
  }
  return {};
}

Inspection inspect(const std::string& path, std::shared_ptr<io::FileSystem> fs) {
  Inspection out;
  OpenOptions options;
  options.file_system = std::move(fs);
  auto store = Store::open_readonly(path, options);
  if (!store) {
    out.problem = "does not open: " + store.error().message;
    return out;
  }
  out.status = store->status();
  auto snapshot = store->snapshot();
  if (!snapshot) {
    out.problem = "has no snapshot: " + snapshot.error().message;
    return out;
  }
  out.content = content_of(*snapshot);
  const auto size = snapshot->size();
  if (!size || out.content.size() != *size) out.problem = "counts its vectors wrongly";
  auto report = store->verify({.deep = true});
  if (!report) {
    out.problem = "cannot be verified: " + report.error().message;
  } else if (!report->problems.empty()) {
    out.problem = "is damaged: " + report->problems.front().message;
  }
  return out;
}

std::vector<std::byte> bytes_of(io::FileSystem& fs, const std::string& path) {
  auto file = fs.open(path, io::OpenMode::kRead);
  if (!file) return {};
  std::vector<std::byte> bytes(*(*file)->size());
  if (!(*file)->read(0, bytes)) bytes.clear();
  return bytes;
}

void put_bytes(io::FileSystem& fs, const std::string& path, const std::vector<std::byte>& bytes) {
  auto file = fs.open(path, io::OpenMode::kCreateNew);
  if (file) (void)(*file)->write(0, bytes);
}

std::vector<float> values_of(uint64_t seed, size_t count, size_t dim) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count * dim);
  for (float& v : values) v = uniform(random);
  return values;
}

uint64_t number_from_env(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace rvf::testing
