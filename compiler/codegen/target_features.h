// The names of the instruction set extensions that the two targets know.
#ifndef QUERN_COMPILER_CODEGEN_TARGET_FEATURES_H_
#define QUERN_COMPILER_CODEGEN_TARGET_FEATURES_H_

#include "absl/types/span.h"

namespace quern {

// LLVM's names of extensions that code for user space may come to use, sorted.
// Tuning hints of LLVM's are not among them.
absl::Span<const char* const> X86Extensions();
absl::Span<const char* const> AArch64Extensions();

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_TARGET_FEATURES_H_
