#include "runtime/shard_writer.hpp"

namespace rvf::runtime {
namespace {

constexpr unsigned kMaxShards = 1000;

std::string numbered(const std::string& store_path, unsigned number) {
  return store_path + ".cold." + std::to_string(number);
}

// What has a shard's name and is not one belongs to somebody else.
bool is_shard(io::FileSystem& fs, const std::string& path) {
  const auto file = fs.open(path, io::OpenMode::kRead);
  const auto size = file ? (*file)->size() : Result<uint64_t>(file.error());
  if (!size) return false;
  std::array<std::byte, kSegmentHeaderSize> raw{};
  if (*size < raw.size()) return *size == 0;
  if (!(*file)->read(0, raw)) return false;
  const auto header = wire::decode_header(raw, 0);
  return header && header->type == SegmentType::kVec;
}

}  // namespace

std::string shard_path(const std::string& store_path, const std::string& shard_name) {
  const size_t slash = store_path.rfind('/');
  return slash == std::string::npos ? shard_name : store_path.substr(0, slash + 1) + shard_name;
}

Result<std::unique_ptr<ShardWriter>> ShardWriter::create(io::FileSystem& fs,
                                                         const std::string& store_path,
                                                         const std::array<uint8_t, 16>& file_id) {
  for (unsigned n = 0; n < kMaxShards; ++n) {
    auto writer = std::make_unique<ShardWriter>();
    writer->path_ = numbered(store_path, n);
    auto made = fs.open(writer->path_, io::OpenMode::kCreatePrivate);
    if (!made && made.error().code == ErrorCode::kAlreadyExists) continue;
    RVF_ASSIGN(writer->file_, std::move(made));
    // On its own file, no more open than the store.
    if (auto s = fs.copy_attributes(store_path, writer->path_); !s) {
      (void)fs.remove(writer->path_);
      return std::move(s).error();
    }
    const size_t slash = writer->path_.rfind('/');
    writer->ref_.shard = 1;
    writer->ref_.name =
        slash == std::string::npos ? writer->path_ : writer->path_.substr(slash + 1);
    writer->ref_.file_id = file_id;
    return writer;
  }
  return Error(ErrorCode::kTooLarge, "there are too many shard files beside " + store_path);
}

Result<wire::DirEntry> ShardWriter::append(const SegmentHeader& header, wire::ByteSpan payload) {
  std::array<std::byte, kSegmentHeaderSize> raw{};
  wire::encode_header(header, raw);
  const std::array<std::byte, kSegmentAlignment> zeros{};
  const std::span<const std::byte> parts[] = {raw, payload,
                                              std::span(zeros).first(header.alignment_pad)};
  RVF_TRY(file_->write(ref_.bytes, parts));
  wire::DirEntry entry;
  entry.segment_id = header.segment_id;
  entry.type = header.type;
  entry.flags = header.flags;
  entry.offset = ref_.bytes;
  entry.payload_length = payload.size();
  entry.shard = ref_.shard;
  entry.hash = header.content_hash;
  ref_.bytes += raw.size() + payload.size() + header.alignment_pad;
  return entry;
}

void remove_other_shards(io::FileSystem& fs, const std::string& store_path,
                         const std::string& keep) {
  for (unsigned n = 0; n < kMaxShards; ++n) {
    const std::string path = numbered(store_path, n);
    const auto there = fs.exists(path);
    if (!there.ok()) return;
    // Numbers are taken from the lowest free one, so two absent in a row end the list.
    if (!*there) {
      const auto next = fs.exists(numbered(store_path, n + 1));
      if (!next.ok() || !*next) return;
      continue;
    }
    const bool kept = !keep.empty() && path == shard_path(store_path, keep);
    if (!kept && is_shard(fs, path)) (void)fs.remove(path);
  }
}

}  // namespace rvf::runtime
