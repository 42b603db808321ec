// The LLVM pipeline between emission and code generation.
#ifndef QUERN_COMPILER_CODEGEN_OPTIMIZE_H_
#define QUERN_COMPILER_CODEGEN_OPTIMIZE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "compiler/codegen/target.h"
#include "llvm/IR/Module.h"

namespace quern {

// Gives every function of `module` the attributes that kernels are compiled
// with, checks the module, and simplifies it: sroa, early-cse, instsimplify,
// licm, adce. Loops and vectors are left as they were emitted. Without
// `fp_contract`, multiplications and additions that the module allows to be
// fused no longer may. Returns the number of instructions that remain.
//
// Internal: the module does not verify.
absl::StatusOr<uint32_t> OptimizeModule(llvm::Module& module,
                                        const Target& target,
                                        bool fp_contract = true);

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_OPTIMIZE_H_
