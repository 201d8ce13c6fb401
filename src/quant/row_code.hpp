// What turns the codes of one row back into its vector, whatever the quantiser: scalar codes, or
// RaBitQ rows. Immutable; thread-safe.
#pragma once
#include <variant>

#include "quant/rabitq_rows.hpp"
#include "quant/scalar.hpp"

namespace rvf::quant {

class RowCode {
 public:
  // kUnsupported for models without a row code; errors of the quantisers.
  static Result<RowCode> from_wire(wire::Quant quant);

  size_t dim() const noexcept { return dim_; }
  unsigned bits() const noexcept;
  size_t row_bytes() const noexcept;
  size_t memory_bytes() const noexcept;
  const ScalarQuantizer* scalar() const noexcept { return std::get_if<ScalarQuantizer>(&model_); }
  const RaBitQRows* rabitq() const noexcept { return std::get_if<RaBitQRows>(&model_); }
  wire::Quant to_wire(uint8_t tier) const;

  RaBitQRows::Scratch make_scratch() const;
  // `row` is row_bytes(), `vector` [dim].
  void decode(const uint8_t* row, RaBitQRows::Scratch& scratch, float* vector) const noexcept;
  bool is_whole(const uint8_t* row) const noexcept;

 private:
  size_t dim_ = 0;
  std::variant<ScalarQuantizer, RaBitQRows> model_;
};

}  // namespace rvf::quant
