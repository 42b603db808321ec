// Widths and roundings.
#include "proto/wire/scalar_slot.h"

#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "proto/wire/image_format.h"

namespace quern {
namespace {

// The 16 high bits of `value`, rounded to nearest even.
uint16_t ToBfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  const uint32_t rounding = 0x7fff + (bits >> 16 & 1);
  return static_cast<uint16_t>((bits + rounding) >> 16);
}

// The widths in bits of QUERN_ARGUMENT_I1 to QUERN_ARGUMENT_I64.
int WidthOf(uint8_t kind) {
  constexpr int kWidths[] = {1, 8, 16, 32, 64};
  return kWidths[kind - QUERN_ARGUMENT_I1];
}

}  // namespace

bool IsIntegerKind(uint8_t kind) {
  return kind >= QUERN_ARGUMENT_I1 && kind <= QUERN_ARGUMENT_I64;
}

bool IsFloatKind(uint8_t kind) {
  return kind >= QUERN_ARGUMENT_F16 && kind <= QUERN_ARGUMENT_F64;
}

absl::StatusOr<uint64_t> IntegerSlot(int64_t value, uint8_t kind) {
  const int width = WidthOf(kind);
  if (width == 64) return static_cast<uint64_t>(value);
  const int64_t most = (int64_t{1} << width) - 1;
  if (value < -(int64_t{1} << (width - 1)) || value > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(value, " is not an integer of ", width, " bits"));
  }
  return static_cast<uint64_t>(value) & static_cast<uint64_t>(most);
}

uint64_t FloatSlot(double value, uint8_t kind) {
  switch (kind) {
    case QUERN_ARGUMENT_F16:
      return std::bit_cast<uint16_t>(static_cast<_Float16>(value));
    case QUERN_ARGUMENT_BF16:
      return ToBfloat16(static_cast<float>(value));
    case QUERN_ARGUMENT_F32:
      return std::bit_cast<uint32_t>(static_cast<float>(value));
    default:
      return std::bit_cast<uint64_t>(value);
  }
}

}  // namespace quern
