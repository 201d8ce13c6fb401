#include <cstdio>
#include <rvf/store.hpp>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::vector<float> rows = {0, 0, 3, 4, 6, 8};
  auto store = rvf::Store::create(argv[1], {.dimension = 2});
  if (!store || !store->ingest(rvf::Vectors::from_f32(rows, 2))) return 1;
  auto hits = store->query(std::vector<float>{3, 3}, {.k = 1});
  if (!hits || hits->neighbors.size() != 1) return 1;
  std::printf("distance %g\n", hits->neighbors[0].distance);
  return hits->neighbors[0].distance == 1.0F ? 0 : 1;
}
