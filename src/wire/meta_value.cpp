#include "wire/meta_value.hpp"

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "metadata value in a";
// The tags are those of MetaType; a value needs none for enums and timestamps.
constexpr uint8_t kNull = 0;
constexpr uint8_t tag(MetaType type) noexcept { return static_cast<uint8_t>(type); }

struct ValueWriter {
  ByteWriter& out;

  void text(std::string_view s) const {
    out.u32(static_cast<uint32_t>(s.size()));
    out.text(s);
  }
  void operator()(std::monostate) const { out.u8(kNull); }
  void operator()(const std::string& v) const {
    out.u8(tag(MetaType::kString));
    text(v);
  }
  void operator()(const Bytes& v) const {
    out.u8(tag(MetaType::kBytes));
    out.u32(static_cast<uint32_t>(v.size()));
    out.bytes(v);
  }
  void operator()(int64_t v) const {
    out.u8(tag(MetaType::kI64));
    out.i64(v);
  }
  void operator()(uint64_t v) const {
    out.u8(tag(MetaType::kU64));
    out.u64(v);
  }
  void operator()(double v) const {
    out.u8(tag(MetaType::kF64));
    out.f64(v);
  }
  void operator()(bool v) const {
    out.u8(tag(MetaType::kBool));
    out.u8(v ? 1 : 0);
  }
  void operator()(const std::vector<std::string>& v) const {
    out.u8(tag(MetaType::kStringList));
    out.u32(static_cast<uint32_t>(v.size()));
    for (const std::string& s : v) text(s);
  }
};

MetaValue read_list(ByteReader& in) {
  const uint32_t count = in.u32();
  std::vector<std::string> list;
  if (!can_hold(in, count, 4)) return list;
  list.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) list.emplace_back(in.text(in.u32()));
  return list;
}

}  // namespace

void write_meta_value(ByteWriter& out, const MetaValue& value) {
  std::visit(ValueWriter{out}, value);
}

std::string meta_value_key(const MetaValue& value) {
  Bytes bytes;
  ByteWriter out(bytes);
  write_meta_value(out, value);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<MetaValue> read_meta_value(ByteReader& in) {
  MetaValue value;
  const uint8_t type = in.u8();
  switch (type) {
    case kNull: break;
    case tag(MetaType::kString): value = std::string(in.text(in.u32())); break;
    case tag(MetaType::kBytes): value = read_bytes(in, in.u32()); break;
    case tag(MetaType::kI64): value = in.i64(); break;
    case tag(MetaType::kU64): value = in.u64(); break;
    case tag(MetaType::kF64): value = in.f64(); break;
    case tag(MetaType::kBool): {
      const uint8_t v = in.u8();
      if (v > 1) in.fail();
      value = v != 0;
      break;
    }
    case tag(MetaType::kStringList): value = read_list(in); break;
    default:
      return payload_error(kName, in, "type " + std::to_string(type) + " is unknown",
                           ErrorCode::kUnsupported);
  }
  if (!in.ok()) return payload_error(kName, in, {});
  return value;
}

void StringTable::add(std::string_view item) {
  bytes_.append(item);
  offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
}

void StringTable::write(ByteWriter& out) const {
  write_array(out, offsets_);
  out.text(bytes_);
  out.align(8);
}

Result<StringTable> StringTable::read(ByteReader& in, uint64_t count) {
  StringTable table;
  if (!can_hold(in, count, 4)) return payload_error("string table in a", in, {});
  table.offsets_ = read_array<uint32_t>(in, count + 1);
  if (!in.ok()) return payload_error("string table in a", in, {});
  for (size_t i = 0; i < table.offsets_.size(); ++i) {
    if (i == 0 ? table.offsets_[0] != 0 : table.offsets_[i] < table.offsets_[i - 1]) {
      return payload_error("string table in a", in, "the offsets do not ascend from 0");
    }
  }
  table.bytes_ = std::string(in.text(table.offsets_.back()));
  skip_padding(in, 8);
  if (!in.ok()) return payload_error("string table in a", in, {});
  return table;
}

}  // namespace rvf::wire
