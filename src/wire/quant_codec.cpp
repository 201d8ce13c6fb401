#include "wire/quant_codec.hpp"

#include <bit>

#include "wire/codec.hpp"

namespace rvf::wire {
namespace {

constexpr const char* kName = "QUANT";
constexpr size_t kHeaderSize = 64;
constexpr uint8_t kRaBitQVersion = 1;
enum Type : uint8_t { kScalar = 0, kProduct = 1, kBinary = 2, kResidual = 3, kRaBitQ = 4 };

// Offsets 4 to 27 of the header, the same for every quantiser.
struct Header {
  uint8_t version = 0;
  uint8_t rounds = 0;
  uint64_t seed = 0;
  uint32_t padded_dimension = 0;
  uint8_t bits = 0;
  uint8_t rotation = 0;
  uint32_t centroids = 0;

  void write(ByteWriter& out) const {
    out.u8(version);
    out.u8(rounds);
    out.u16(0);
    out.u64(seed);
    out.u32(padded_dimension);
    out.u8(bits);
    out.u8(rotation);
    out.u16(0);
    out.u32(centroids);
    out.align(kHeaderSize);
  }
  void read(ByteReader& in) {
    version = in.u8();
    rounds = in.u8();
    if (in.u16() != 0) in.fail();
    seed = in.u64();
    padded_dimension = in.u32();
    bits = in.u8();
    rotation = in.u8();
    if (in.u16() != 0) in.fail();
    centroids = in.u32();
    skip_padding(in, kHeaderSize);
  }
};

uint32_t rows(const std::vector<float>& values, uint16_t dimension) {
  return dimension == 0 ? 0 : static_cast<uint32_t>(values.size() / dimension);
}

void write_product(ByteWriter& out, const ProductQuant& q) {
  out.u16(q.subspaces);
  out.u16(q.centroids);
  out.u16(q.sub_dimension);
  out.u16(0);
  write_array(out, q.codebook);
}

struct BodyWriter {
  ByteWriter& out;
  uint16_t dimension;

  void operator()(const ScalarQuant& q) const {
    Header{.bits = q.bits}.write(out);
    write_array(out, q.min);
    write_array(out, q.max);
  }
  void operator()(const ProductQuant& q) const {
    Header{}.write(out);
    write_product(out, q);
  }
  void operator()(const BinaryQuant& q) const {
    Header{.bits = 1}.write(out);
    write_array(out, q.threshold);
  }
  void operator()(const ResidualQuant& q) const {
    Header{.centroids = rows(q.coarse, dimension)}.write(out);
    write_array(out, q.coarse);
    write_product(out, q.fine);
  }
  void operator()(const RaBitQ& q) const {
    Header{.version = kRaBitQVersion,
           .rounds = q.rounds,
           .seed = q.seed,
           .padded_dimension = q.padded_dimension,
           .bits = q.bits,
           .rotation = static_cast<uint8_t>(q.rotation),
           .centroids = rows(q.centroids, dimension)}
        .write(out);
    write_array(out, q.centroids);
  }
};

Result<ProductQuant> read_product(ByteReader& in, uint16_t dimension) {
  ProductQuant q;
  q.subspaces = in.u16();
  q.centroids = in.u16();
  q.sub_dimension = in.u16();
  if (in.u16() != 0) in.fail();
  const uint64_t covered = uint64_t{q.subspaces} * q.sub_dimension;
  if (q.centroids == 0 || covered < dimension || covered >= uint64_t{dimension} + q.sub_dimension) {
    return payload_error(kName, in,
                         std::to_string(q.subspaces) + " subspaces of " +
                             std::to_string(q.sub_dimension) + " do not cover dimension " +
                             std::to_string(dimension));
  }
  q.codebook = read_array<float>(in, covered * q.centroids);
  return q;
}

bool padding_fits(const RaBitQ& q, uint16_t dimension) {
  if (q.rotation == RotationKind::kAlternatingHadamard) {
    return q.padded_dimension == (dimension + 15U) / 16 * 16;
  }
  return q.padded_dimension >= dimension && std::has_single_bit(q.padded_dimension) &&
         q.padded_dimension <= 65536;
}

Result<Quant> read_model(uint8_t type, const Header& header, uint16_t dimension, ByteReader& in) {
  Quant quant;
  switch (type) {
    case kScalar: {
      if (header.bits != 8 && header.bits != 4) break;
      ScalarQuant q{.bits = header.bits, .min = read_array<float>(in, dimension), .max = {}};
      q.max = read_array<float>(in, dimension);
      quant.model = std::move(q);
      return quant;
    }
    case kProduct: {
      RVF_ASSIGN(quant.model, read_product(in, dimension));
      return quant;
    }
    case kBinary: {
      if (header.bits != 1) break;
      quant.model = BinaryQuant{read_array<float>(in, dimension)};
      return quant;
    }
    case kResidual: {
      ResidualQuant q;
      q.coarse = read_array<float>(in, uint64_t{header.centroids} * dimension);
      RVF_ASSIGN(q.fine, read_product(in, dimension));
      quant.model = std::move(q);
      return quant;
    }
    case kRaBitQ: {
      if (header.version != kRaBitQVersion || header.bits == 0 || header.bits > 9) break;
      RaBitQ q{.rounds = header.rounds,
               .bits = header.bits,
               .rotation = static_cast<RotationKind>(header.rotation),
               .seed = header.seed,
               .padded_dimension = header.padded_dimension,
               .centroids = read_array<float>(in, uint64_t{header.centroids} * dimension)};
      if (header.centroids == 0 || !padding_fits(q, dimension)) {
        return payload_error(kName, in,
                             "a RaBitQ header does not fit dimension " + std::to_string(dimension));
      }
      quant.model = std::move(q);
      return quant;
    }
    default: break;
  }
  return payload_error(kName, in,
                       "quantiser " + std::to_string(type) + " with version " +
                           std::to_string(header.version) + " and " + std::to_string(header.bits) +
                           " bits is unknown",
                       ErrorCode::kUnsupported);
}

}  // namespace

Bytes encode_quant(const Quant& quant) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<uint8_t>(quant.model.index()));
  out.u8(quant.tier);
  out.u16(quant.dimension);
  std::visit(BodyWriter{out, quant.dimension}, quant.model);
  out.align(64);
  return bytes;
}

Result<Quant> decode_quant(ByteSpan payload) {
  ByteReader in(payload);
  const uint8_t type = in.u8();
  const uint8_t tier = in.u8();
  const uint16_t dimension = in.u16();
  Header header;
  header.read(in);
  if (!in.ok() || dimension == 0) return payload_error(kName, in, "dimension is 0");
  RVF_ASSIGN(Quant quant, read_model(type, header, dimension, in));
  quant.tier = tier;
  quant.dimension = dimension;
  skip_padding(in, 64);
  RVF_TRY(expect_end(kName, in));
  return quant;
}

}  // namespace rvf::wire
