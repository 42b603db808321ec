// Loops, branches and failures, as all parts of emission use them.
#include "compiler/emit/emit_context.h"

#include "compiler/dialect/diagnostics.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"

namespace quern {

llvm::Value* EmitContext::Scalar(mlir::Value value) {
  auto found = scalars.find(value);
  if (found != scalars.end()) return found->second;
  if (mlir::TypedAttr constant = SplatConstant(value)) {
    return EmitConstant(*this, constant);
  }
  if (mlir::Operation* op = value.getDefiningOp()) {
    Fail(op, "not supported here");
  } else {
    Fail(value.getParentBlock()->getParentOp(), "an argument has no value");
  }
  return llvm::PoisonValue::get(RegisterType(context(), value.getType()));
}

void EmitContext::Fail(mlir::Operation* op, std::string_view what) {
  if (status.ok()) status = UnimplementedAt(op, what);
}

void EmitContext::Loop(llvm::Value* begin, llvm::Value* end, int64_t step,
                       llvm::function_ref<void(llvm::Value* index)> body) {
  llvm::BasicBlock* loop = NewBlock("loop");
  llvm::BasicBlock* after = NewBlock("after");
  llvm::Value* enters = b.CreateICmpSLT(begin, end);
  auto* known = llvm::dyn_cast<llvm::ConstantInt>(enters);
  if (known && known->isZero()) {
    loop->eraseFromParent();
    b.CreateBr(after);
    b.SetInsertPoint(after);
    return;
  }
  if (!known) {
    llvm::BasicBlock* before = NewBlock("before");
    b.CreateCondBr(enters, before, after);
    b.SetInsertPoint(before);
  }
  llvm::BasicBlock* before = b.GetInsertBlock();
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  // A loop that runs once needs no counter.
  auto* first = llvm::dyn_cast<llvm::ConstantInt>(begin);
  auto* last = llvm::dyn_cast<llvm::ConstantInt>(end);
  if (first && last && first->getSExtValue() + step >= last->getSExtValue()) {
    body(begin);
    b.CreateBr(after);
    b.SetInsertPoint(after);
    return;
  }
  llvm::PHINode* index = b.CreatePHI(b.getInt64Ty(), 2);
  index->addIncoming(begin, before);
  body(index);
  llvm::Value* next =
      b.CreateAdd(index, I64(step), "", /*HasNUW=*/true, /*HasNSW=*/true);
  index->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpSLT(next, end), loop, after);
  b.SetInsertPoint(after);
}

void EmitContext::If(llvm::Value* condition, llvm::function_ref<void()> then) {
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(condition)) {
    if (!known->isZero()) then();
    return;
  }
  llvm::BasicBlock* inside = NewBlock("then");
  llvm::BasicBlock* after = NewBlock("after");
  b.CreateCondBr(condition, inside, after);
  b.SetInsertPoint(inside);
  then();
  b.CreateBr(after);
  b.SetInsertPoint(after);
}

llvm::Value* EmitContext::Choose(llvm::Value* condition, llvm::Value* otherwise,
                                 llvm::function_ref<llvm::Value*()> then) {
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(condition)) {
    return known->isZero() ? otherwise : then();
  }
  llvm::BasicBlock* outside = b.GetInsertBlock();
  llvm::BasicBlock* inside = NewBlock("then");
  llvm::BasicBlock* after = NewBlock("after");
  b.CreateCondBr(condition, inside, after);
  b.SetInsertPoint(inside);
  llvm::Value* value = then();
  inside = b.GetInsertBlock();
  b.CreateBr(after);
  b.SetInsertPoint(after);
  llvm::PHINode* phi = b.CreatePHI(value->getType(), 2);
  phi->addIncoming(value, inside);
  phi->addIncoming(otherwise, outside);
  return phi;
}

void EmitContext::Assert(llvm::Value* condition, llvm::StringRef message) {
  assert_messages.push_back(message.str());
  llvm::BasicBlock* failed = NewBlock("failed");
  llvm::BasicBlock* after = NewBlock("after");
  b.CreateCondBr(condition, after, failed);
  b.SetInsertPoint(failed);
  b.CreateRet(b.getInt32(assert_messages.size()));
  b.SetInsertPoint(after);
}

}  // namespace quern
