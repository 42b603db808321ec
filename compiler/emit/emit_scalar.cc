// Operations on scalars, outside all tiles.
#include "compiler/emit/atomic.h"
#include "compiler/emit/emit_context.h"
#include "compiler/emit/tile.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace quern {
namespace {

void EmitLoad(EmitContext& c, tt::LoadOp op) {
  const mlir::Type element = op.getResult().getType();
  llvm::Type* type = MemoryType(c.context(), element);
  llvm::Type* in_register = RegisterType(c.context(), element);
  llvm::Value* mask = op.getMask() ? c.Scalar(op.getMask()) : c.b.getTrue();
  llvm::Value* other = op.getOther()
                           ? c.Scalar(op.getOther())
                           : llvm::Constant::getNullValue(in_register);
  c.scalars[op.getResult()] = c.Choose(mask, other, [&] {
    llvm::Value* value = c.b.CreateAlignedLoad(
        type, c.Scalar(op.getPtr()), llvm::Align(ElementBytes(element)),
        op.getIsVolatile());
    return type == in_register ? value : c.b.CreateTrunc(value, in_register);
  });
}

void EmitStore(EmitContext& c, tt::StoreOp op) {
  const mlir::Type element = op.getValue().getType();
  llvm::Value* mask = op.getMask() ? c.Scalar(op.getMask()) : c.b.getTrue();
  c.If(mask, [&] {
    llvm::Value* value = c.Scalar(op.getValue());
    llvm::Type* type = MemoryType(c.context(), element);
    if (value->getType() != type) value = c.b.CreateZExt(value, type);
    c.b.CreateAlignedStore(value, c.Scalar(op.getPtr()),
                           llvm::Align(ElementBytes(element)));
  });
}

llvm::Value* EmitAddPointer(EmitContext& c, tt::AddPtrOp op) {
  auto pointer = llvm::cast<tt::PointerType>(op.getPtr().getType());
  llvm::Value* offset =
      c.b.CreateSExt(c.Scalar(op.getOffset()), c.b.getInt64Ty());
  return c.b.CreateGEP(MemoryType(c.context(), pointer.getPointeeType()),
                       c.Scalar(op.getPtr()), offset);
}

// Null if the operation is no arithmetic of pointers.
llvm::Value* EmitPointer(EmitContext& c, mlir::Operation* op) {
  if (auto add = llvm::dyn_cast<tt::AddPtrOp>(op)) {
    return EmitAddPointer(c, add);
  }
  if (llvm::isa<tt::BitcastOp>(op) &&
      llvm::isa<tt::PointerType>(op->getOperand(0).getType())) {
    return c.Scalar(op->getOperand(0));
  }
  if (llvm::isa<tt::IntToPtrOp>(op)) {
    return c.b.CreateIntToPtr(c.Scalar(op->getOperand(0)), c.b.getPtrTy());
  }
  if (llvm::isa<tt::PtrToIntOp>(op)) {
    return c.b.CreatePtrToInt(
        c.Scalar(op->getOperand(0)),
        RegisterType(c.context(), op->getResult(0).getType()));
  }
  return nullptr;
}

llvm::Value* EmitValue(EmitContext& c, mlir::Operation* op) {
  if (auto id = llvm::dyn_cast<tt::GetProgramIdOp>(op)) {
    return c.b.CreateTrunc(c.program_id[static_cast<unsigned>(id.getAxis())],
                           c.b.getInt32Ty());
  }
  if (auto count = llvm::dyn_cast<tt::GetNumProgramsOp>(op)) {
    return c.b.CreateTrunc(c.grid[static_cast<unsigned>(count.getAxis())],
                           c.b.getInt32Ty());
  }
  if (auto constant = llvm::dyn_cast<mlir::arith::ConstantOp>(op)) {
    return EmitConstant(c, constant.getValue());
  }
  if (llvm::isa<mlir::ub::PoisonOp>(op)) {
    return llvm::Constant::getNullValue(
        RegisterType(c.context(), op->getResult(0).getType()));
  }
  if (llvm::Value* pointer = EmitPointer(c, op)) return pointer;
  if (!IsElementwise(op)) {
    c.Fail(op, "not supported");
    return nullptr;
  }
  llvm::SmallVector<llvm::Value*, 4> args;
  for (mlir::Value operand : op->getOperands()) {
    args.push_back(c.Scalar(operand));
  }
  return EmitElementwise(c, op, args);
}

}  // namespace

void EmitScalar(EmitContext& c, mlir::Operation* op) {
  if (auto load = llvm::dyn_cast<tt::LoadOp>(op)) return EmitLoad(c, load);
  if (auto store = llvm::dyn_cast<tt::StoreOp>(op)) return EmitStore(c, store);
  if (auto assertion = llvm::dyn_cast<tt::AssertOp>(op)) {
    return c.Assert(c.Scalar(assertion.getCondition()), assertion.getMessage());
  }
  if (llvm::isa<tt::AtomicRmwOp, tt::AtomicCasOp>(op)) {
    llvm::SmallVector<llvm::Value*, 4> args;
    for (mlir::Value operand : op->getOperands()) {
      args.push_back(c.Scalar(operand));
    }
    c.scalars[op->getResult(0)] = EmitAtomic(c, op, args);
    return;
  }
  if (auto unsplat = llvm::dyn_cast<tt::UnsplatOp>(op)) {
    Tile tile(c);
    c.scalars[op->getResult(0)] = tile.Lanes(
        unsplat.getSrc(), DimMap::Zero(ShapeOf(unsplat.getSrc()).size()));
    return;
  }
  if (op->getNumResults() != 1) return c.Fail(op, "not supported");
  if (llvm::Value* value = EmitValue(c, op)) {
    c.scalars[op->getResult(0)] = value;
  }
}

}  // namespace quern
