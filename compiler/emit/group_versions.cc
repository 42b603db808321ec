// Groups with indices that may wrap around: one version that knows that they
// do not, and one for the edges.
#include "compiler/emit/emit_context.h"
#include "compiler/emit/tile.h"

namespace quern {
namespace {

// Whether none of the group's indices wraps: each dividend begins at zero or
// above and ends within its divisor.
llvm::Value* NothingWraps(EmitContext& c, const Group& group) {
  llvm::Value* nothing = c.b.getTrue();
  llvm::Type* i64 = c.b.getInt64Ty();
  const llvm::SmallVector<llvm::Value*, 4> zeros(group.shape.size(), c.I64(0));
  for (const Wrap& wrap : group.wraps) {
    Tile first(c, group, zeros, 1);
    mlir::Operation* op = wrap.value.getDefiningOp();
    llvm::Value* begin =
        c.b.CreateSExt(first.Lanes(op->getOperand(0), wrap.map), i64);
    llvm::Value* divisor =
        c.b.CreateSExt(first.Lanes(op->getOperand(1), wrap.map), i64);
    llvm::Value* end = c.b.CreateAdd(begin, c.I64(group.shape[wrap.dim]));
    nothing = c.b.CreateAnd(nothing, c.b.CreateICmpSGE(begin, c.I64(0)));
    nothing = c.b.CreateAnd(nothing, c.b.CreateICmpSLE(end, divisor));
  }
  return nothing;
}

}  // namespace

void AssumeNothingWraps(Tile& tile, const Group& group) {
  for (const Wrap& wrap : group.wraps) {
    tile.AssumeSame(wrap.value, wrap.value.getDefiningOp()->getOperand(0),
                    wrap.map);
  }
}

void EmitGroup(EmitContext& context, const Group& group) {
  if (group.wraps.empty()) return EmitGroupVersion(context, group, false);
  llvm::BasicBlock* straight = context.NewBlock("straight");
  llvm::BasicBlock* wrapped = context.NewBlock("wrapped");
  llvm::BasicBlock* after = context.NewBlock("group.after");
  context.b.CreateCondBr(NothingWraps(context, group), straight, wrapped);
  for (llvm::BasicBlock* version : {straight, wrapped}) {
    context.b.SetInsertPoint(version);
    EmitGroupVersion(context, group, version == straight);
    context.b.CreateBr(after);
  }
  context.b.SetInsertPoint(after);
}

}  // namespace quern
