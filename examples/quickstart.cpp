// A first program: create a store, write, search, delete, look at an older state, reopen.
// Usage: quickstart [file]. The file is made anew each time.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "rvf/store.hpp"

namespace {

// Errors are values. Each names what is wrong and says what to do about it.
int fail(const rvf::Error& error) {
  std::fprintf(stderr, "%s: %s\n", rvf::error_name(error.code), error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "quickstart.rvf";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);

  auto store = rvf::Store::create(path, {.dimension = 3, .metric = rvf::Metric::kCosine});
  if (!store) return fail(store.error());

  // Three vectors of three numbers, one after another, and the ids they are known by.
  const std::vector<float> values = {1, 0, 0, 0.9F, 0.1F, 0, 0, 0, 1};
  const std::vector<uint64_t> ids = {7, 8, 42};
  auto written = store->ingest(rvf::Vectors::from_f32(values, 3), ids);
  if (!written) return fail(written.error());  // otherwise it is on stable storage now
  std::printf("wrote %llu vectors in epoch %u\n", static_cast<unsigned long long>(written->added),
              written->epoch);

  const std::vector<float> question = {1, 0, 0};
  auto result = store->query(question, {.k = 2});
  if (!result) return fail(result.error());
  for (const rvf::Neighbor& hit : result->neighbors) {
    std::printf("nearest: id %llu at distance %.4f\n", static_cast<unsigned long long>(hit.id),
                hit.distance);
  }

  // A snapshot stays as it is, whatever is written later.
  auto before = store->snapshot();
  if (!before) return fail(before.error());
  const std::vector<uint64_t> unwanted = {7};
  auto removed = store->remove(unwanted);
  if (!removed) return fail(removed.error());
  std::printf("deleted %llu; the store holds %llu, the snapshot still finds 7: %s\n",
              static_cast<unsigned long long>(removed->deleted),
              static_cast<unsigned long long>(store->status().vectors),
              *before->contains(7) ? "yes" : "no");

  if (auto closed = store->close(); !closed) return fail(closed.error());

  // Any number of readers, beside one writer. Opening takes no time to speak of.
  auto reader = rvf::Store::open_readonly(path);
  if (!reader) return fail(reader.error());
  result = reader->query(question, {.k = 1});
  if (!result) return fail(result.error());
  std::printf("reopened: nearest is now id %llu\n",
              static_cast<unsigned long long>(result->neighbors[0].id));

  // What does not fit is refused, with a reason.
  const std::vector<float> too_short = {1, 0};
  if (auto refused = reader->query(too_short); !refused) {
    std::printf("refused: %s: %s\n", rvf::error_name(refused.error().code),
                refused.error().message.c_str());
  }
  return 0;
}
