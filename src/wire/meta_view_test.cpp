// Columns in place against columns decoded, for every type and form, and against hostile bytes.
#include "wire/meta_view.hpp"

#include <bit>
#include <set>

#include "wire/codec_test_util.hpp"

namespace rvf::wire {
namespace {

using Form = MetaColumnView::Form;

constexpr MetaType kTypes[] = {MetaType::kString, MetaType::kBytes,     MetaType::kI64,
                               MetaType::kU64,    MetaType::kF64,       MetaType::kBool,
                               MetaType::kEnum,   MetaType::kTimestamp, MetaType::kStringList};
constexpr int kStyles = 4;  // ways the values of a column may look

std::string text(std::mt19937_64& rng, int style) {
  switch (style) {
    case 0: return random_text(rng, 1);  // a dictionary
    case 1: return random_text(rng, 30);  // a table
    case 2: return std::string(50 + rng() % 200, 'x') + random_text(rng, 8);  // blocks
    default: return rng() % 2 == 0 ? "" : random_text(rng, 6);
  }
}

MetaValue value_of(std::mt19937_64& rng, MetaType type, int style) {
  switch (type) {
    case MetaType::kString: return text(rng, style);
    case MetaType::kEnum: return text(rng, style == 2 ? 0 : style);
    case MetaType::kBytes: {
      const std::string s = text(rng, style);
      const ByteSpan raw = as_bytes(s);
      return Bytes(raw.begin(), raw.end());
    }
    case MetaType::kI64:
    case MetaType::kTimestamp:
      return style == 0   ? static_cast<int64_t>(rng() % 100) - 50
             : style == 1 ? static_cast<int64_t>(rng() % 50'000) * 7
             : style == 2 ? static_cast<int64_t>(rng() % 4'000'000'000) - 5
                          : static_cast<int64_t>(rng());
    case MetaType::kU64: return style == 0 ? UINT64_MAX - rng() % 200 : rng() >> (style * 20);
    case MetaType::kF64:
      return style == 0   ? static_cast<double>(rng() % 1000) / 100
             : style == 1 ? static_cast<double>(rng() % 3) - 1
             : style == 2 ? std::bit_cast<double>(rng())
                          : -0.0;
    case MetaType::kBool: return rng() % 2 == 0;
    case MetaType::kStringList: {
      std::vector<std::string> list;
      for (uint64_t n = rng() % 4; n > 0; --n) list.push_back(random_text(rng, style == 0 ? 1 : 4));
      return list;
    }
  }
  return {};
}

MetaSegment random_segment(std::mt19937_64& rng, uint32_t rows) {
  MetaSegment meta;
  meta.row_count = rows;
  meta.first_row = rng() % 1000;
  uint16_t id = 1;
  for (const MetaType type : kTypes) {
    for (int style = 0; style < kStyles; ++style, ++id) {
      const uint64_t nulls = rng() % 3;
      std::vector<MetaValue> values(rows);
      for (MetaValue& v : values) {
        if (nulls == 0 || rng() % (nulls * 3) != 0) v = value_of(rng, type, style);
      }
      auto column = make_column(id, type, "c" + std::to_string(id), values);
      EXPECT_TRUE(column) << column.error().message;
      column->quick_texts = rng() % 4 == 0;
      meta.columns.push_back(*std::move(column));
    }
  }
  return meta;
}

// NaN equals itself here: the same bits.
bool same(const MetaValue& a, const MetaValue& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::bit_cast<uint64_t>(*x) == std::bit_cast<uint64_t>(*y);
}

// Everything that a view can be asked. For its crashes; the sum keeps the calls alive.
uint64_t read_everything(const MetaColumnView& view) {
  uint64_t sum = view.name().size() + view.range().has_value();
  const uint32_t rows = std::min<uint32_t>(view.rows(), 2000);
  for (uint32_t row = 0; row < rows; ++row) {
    sum += view.value(row).index() + view.is_null(row);
    if (view.form() == Form::kWide || view.form() == Form::kPacked) sum += view.bits(row);
    if (view.form() == Form::kCoded) sum += view.table()[view.code(row)].size();
    if (view.form() == Form::kLists) sum += view.list(row).end;
  }
  sum += view.table()[view.table().size()].size();
  if (view.form() == Form::kBlocks) {
    for (uint32_t b = 0; b < view.blocks().blocks(); ++b) {
      const auto block = view.blocks().block(b);
      if (block) sum += block->size();
    }
  }
  return sum;
}

// Opens what opens.
uint64_t read_payload(ByteSpan payload) {
  const auto layout = read_meta_layout(payload);
  if (!layout) return 0;
  uint64_t sum = layout->row_count;
  for (size_t i = 0; i < layout->columns.size(); ++i) {
    const auto view = MetaColumnView::open(payload, *layout, i);
    if (view) sum += read_everything(*view);
  }
  return sum;
}

TEST(MetaView, ReadsWhatDecodingReads) {
  std::mt19937_64 rng(kTestSeed);
  std::set<Form> forms;
  for (const uint32_t rows : {0U, 1U, 7U, 8U, 9U, 64U, 100U, 700U, 3000U}) {
    const Bytes bytes = encode_meta(random_segment(rng, rows));
    const auto layout = read_meta_layout(bytes);
    ASSERT_TRUE(layout) << layout.error().message;
    for (size_t i = 0; i < layout->columns.size(); ++i) {
      const auto column = decode_meta_column(bytes, *layout, i);
      const auto view = MetaColumnView::open(bytes, *layout, i);
      ASSERT_TRUE(column) << column.error().message;
      ASSERT_TRUE(view) << view.error().message;
      forms.insert(view->form());
      EXPECT_EQ(view->id(), column->id);
      EXPECT_EQ(view->type(), column->type);
      EXPECT_EQ(view->name(), column->name);
      ASSERT_EQ(view->rows(), rows);
      for (uint32_t row = 0; row < rows; ++row) {
        ASSERT_EQ(view->is_null(row), column->is_null(row)) << i << " " << row;
        ASSERT_TRUE(same(view->value(row), column->value(row)))
            << "column " << column->name << " row " << row;
      }
      EXPECT_TRUE(std::holds_alternative<std::monostate>(view->value(rows)));
    }
  }
  EXPECT_EQ(forms.size(), 7U) << "a form has not occurred";
}

TEST(MetaView, BlocksHoldTheirRowsInOrder) {
  std::mt19937_64 rng(kTestSeed);
  for (const size_t rows : {30U, 256U, 1000U, 5000U}) {
    StringTable table;
    for (size_t i = 0; i < rows; ++i) table.add(text(rng, 2));
    const Bytes bytes = pack_text_blocks(table);
    ASSERT_FALSE(bytes.empty());
    ByteReader in(bytes);
    const auto view = TextBlocksView::read(in, rows);
    ASSERT_TRUE(view) << view.error().message;
    size_t row = 0;
    for (uint32_t b = 0; b < view->blocks(); ++b) {
      const auto block = view->block(b);
      ASSERT_TRUE(block) << block.error().message;
      for (size_t i = 0; i < block->size(); ++i, ++row) ASSERT_EQ((*block)[i], table[row]);
    }
    EXPECT_EQ(row, rows);
  }
  StringTable few;
  few.add("too short to be worth it");
  EXPECT_TRUE(pack_text_blocks(few).empty());
}

// Copies of the exact size, so that a read past the end is one past an allocation.
TEST(MetaView, TruncationsAreErrorsOrReadWithinTheirBytes) {
  std::mt19937_64 rng(kTestSeed);
  const Bytes bytes = encode_meta(random_segment(rng, 40));
  for (size_t n = 0; n < bytes.size(); n += 1 + n / 400) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    (void)read_payload(cut);
  }
  // A layout of the whole, a column of a part: as where a file ends early.
  const auto layout = read_meta_layout(bytes);
  ASSERT_TRUE(layout);
  const size_t last = layout->columns.size() - 1;
  for (size_t n = layout->columns[last].offset; n < bytes.size(); n += 8) {
    MetaLayout shorter = *layout;
    shorter.columns[last].end = static_cast<uint32_t>(n);
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    const auto view = MetaColumnView::open(cut, shorter, last);
    if (view) (void)read_everything(*view);
  }
}

TEST(MetaView, BitFlipsNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  for (const uint32_t rows : {1U, 20U, 150U}) {
    flip_bits(encode_meta(random_segment(rng, rows)), read_payload, 400);
  }
}

// One column alone, so that most flips hit what describes it.
TEST(MetaView, BitFlipsInOneColumnNeverCrash) {
  std::mt19937_64 rng(kTestSeed);
  const MetaSegment all = random_segment(rng, 60);
  for (const MetaColumn& column : all.columns) {
    MetaSegment one;
    one.row_count = all.row_count;
    one.first_row = 5;
    one.columns.push_back(column);
    const Bytes bytes = encode_meta(one);
    const auto layout = read_meta_layout(bytes);
    ASSERT_TRUE(layout);
    const uint32_t begin = layout->columns[0].offset;
    for (int round = 0; round < 300; ++round) {
      Bytes damaged = bytes;
      for (uint64_t flips = 1 + rng() % 3; flips > 0; --flips) {
        const size_t range =
            rng() % 2 == 0 ? std::min<size_t>(bytes.size() - begin, 80) : bytes.size() - begin;
        const size_t bit = rng() % (range * 8);
        damaged[begin + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      }
      (void)read_payload(damaged);
    }
  }
}

}  // namespace
}  // namespace rvf::wire
