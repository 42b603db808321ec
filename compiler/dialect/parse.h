// Triton IR text, as Triton 3.3 to 3.9 prints it, to a verified module.
#ifndef QUERN_COMPILER_DIALECT_PARSE_H_
#define QUERN_COMPILER_DIALECT_PARSE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace quern {

struct ParseLimits {
  // Brackets open at one point of the text. The parser recurses on them.
  uint32_t nesting_max = 256;
  // Elements of a tensor, Triton's own limit.
  int64_t tensor_elements_max = int64_t{1} << 20;
  // Operations in the module.
  uint64_t operations_max = 1'000'000;
};

// Loads every dialect that Triton IR uses. Slow (milliseconds) and needed once
// a context. The context must have been made with threading disabled.
void LoadDialects(mlir::MLIRContext& context);

// Returns the module that `source` describes. It verified: every tensor has a
// static shape of powers of two, and operands agree.
//
// After text that does not parse, the process's heap may be damaged, for MLIR
// 19 frees blocks whose values operations outside of them still use (a value
// used before a nested region defines it, and an error later in that region):
// parse what is not trusted in a process that ends with it.
//
// Messages are `LINE:COLUMN: TEXT`, both counted from 1 in `source`.
//
// InvalidArgument: the text does not parse or does not verify, or is beyond a
//   limit.
// Unimplemented: an operation that no dialect of ours defines.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> ParseTritonIr(
    mlir::MLIRContext& context, std::string_view source,
    const ParseLimits& limits = {});

}  // namespace quern

#endif  // QUERN_COMPILER_DIALECT_PARSE_H_
