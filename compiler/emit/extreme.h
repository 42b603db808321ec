// The largest or smallest number of lanes, where NaN counts for nothing. Not
// for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_EXTREME_H_
#define QUERN_COMPILER_EMIT_EXTREME_H_

#include "compiler/emit/emit_context.h"

namespace quern {

// Whether the extreme that `root` looks for along the lanes of `group` may be
// looked for from an infinity on, and once more if nothing else is found: what
// it reads is then still there, for nothing has been written.
bool IsRepeatable(EmitContext& context, const Group& group, const Root& root);

// `found`, or, if that is the infinity that a repeatable search starts from,
// what a search finds that tells it from nothing but NaN. `indices` are those
// of the group; `straight`: none of them wraps.
llvm::Value* SearchAgain(EmitContext& context, const Group& group,
                         const Root& root, llvm::ArrayRef<llvm::Value*> indices,
                         bool straight, llvm::Value* found);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_EXTREME_H_
