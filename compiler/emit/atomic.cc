// Atomic updates of one element.
#include "compiler/emit/atomic.h"

#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

using llvm::AtomicOrdering;
using llvm::AtomicRMWInst;

AtomicOrdering OrderOf(tt::MemoryOrder order) {
  switch (order) {
    case tt::MemoryOrder::kRelaxed:
      return AtomicOrdering::Monotonic;
    case tt::MemoryOrder::kAcquire:
      return AtomicOrdering::Acquire;
    case tt::MemoryOrder::kRelease:
      return AtomicOrdering::Release;
    case tt::MemoryOrder::kAcquireRelease:
      return AtomicOrdering::AcquireRelease;
  }
  return AtomicOrdering::SequentiallyConsistent;
}

AtomicRMWInst::BinOp OperationOf(tt::AtomicKind kind) {
  switch (kind) {
    case tt::AtomicKind::kAnd:
      return AtomicRMWInst::And;
    case tt::AtomicKind::kOr:
      return AtomicRMWInst::Or;
    case tt::AtomicKind::kXor:
      return AtomicRMWInst::Xor;
    case tt::AtomicKind::kAdd:
      return AtomicRMWInst::Add;
    case tt::AtomicKind::kFAdd:
      return AtomicRMWInst::FAdd;
    case tt::AtomicKind::kMax:
      return AtomicRMWInst::Max;
    case tt::AtomicKind::kMin:
      return AtomicRMWInst::Min;
    case tt::AtomicKind::kUMax:
      return AtomicRMWInst::UMax;
    case tt::AtomicKind::kUMin:
      return AtomicRMWInst::UMin;
    case tt::AtomicKind::kExchange:
      return AtomicRMWInst::Xchg;
  }
  return AtomicRMWInst::BAD_BINOP;
}

// A sum of f16 or bf16: no instruction does it, so the old bits are compared
// and exchanged until nobody came between.
llvm::Value* AddNarrow(EmitContext& c, mlir::Type element, llvm::Value* pointer,
                       llvm::Value* addend, AtomicOrdering order) {
  mlir::Builder types(element.getContext());
  llvm::IRBuilder<>& b = c.b;
  llvm::Type* bits = b.getInt16Ty();
  llvm::Type* type = addend->getType();
  llvm::Value* wide_addend =
      EmitConvert(c, addend, element, types.getF32Type());
  llvm::Value* first = b.CreateAlignedLoad(bits, pointer, llvm::Align(2));
  llvm::BasicBlock* before = b.GetInsertBlock();
  llvm::BasicBlock* loop = c.NewBlock("retry");
  llvm::BasicBlock* after = c.NewBlock("after");
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  llvm::PHINode* old = b.CreatePHI(bits, 2);
  old->addIncoming(first, before);
  llvm::Value* wide =
      EmitConvert(c, b.CreateBitCast(old, type), element, types.getF32Type());
  llvm::Value* sum = EmitConvert(c, b.CreateFAdd(wide, wide_addend),
                                 types.getF32Type(), element);
  llvm::Value* pair = b.CreateAtomicCmpXchg(
      pointer, old, b.CreateBitCast(sum, bits), llvm::Align(2), order,
      llvm::AtomicCmpXchgInst::getStrongestFailureOrdering(order));
  old->addIncoming(b.CreateExtractValue(pair, 0), b.GetInsertBlock());
  b.CreateCondBr(b.CreateExtractValue(pair, 1), after, loop);
  b.SetInsertPoint(after);
  return b.CreateBitCast(old, type);
}

llvm::Value* EmitRmw(EmitContext& c, tt::AtomicRmwOp op, llvm::Value* pointer,
                     llvm::Value* value) {
  const mlir::Type element = ElementOf(op.getVal());
  const AtomicOrdering order = OrderOf(op.getSem());
  llvm::Type* type = value->getType();
  const llvm::Align align(ElementBytes(element));
  const bool is_sum = op.getKind() == tt::AtomicKind::kFAdd;
  if (is_sum && !type->isFloatTy() && !type->isDoubleTy()) {
    return AddNarrow(c, element, pointer, value, order);
  }
  // Whatever else is done to floats is done to their bits.
  const bool as_bits = type->isFloatingPointTy() && !is_sum;
  if (as_bits) {
    value =
        c.b.CreateBitCast(value, c.b.getIntNTy(type->getScalarSizeInBits()));
  }
  llvm::Value* old = c.b.CreateAtomicRMW(OperationOf(op.getKind()), pointer,
                                         value, align, order);
  return as_bits ? c.b.CreateBitCast(old, type) : old;
}

llvm::Value* EmitCas(EmitContext& c, tt::AtomicCasOp op,
                     llvm::ArrayRef<llvm::Value*> args) {
  const AtomicOrdering order = OrderOf(op.getSem());
  llvm::Type* type = args[1]->getType();
  llvm::Type* bits = c.b.getIntNTy(type->getScalarSizeInBits());
  llvm::Value* pair = c.b.CreateAtomicCmpXchg(
      args[0], c.b.CreateBitCast(args[1], bits),
      c.b.CreateBitCast(args[2], bits),
      llvm::Align(ElementBytes(ElementOf(op.getVal()))), order,
      llvm::AtomicCmpXchgInst::getStrongestFailureOrdering(order));
  return c.b.CreateBitCast(c.b.CreateExtractValue(pair, 0), type);
}

}  // namespace

llvm::Value* EmitAtomic(EmitContext& c, mlir::Operation* op,
                        llvm::ArrayRef<llvm::Value*> args) {
  const mlir::Type element = ElementOf(op->getResult(0));
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() < 8) {
    c.Fail(op, "not supported for this type");
    return llvm::PoisonValue::get(RegisterType(c.context(), element));
  }
  if (auto cas = llvm::dyn_cast<tt::AtomicCasOp>(op)) {
    return EmitCas(c, cas, args);
  }
  auto rmw = llvm::cast<tt::AtomicRmwOp>(op);
  llvm::Value* mask = args.size() > 2 ? args[2] : c.b.getTrue();
  return c.Choose(mask, llvm::Constant::getNullValue(args[1]->getType()),
                  [&] { return EmitRmw(c, rmw, args[0], args[1]); });
}

}  // namespace quern
