// Converting there and back is the identity, for every file that there is.
#include <unistd.h>

#include <algorithm>

#include "interop_data.hpp"
#include "layouts/runtime_find.hpp"
#include "layouts/runtime_writer.hpp"
#include "runtime/convert.hpp"
#include "rvf/executor.hpp"

namespace rvf::interop_test {
namespace {

using runtime::convert_to_native;
using runtime::convert_to_runtime;

Result<Store> open(const fs::path& path) { return Store::open_readonly(path.string()); }

// Everything that a user can see of a store, in an order of its own.
struct Content {
  std::vector<uint64_t> ids;
  std::string digest;
  Metric metric = Metric::kL2;
  DType dtype = DType::kF32;
  std::vector<Field> fields;
  std::vector<Record> records;
  std::string application;
  std::array<uint8_t, 16> file_id{};
  std::vector<std::pair<uint8_t, wire::Bytes>> attachments;
  friend bool operator==(const Content&, const Content&) = default;
};

Content content_of(const Store& store) {
  const Snapshot s = *store.snapshot();
  Content c;
  c.ids = *s.ids();
  c.digest = digest_of(s, c.ids);
  c.metric = s.metric();
  c.dtype = s.dtype();
  c.fields = s.fields();
  for (const uint64_t id : c.ids) {
    Record r = *s.record(id);
    std::sort(r.begin(), r.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    c.records.push_back(std::move(r));
  }
  c.application = store.status().application;
  c.file_id = store.status().file_id;
  for (const SegmentInfo& info : std::vector(*s.segments())) {
    if (info.type <= 0x09 || info.type == 0x0D) continue;
    c.attachments.emplace_back(info.type, *s.payload(info.segment_id));
  }
  std::sort(c.attachments.begin(), c.attachments.end());
  return c;
}

TEST_F(Interop, EveryFileConvertedThereAndBackIsWhatItWas) {
  size_t count = 0;
  for (const auto& [name, path] : all_files()) {
    const std::string native = (folder_ / (name + ".native")).string();
    const std::string runtime = (folder_ / (name + ".runtime")).string();
    const std::string again = (folder_ / (name + ".again")).string();
    auto original = open(path);
    ASSERT_TRUE(original.ok()) << name;
    const auto to_native = convert_to_native(path.string(), native);
    ASSERT_TRUE(to_native.ok()) << name << ": " << to_native.error().message;
    ASSERT_TRUE(convert_to_runtime(native, runtime).ok()) << name;
    ASSERT_TRUE(convert_to_native(runtime, again).ok()) << name;
    auto first = Store::open(native);
    ASSERT_TRUE(first.ok()) << name << ": " << first.error().message;
    EXPECT_EQ(first->status().layout, "native");
    const auto verified = first->verify({.deep = true});
    ASSERT_TRUE(verified.ok());
    EXPECT_TRUE(verified->problems.empty()) << name;
    const Content want = content_of(*first);
    EXPECT_EQ(want.digest, content_of(*original).digest) << name;
    auto middle = open(runtime);
    ASSERT_TRUE(middle.ok()) << name;
    EXPECT_EQ(middle->status().layout, "runtime");
    EXPECT_EQ(content_of(*middle).digest, want.digest) << name;
    auto last = Store::open(again);
    ASSERT_TRUE(last.ok()) << name;
    Content got = content_of(*last);
    // The envelope of what was carried says where it came from; that differs for a wire container.
    if (to_native->from == "wire" || to_native->from == "wasm") {
      got.attachments.clear();
      EXPECT_EQ(got.ids, want.ids) << name;
    } else {
      EXPECT_EQ(got, want) << name;
    }
    ++count;
  }
  EXPECT_GE(count, 73U);
}

class Convert : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              (std::string("rvf-convert-") + info->name() + "-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_F(Convert, ANativeStoreComesBackWithAllThatItHolds) {
  {
    CreateOptions create;
    create.dimension = 3;
    create.metric = Metric::kCosine;
    create.dtype = DType::kF16;
    create.application = "a program's settings";
    create.fields = {{"lang", FieldType::kEnum, kIndexValues},
                     {"title", FieldType::kString, kIndexWords},
                     {"never given", FieldType::kF64, kIndexValues}};
    auto store = Store::create(path("a.rvf"), create);
    ASSERT_TRUE(store.ok());
    const std::vector<float> values = {1, 2, 3, 4, 5, 6, 0.5F, 0.25F, -1, 9, 9, 9};
    const std::vector<std::string> keys = {"one", "two", "three", "gone"};
    const std::vector<Column> columns = {
        {"lang", FieldType::kEnum, {std::string("de"), std::string("en"), Value{}, Value{}}},
        {"title", FieldType::kString, {std::string("A title"), Value{}, Value{}, Value{}}},
        {"tags",
         FieldType::kStringList,
         {std::vector<std::string>{"x", "y"}, Value{}, std::vector<std::string>{}, Value{}}},
        {"at", FieldType::kTimestamp, {int64_t{5}, Value{}, int64_t{-7}, Value{}}},
        {"raw",
         FieldType::kBytes,
         {std::vector<std::byte>{std::byte{0}}, Value{}, Value{}, Value{}}},
        {"big", FieldType::kU64, {~0ULL, Value{}, uint64_t{0}, Value{}}},
        {"flag", FieldType::kBool, {true, false, Value{}, Value{}}}};
    const std::vector<Attachment> attach = {
        {0x0A, 0, false, wire::Bytes(5, std::byte{1})},  // a witness of ours
        {0x0E, 0, true, wire::Bytes(900, std::byte{2})},  // a kernel
        {0xF5, 0, false, wire::Bytes(3, std::byte{3})}};
    WriteBatch batch;
    batch.vectors = Vectors::from_f32(values, 3);
    batch.keys = keys;
    batch.columns = columns;
    batch.attach = attach;
    ASSERT_TRUE(store->write(batch).ok());
    const std::vector<std::string> gone = {"gone"};
    WriteBatch removal;
    removal.delete_keys = gone;
    ASSERT_TRUE(store->write(removal).ok());
    ASSERT_TRUE(store->close());
  }
  const auto there = convert_to_runtime(path("a.rvf"), path("b.rvf"));
  ASSERT_TRUE(there.ok()) << there.error().message;
  EXPECT_TRUE(fs::exists(path("b.rvf.idmap.json")));
  const auto back = convert_to_native(path("b.rvf"), path("c.rvf"));
  ASSERT_TRUE(back.ok()) << back.error().message;
  const Content want = content_of(*Store::open(path("a.rvf")));
  const Content got = content_of(*Store::open(path("c.rvf")));
  EXPECT_EQ(got.records, want.records);
  EXPECT_EQ(got.fields, want.fields);
  EXPECT_EQ(got.attachments, want.attachments);
  EXPECT_EQ(got, want);
  EXPECT_EQ(want.attachments.size(), 3U);
  const Store c = std::move(*Store::open(path("c.rvf")));
  EXPECT_EQ(testing::stored_id(*c.snapshot(), *c.snapshot()->id_of("three")), 2U);
}

// How many vectors a search of the file's graph can come to, from its entry on the lowest layer.
size_t reachable(const std::string& file) {
  const wire::Bytes bytes = read_file(file);
  const auto found = layouts::find_foreign_manifest(bytes);
  EXPECT_TRUE(found.ok());
  for (const layouts::RuntimeDirEntry& e : found->manifest.directory) {
    if (e.type != 2) continue;
    const auto graph =
        layouts::decode_runtime_index(layouts::runtime_segment(bytes, e.offset)->payload);
    EXPECT_TRUE(graph.ok()) << graph.error().message;
    EXPECT_EQ(graph->ids, *open(file)->snapshot()->ids());
    EXPECT_EQ(graph->nodes[graph->entry].size(), graph->max_layer + 1);
    std::vector<bool> seen(graph->ids.size());
    std::vector<uint64_t> waiting = {graph->entry};
    seen[graph->entry] = true;
    size_t count = 1;
    while (!waiting.empty()) {
      const uint64_t node = waiting.back();
      waiting.pop_back();
      EXPECT_LE(graph->nodes[node][0].size(), graph->m0);
      for (const uint32_t next : graph->nodes[node][0]) {
        if (seen[next]) continue;
        seen[next] = true;
        ++count;
        waiting.push_back(next);
      }
    }
    return count;
  }
  return 0;
}

TEST_F(Convert, TheGraphOfALargeStoreIsTakenOverOrMadeAnew) {
  constexpr size_t kRows = 5000;
  constexpr size_t kDim = 8;
  std::vector<float> values(kRows * kDim);
  std::vector<uint64_t> ids(kRows);
  uint64_t state = 9;
  for (float& v : values) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    v = static_cast<float>(state >> 40) / 16777216.0F - 0.5F;
  }
  for (size_t i = 0; i < kRows; ++i) ids[i] = (kRows - i) * 3;  // against the order of rows
  {
    auto store = Store::create(path("a.rvf"), {.dimension = kDim});
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE(store->ingest(Vectors::from_f32(values, kDim), ids).ok());
    ASSERT_TRUE(store->build_index());
  }
  const auto taken = convert_to_runtime(path("a.rvf"), path("b.rvf"));
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_EQ(std::count(taken->carried.begin(), taken->carried.end(), "a graph, ready to search"),
            1);
  EXPECT_EQ(reachable(path("b.rvf")), kRows);
  {
    auto store = Store::open(path("a.rvf"));
    ASSERT_TRUE(store->remove(std::vector<uint64_t>{3, 6}).ok());
  }
  const auto anew = convert_to_runtime(path("a.rvf"), path("b.rvf"), {.replace = true});
  ASSERT_TRUE(anew.ok()) << anew.error().message;
  EXPECT_EQ(reachable(path("b.rvf")), kRows - 2);
  const auto without = convert_to_runtime(path("a.rvf"), path("c.rvf"), {.index = false});
  ASSERT_TRUE(without.ok());
  EXPECT_LT(without->bytes + kRows * 20, anew->bytes);
}

TEST_F(Convert, NothingIsReplacedUnaskedAndNothingIsLeftBehind) {
  ASSERT_TRUE(Store::create(path("a.rvf"), {.dimension = 2}).ok());
  ASSERT_TRUE(Store::create(path("taken.rvf"), {.dimension = 2}).ok());
  EXPECT_EQ(convert_to_runtime(path("a.rvf"), path("taken.rvf")).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(convert_to_runtime(path("a.rvf"), path("a.rvf"), {.replace = true}).error().code,
            ErrorCode::kBadArgument);
  EXPECT_EQ(convert_to_native(path("a.rvf"), path("b.rvf")).error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(convert_to_native(path("none.rvf"), path("b.rvf")).error().code,
            ErrorCode::kNoSuchFile);
  write_file(path("text"), wire::as_bytes("no store at all, but long enough to be looked at"));
  EXPECT_EQ(convert_to_native(path("text"), path("b.rvf")).error().code,
            ErrorCode::kManifestNotFound);
  {
    const auto held = Store::open(path("taken.rvf"));
    EXPECT_EQ(convert_to_runtime(path("a.rvf"), path("taken.rvf"), {.replace = true}).error().code,
              ErrorCode::kLockHeld);
  }
  CreateOptions binary;
  binary.dimension = 8;
  binary.metric = Metric::kHamming;
  binary.dtype = DType::kBinary;
  ASSERT_TRUE(Store::create(path("bits.rvf"), binary).ok());
  EXPECT_EQ(convert_to_runtime(path("bits.rvf"), path("b.rvf")).error().code,
            ErrorCode::kWrongMetric);
  std::vector<std::string> names;
  for (const auto& e : fs::directory_iterator(folder_)) names.push_back(e.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"a.rvf", "bits.rvf", "taken.rvf", "text"}));
}

}  // namespace
}  // namespace rvf::interop_test
