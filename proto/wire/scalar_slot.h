// Numbers as launch arguments: the 8 bytes of an argument slot (kernel_abi.h).
#ifndef QUERN_PROTO_WIRE_SCALAR_SLOT_H_
#define QUERN_PROTO_WIRE_SCALAR_SLOT_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace quern {

// Whether `kind`, a quern_argument_kind, is an integer's, or floating point.
bool IsIntegerKind(uint8_t kind);
bool IsFloatKind(uint8_t kind);

// The slot of an integer argument. Both the signed and the unsigned values of
// the kind's width are taken.
//
// InvalidArgument: it does not fit the width.
absl::StatusOr<uint64_t> IntegerSlot(int64_t value, uint8_t kind);

// The slot of a floating-point argument: `value` rounded to nearest even.
uint64_t FloatSlot(double value, uint8_t kind);

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_SCALAR_SLOT_H_
