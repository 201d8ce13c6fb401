#include "quant/row_code.hpp"

namespace rvf::quant {

Result<RowCode> RowCode::from_wire(wire::Quant quant) {
  RowCode code;
  code.dim_ = quant.dimension;
  if (auto* scalar = std::get_if<wire::ScalarQuant>(&quant.model)) {
    RVF_ASSIGN(code.model_, ScalarQuantizer::from_wire(std::move(*scalar)));
    return code;
  }
  if (auto* rabitq = std::get_if<wire::RaBitQ>(&quant.model)) {
    RVF_ASSIGN(code.model_, RaBitQRows::from_wire(std::move(*rabitq), quant.dimension));
    return code;
  }
  return Error(ErrorCode::kUnsupported, "rows cannot be coded by a quantiser of this type");
}

unsigned RowCode::bits() const noexcept {
  return rabitq() != nullptr ? rabitq()->bits() : scalar()->model().bits;
}

size_t RowCode::row_bytes() const noexcept {
  return rabitq() != nullptr ? rabitq()->row_bytes() : scalar()->code_bytes();
}

size_t RowCode::memory_bytes() const noexcept {
  return rabitq() != nullptr ? rabitq()->memory_bytes() : 4 * dim_ * sizeof(float);
}

wire::Quant RowCode::to_wire(uint8_t tier) const {
  wire::Quant quant;
  quant.tier = tier;
  quant.dimension = static_cast<uint16_t>(dim_);
  if (rabitq() != nullptr) {
    quant.model = rabitq()->model();
  } else {
    quant.model = scalar()->model();
  }
  return quant;
}

RaBitQRows::Scratch RowCode::make_scratch() const {
  return rabitq() != nullptr ? rabitq()->make_scratch() : RaBitQRows::Scratch{};
}

void RowCode::decode(const uint8_t* row, RaBitQRows::Scratch& scratch,
                     float* vector) const noexcept {
  if (rabitq() != nullptr) return rabitq()->decode(row, scratch, vector);
  scalar()->decode({row, row_bytes()}, {vector, dim_});
}

bool RowCode::is_whole(const uint8_t* row) const noexcept {
  return rabitq() == nullptr || rabitq()->is_whole(row);
}

}  // namespace rvf::quant
