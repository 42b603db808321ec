// Rewriting of operations that others can express.
#ifndef QUERN_COMPILER_PLAN_EXPAND_H_
#define QUERN_COMPILER_PLAN_EXPAND_H_

#include "absl/status/status.h"
#include "compiler/dialect/dialect.h"

namespace quern {

// Rewrites `function` in place:
//  - calls are replaced by the called functions' bodies;
//  - loads and stores through descriptors that the kernel makes become loads
//    and stores of masked pointer tensors.
// What cannot be rewritten stays, for the planner to refuse.
//
// Unimplemented: a call of a function of several blocks, or that calls itself.
absl::Status ExpandOperations(tt::FuncOp function);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_EXPAND_H_
