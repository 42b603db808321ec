// The scan of a source's text before MLIR's parser sees it.
#ifndef QUERN_COMPILER_DIALECT_SOURCE_SCAN_H_
#define QUERN_COMPILER_DIALECT_SOURCE_SCAN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace quern {

// Returns `source` in the spelling that MLIR 19 reads, line for line: the
// custom form of `llvm.intr.assume` becomes the generic form.
//
// InvalidArgument: brackets nest deeper than `nesting_max`, or the text holds
//   an affine map (MLIR's parser recurses on those without brackets; Triton
//   prints none). The message is `LINE:COLUMN: TEXT`.
absl::StatusOr<std::string> ScanSource(std::string_view source,
                                       uint32_t nesting_max);

}  // namespace quern

#endif  // QUERN_COMPILER_DIALECT_SOURCE_SCAN_H_
