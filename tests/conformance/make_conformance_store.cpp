// Writes one store for each thing that a reader has to understand and prints what the C++ API says
// about it, one JSON object a line: path, epoch, metric, dtype, dimension, vectors, recovered, ids,
// and the digest: SHA-256 over (id as u64 little-endian, vector as stored) of the live ids in
// ascending order.
//   make_conformance_store FOLDER [FILE ...]      the files are existing stores, described as well
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "rvf/store.hpp"
#include "support/stored_id.hpp"
#include "wire/sha256.hpp"

namespace rvf::conformance {
namespace {

struct Failure {
  std::string what;
};

void check(const Status& status) {
  if (!status.ok()) throw Failure{status.error().message};
}
template <class T>
T take(Result<T> result) {
  if (!result.ok()) throw Failure{result.error().message};
  return std::move(*result);
}

std::mt19937_64 random(20261121);

// Whole numbers for the integer dtypes, anything else for the others.
std::vector<float> vectors(size_t count, uint32_t dim, DType dtype) {
  std::normal_distribution<float> normal;
  std::vector<float> values(count * dim);
  for (float& v : values) {
    switch (dtype) {
      case DType::kI8: v = static_cast<float>(static_cast<int>(random() % 256) - 128); break;
      case DType::kU8: v = static_cast<float>(random() % 256); break;
      default: v = normal(random);
    }
  }
  return values;
}

struct Case {
  uint32_t dim = 12;
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  Durability durability = Durability::kFlush;
  std::string application = {};
  SearchLayout layout = SearchLayout::kFused;
};

class Maker {
 public:
  Maker(std::filesystem::path folder, std::string name, Case options)
      : path_((folder / (name + ".rvf")).string()), case_(std::move(options)) {
    CreateOptions create;
    create.dimension = case_.dim;
    create.metric = case_.metric;
    create.dtype = case_.dtype;
    create.application = case_.application;
    create.search_layout = case_.layout;
    open_.durability = case_.durability;
    store_.push_back(take(Store::create(path_, create, open_)));
  }

  Store& store() { return store_.front(); }
  void add(size_t count, std::span<const uint64_t> ids = {}) {
    const auto values = vectors(count, case_.dim, case_.dtype);
    take(store().ingest(Vectors::from_f32(values, case_.dim), ids));
  }
  void remove(std::vector<uint64_t> ids) { take(store().remove(ids)); }
  void close() {
    check(store().close());
    store_.clear();
  }
  void reopen() {
    close();
    store_.push_back(take(Store::open(path_, open_)));
  }
  // Makes some ids found often and others seldom, so that compaction has tiers to fill.
  void ask(size_t queries) {
    QueryOptions q;
    q.k = 5;
    const auto ids = take(take(store().snapshot()).ids());
    for (size_t i = 0; i < queries; ++i) {
      const uint64_t id = ids[std::min(random() % ids.size(), random() % ids.size())];
      take(store().query(take(store().get(id)), q));
    }
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Case case_;
  OpenOptions open_;
  std::vector<Store> store_;
};

std::string hex(const wire::Sha256Digest& digest) {
  std::string out;
  for (const uint8_t b : digest) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

void describe(const std::string& path) {
  const Store store = take(Store::open_readonly(path));
  const Snapshot snapshot = take(store.snapshot());
  const StoreStatus status = store.status();
  std::map<uint64_t, std::vector<std::byte>> live;
  const Status seen = snapshot.for_each([&](uint64_t id, std::span<const std::byte> vector) {
    live[testing::stored_id(snapshot, id)].assign(vector.begin(), vector.end());
    return true;
  });
  if (!seen) throw std::runtime_error(seen.error().message);
  wire::Sha256 digest;
  std::string ids;
  for (const auto& [id, vector] : live) {
    digest.update(std::as_bytes(std::span(&id, 1)));
    digest.update(vector);
    ids += (ids.empty() ? "" : ",") + std::to_string(id);
  }
  std::printf(
      "{\"path\":\"%s\",\"epoch\":%u,\"metric\":\"%s\",\"dtype\":\"%s\",\"dimension\":%u,"
      "\"vectors\":%zu,"
      "\"deleted\":%llu,\"next_id\":%llu,\"segments\":%llu,\"indexed_rows\":%llu,"
      "\"tier_rows\":[%llu,%llu,%llu],\"application\":\"%s\",\"recovered\":%s,\"digest\":\"%s\","
      "\"ids\":[%s]}\n",
      path.c_str(), status.epoch, metric_name(status.metric), dtype_name(status.dtype),
      status.dimension, live.size(), static_cast<unsigned long long>(status.deleted),
      static_cast<unsigned long long>(status.next_id),
      static_cast<unsigned long long>(status.segments),
      static_cast<unsigned long long>(status.indexed_rows),
      static_cast<unsigned long long>(status.tier_rows[0]),
      static_cast<unsigned long long>(status.tier_rows[1]),
      static_cast<unsigned long long>(status.tier_rows[2]), status.application.c_str(),
      status.recovery.recovered ? "true" : "false", hex(digest.finish()).c_str(), ids.c_str());
}

std::vector<uint64_t> shuffled(size_t count, uint64_t step) {
  std::vector<uint64_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = (i + 1) * step;
  std::shuffle(ids.begin(), ids.end(), random);
  return ids;
}

using Make = std::function<void(Maker&)>;

void truncate_by(const std::string& path, uint64_t bytes) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - bytes);
}
void append_junk(const std::string& path, size_t bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::app);
  for (size_t i = 0; i < bytes; ++i) out.put(static_cast<char>(random()));
}

// Upserts, deletions, and ids that come back.
void churn(Maker& m) {
  m.add(60);
  m.add(3, std::vector<uint64_t>{7, 5, 1000});
  m.remove({5, 6, 7, 8, 999999});
  m.add(2, std::vector<uint64_t>{6, 8});
  m.remove({6});
  m.add(4);
}

void many_commits(Maker& m) {
  for (uint64_t i = 0; i < 300; ++i) {
    m.add(1);
    if (i % 7 == 3) m.remove({i / 2});
    if (i % 50 == 20) m.add(1, std::vector<uint64_t>{i / 3});
  }
}

void attachments(Maker& m) {
  std::vector<Attachment> attach(4);
  attach[0].type = 0x07;
  attach[0].payload.assign(5000, std::byte{'x'});
  attach[0].compress = true;
  attach[1].type = 0xF3;
  attach[1].payload.assign(77, std::byte{1});
  attach[2].type = 0x33;  // nobody knows it
  attach[3].type = 0x0E;
  attach[3].payload.assign(64, std::byte{2});
  WriteBatch batch;
  batch.attach = attach;
  const auto report = take(m.store().write(batch));
  m.add(20);
  const std::vector<uint64_t> gone = {report.attached[3]};
  WriteBatch detach;
  detach.detach = gone;
  take(m.store().write(detach));
}

void tiers(Maker& m) {
  m.add(400, shuffled(400, 3));
  m.ask(600);
  CompactOptions compact;
  compact.tiers = true;
  take(m.store().compact(compact));
  m.remove({3, 30, 300});
  m.add(5);
}

// Rows that keep the codes of a first compaction, rows coded by the second, and exact ones.
Make stored_as(Storage storage) {
  return [storage](Maker& m) {
    m.add(300, shuffled(300, 3));
    CompactOptions compact;
    compact.storage = storage;
    take(m.store().compact(compact));
    m.add(20);
    m.remove({30, 300});
    take(m.store().compact());
    m.add(5);
  };
}

void put_file(std::filesystem::path folder, const std::string& name, const Case& options,
              const Make& make, const std::function<void(const std::string&)>& damage = nullptr) {
  Maker m(folder, name, options);
  make(m);
  const std::string path = m.path();
  m.close();
  if (damage) damage(path);
  describe(path);
}

void make_all(const std::filesystem::path& folder) {
  const auto some = [](Maker& m) { m.add(37); };
  for (const DType d :
       {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kU8, DType::kBinary}) {
    const Metric metric = d == DType::kBinary ? Metric::kHamming : Metric::kL2;
    put_file(folder, std::string("dtype_") + dtype_name(d),
             {.dim = 19, .metric = metric, .dtype = d}, some);
    const Case tiered{.dim = 19, .metric = metric, .dtype = d};
    put_file(folder, std::string("tiers_") + dtype_name(d), tiered, tiers);
  }
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    put_file(folder, std::string("metric_") + metric_name(metric),
             {.metric = metric, .application = "any text"}, some);
  }
  put_file(folder, "two_vectors", {.dim = 4, .durability = Durability::kSync}, [](Maker& m) {
    const std::vector<float> values = {1, 2, 3, 4, -1, 0.5F, 0, 8};
    const std::vector<uint64_t> ids = {7, 300};
    take(m.store().ingest(Vectors::from_f32(values, 4), ids));
  });
  put_file(folder, "storage_int8", {.dim = 19}, stored_as(Storage::kInt8));
  put_file(folder, "storage_rabitq4", {.dim = 40}, stored_as(Storage::kRaBitQ4));
  put_file(folder, "storage_rabitq4_f16", {.dim = 19, .dtype = DType::kF16},
           stored_as(Storage::kRaBitQ4));
  put_file(folder, "no_vectors", {}, [](Maker&) {});
  put_file(folder, "unsorted_ids", {}, [](Maker& m) { m.add(500, shuffled(500, 1ULL << 40)); });
  put_file(folder, "churn", {.durability = Durability::kSync}, churn);
  put_file(folder, "all_dead", {}, [](Maker& m) {
    m.add(5);
    m.remove({0, 1, 2, 3, 4});
  });
  put_file(folder, "dead_of_all_kinds", {.dim = 1, .dtype = DType::kI8}, [](Maker& m) {
    m.add(20000);
    std::vector<uint64_t> gone(7000);  // a run, and a dense set
    std::iota(gone.begin(), gone.end(), 100);
    for (uint64_t id = 8000; id < 20000; id += 1 + random() % 2) gone.push_back(id);
    m.remove(gone);
  });
  put_file(folder, "many_commits", {}, many_commits);
  put_file(folder, "put_off", {.durability = Durability::kNone}, [](Maker& m) {
    for (int i = 0; i < 12; ++i) m.add(3);
    m.remove({1, 20});
  });
  put_file(folder, "attachments", {}, attachments);
  put_file(folder, "index", {.dim = 4, .dtype = DType::kI8}, [](Maker& m) {
    m.add(5000);
    check(m.store().build_index());
    m.remove({17, 4000});
    m.add(10);
  });
  put_file(folder, "partitions",
           {.dim = 4, .dtype = DType::kI8, .layout = SearchLayout::kPartitions}, [](Maker& m) {
             m.add(5000);
             check(m.store().build_index());
             m.remove({17, 4000});
             m.add(10);
           });
  put_file(folder, "compacted", {}, [](Maker& m) {
    churn(m);
    attachments(m);
    take(m.store().compact());
    m.add(3);
    m.remove({0, 1});
  });
  put_file(folder, "compacted_twice", {}, [](Maker& m) {
    many_commits(m);
    take(m.store().compact());
    m.reopen();
    m.remove({200, 201});
    take(m.store().compact());
  });
  put_file(folder, "rolled_back", {}, [](Maker& m) {
    many_commits(m);
    take(m.store().rollback(m.store().status().epoch - 150));
    m.add(2);
  });
  const auto two = [](Maker& m) {
    m.add(30);
    m.add(9);
  };
  put_file(folder, "torn_manifest", {}, two, [](const std::string& p) { truncate_by(p, 64); });
  put_file(folder, "torn_inside_a_sector", {}, two,
           [](const std::string& p) { truncate_by(p, 4001); });
  put_file(folder, "junk_behind", {}, two, [](const std::string& p) { append_junk(p, 5000); });
  put_file(folder, "written_after_recovery", {}, two, [](const std::string& p) {
    append_junk(p, 777);
    OpenOptions open;
    open.durability = Durability::kFlush;
    Store store = take(Store::open(p, open));
    take(store.remove(std::vector<uint64_t>{2, 3}));
    check(store.close());
  });
}

}  // namespace
}  // namespace rvf::conformance

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    rvf::conformance::make_all(argv[1]);
    for (int i = 2; i < argc; ++i) rvf::conformance::describe(argv[i]);
  } catch (const rvf::conformance::Failure& failure) {
    std::fprintf(stderr, "%s\n", failure.what.c_str());
    return 1;
  }
  return 0;
}
