#include "manifest/manifest_log.hpp"

#include <algorithm>
#include <numeric>

#include "manifest/manifest_test_util.hpp"

namespace rvf::manifest {
namespace {

void expect_same(const ManifestLog& a, const ManifestLog& b) {
  EXPECT_EQ(a.root(), b.root());
  EXPECT_EQ(a.directory(), b.directory());
  EXPECT_EQ(a.row_map(), b.row_map());
  EXPECT_EQ(a.dead_rows(), b.dead_rows());
  EXPECT_EQ(a.live_bytes(), b.live_bytes());
  ASSERT_TRUE(a.link().has_value());
  ASSERT_TRUE(b.link().has_value());
  EXPECT_EQ(*a.link(), *b.link());
}

TEST(ManifestLog, AfterEveryCommitTheFileSaysWhatTheLogHolds) {
  LogMaker m;
  for (int i = 0; i < 600; ++i) {
    m.commit(i == 333);
    auto loaded = ManifestLog::load(*m.file, m.log.root());
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    expect_same(*loaded, m.log);
  }
}

TEST(ManifestLog, RemovedSegmentsLeaveTheDirectoryAndWhatNeverReachedAManifestVanishes) {
  LogMaker m;
  for (int i = 0; i < 50; ++i) m.commit();
  const auto live_before = m.log.live_bytes();
  Change attach;
  wire::DirEntry e;
  e.segment_id = 5000;
  e.type = SegmentType::kMeta;
  e.payload_length = 1000;
  attach.added.push_back(e);
  Change detach;
  detach.removed.push_back(5000);
  Change both = attach;
  both.then(detach);
  EXPECT_TRUE(both.empty());
  for (const Change& c : {attach, detach}) {
    auto p = m.prepare(c);
    ASSERT_TRUE(p.ok());
    ASSERT_TRUE(m.file->write(m.size(), p->segment).ok());
    m.log.adopt(std::move(*p));
    ++m.next_epoch;
    auto loaded = ManifestLog::load(*m.file, m.log.root());
    ASSERT_TRUE(loaded.ok());
    expect_same(*loaded, m.log);
  }
  EXPECT_FALSE(m.log.directory().contains(5000));
  EXPECT_EQ(m.log.live_bytes(), live_before);
}

TEST(ManifestLog, TenThousandCommitsStayFlatInBytesAndInManifestsRead) {
  LogMaker m;
  std::vector<uint64_t> bytes;
  size_t most_manifests = 0;
  for (size_t i = 0; i < 10000; ++i) {
    bytes.push_back(m.commit());
    if (i % 97 != 0 && i + 20 < 10000) continue;
    const CountingFile counted(*m.file);
    auto loaded = ManifestLog::load(counted, m.log.root());
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(loaded->directory().size(), i + 1);
    most_manifests = std::max(most_manifests, counted.reads.size() / 2);  // header and payload
  }
  const auto sum = [&](size_t from, size_t to) {
    return std::accumulate(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                           bytes.begin() + static_cast<std::ptrdiff_t>(to), uint64_t{0});
  };
  EXPECT_LE(sum(9000, 10000), 2 * sum(1000, 2000));
  EXPECT_LE(most_manifests, 61U);
  EXPECT_GT(most_manifests, 10U);
  auto loaded = ManifestLog::load(*m.file, m.log.root());
  ASSERT_TRUE(loaded.ok());
  expect_same(*loaded, m.log);

  const auto epochs = ManifestLog::epochs(*m.file, m.log.root());
  ASSERT_TRUE(epochs.ok());
  ASSERT_EQ(epochs->size(), 10000U);
  for (size_t i = 0; i < 10000; ++i) {
    ASSERT_EQ((*epochs)[i].epoch, 10000 - i);
    ASSERT_EQ((*epochs)[i].modified_ns, 1000 + (*epochs)[i].epoch);
  }
}

TEST(ManifestLog, EpochsEndWithoutErrorWhereTheHistoryWasCut) {
  LogMaker m;
  for (int i = 0; i < 30; ++i) m.commit();
  const std::vector<std::byte> zeros(200, std::byte{0});
  const auto before = ManifestLog::epochs(*m.file, m.log.root());
  ASSERT_TRUE(m.file->write((*before)[20].manifest_offset, zeros).ok());
  const auto after = ManifestLog::epochs(*m.file, m.log.root());
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->size(), 20U);
}

// Writes `level1` with a root as a manifest that is valid in itself.
wire::Root put_manifest(LogMaker& m, const wire::Level1& level1, uint32_t epoch) {
  wire::Root root = m.log.root();
  root.epoch = epoch;
  wire::Bytes payload = wire::encode_level1(level1);
  root.level1_offset = m.size() + kSegmentHeaderSize;
  root.level1_length = payload.size();
  const auto raw = wire::encode_root(root);
  payload.insert(payload.end(), raw.begin(), raw.end());
  SegmentHeader header;
  header.type = SegmentType::kManifest;
  header.segment_id = 9000 + epoch;
  EXPECT_TRUE(m.file->write(m.size(), wire::make_segment(header, payload)).ok());
  return root;
}

TEST(ManifestLog, AChainThatLoopsPointsForwardOrLeadsToAnotherStoreIsRefused) {
  LogMaker m;
  for (int i = 0; i < 20; ++i) m.commit();
  wire::Level1 level1;
  level1.profile = {m.log.head().profile};
  const wire::ChainLink good = *m.log.link();
  const uint64_t own = m.size();
  for (const uint64_t target : {own, own + 64, own + (1U << 20), ~uint64_t{0}, ~uint64_t{0} - 63}) {
    wire::ChainLink bad = good;
    bad.offset = target;
    level1.chain = {good, bad};
    const wire::Root root = put_manifest(m, level1, 21);
    EXPECT_FALSE(ManifestLog::load(*m.file, root).ok()) << target;
    level1.chain = {bad};
    const wire::Root lonely = put_manifest(m, level1, 21);
    const auto epochs = ManifestLog::epochs(*m.file, lonely);
    ASSERT_TRUE(epochs.ok());
    EXPECT_LE(epochs->size(), 23U) << "and walking the epochs ends";
  }
  wire::ChainLink changed = good;
  changed.hash[3] ^= 1;
  level1.chain = {good, changed};
  EXPECT_FALSE(ManifestLog::load(*m.file, put_manifest(m, level1, 21)).ok());
  changed = good;
  changed.epoch ^= 1;
  level1.chain = {good, changed};
  EXPECT_FALSE(ManifestLog::load(*m.file, put_manifest(m, level1, 21)).ok());

  LogMaker other;
  other.file_id = {9, 9, 9};
  for (int i = 0; i < 20; ++i) other.commit();
  level1.chain = {*other.log.link(), *other.log.link()};
  wire::Root root = put_manifest(other, level1, 21);
  EXPECT_TRUE(ManifestLog::load(*other.file, root).ok()) << "the same chain in its own store";
  root.identity.file_id = {1};
  EXPECT_FALSE(ManifestLog::load(*other.file, root).ok());
}

// A store's own manifests need at most 61; a file may not make every candidate of a scan cost all
// of it.
TEST(ManifestLog, AChainLongerThanAnyWriterMakesIsRefused) {
  LogMaker m;
  for (int i = 0; i < 20; ++i) m.commit();
  wire::Level1 level1;
  level1.profile = {m.log.head().profile};
  wire::ChainLink base = *m.log.link();
  wire::Root root;
  for (uint32_t i = 0; i < 200; ++i) {
    level1.chain = {base, base};
    const uint64_t offset = m.size();
    root = put_manifest(m, level1, 21 + i);
    auto raw = read_manifest(*m.file, offset, m.size());
    ASSERT_TRUE(raw.ok());
    base = raw->link;
  }
  const CountingFile counted(*m.file);
  EXPECT_FALSE(ManifestLog::load(counted, root).ok());
  EXPECT_LE(counted.reads.size(), 2 * 65U);
}

TEST(ManifestLog, ADamagedManifestIsRefusedWhereverTheDamageIs) {
  LogMaker m;
  for (int i = 0; i < 40; ++i) m.commit();
  const uint64_t begin = m.log.root().level1_offset - kSegmentHeaderSize;
  for (uint64_t at = begin; at < m.size(); at += 7) {
    std::array<std::byte, 1> b{};
    ASSERT_TRUE(m.file->read(at, b).ok());
    const std::array<std::byte, 1> flipped{b[0] ^ std::byte{4}};
    ASSERT_TRUE(m.file->write(at, flipped).ok());
    const auto raw = read_manifest(*m.file, begin, m.size());
    const uint64_t in_header = at - begin;
    // Flags, id and time of the header are not covered by the payload's hash; the chain checks the
    // id.
    EXPECT_TRUE(in_header < kSegmentHeaderSize || !raw.ok()) << at;
    ASSERT_TRUE(m.file->write(at, b).ok());
  }
}

}  // namespace
}  // namespace rvf::manifest
