// What a store keeps of its vectors. They are written as they are; a lossy storage is what each
// compaction turns them into, for dtypes f32, f16 and bf16.
#pragma once
#include <cstdint>

namespace rvf {

enum class Storage : uint8_t {
  kExact = 0,  // the values of the dtype
  kInt8 = 1,  // 8 bits a dimension, within the range of each
  kRaBitQ4 = 2,  // 4 bits a dimension of the difference to one of many centroids
};
const char* storage_name(Storage storage) noexcept;  // "exact", "int8", "rabitq4"

}  // namespace rvf
