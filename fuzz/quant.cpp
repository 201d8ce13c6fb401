#include "fuzz.hpp"
#include "quant/row_code.hpp"

using namespace rvf;  // NOLINT: a program of one function

RVF_FUZZ {
  rvf::fuzz::round_trip(input, wire::decode_quant, wire::encode_quant);
  auto quant = wire::decode_quant(input);
  if (!quant) return;
  const auto code = quant::RowCode::from_wire(std::move(*quant));
  if (!code || code->row_bytes() > input.size()) return;
  // Any bytes are a row.
  auto scratch = code->make_scratch();
  std::vector<float> vector(code->dim());
  const auto* rows = reinterpret_cast<const uint8_t*>(input.data());
  for (size_t at = 0; at + code->row_bytes() <= input.size(); at += code->row_bytes()) {
    code->decode(rows + at, scratch, vector.data());
    for (const float v : vector) rvf::fuzz::require(code->is_whole(rows + at) || v == 0);
  }
}
