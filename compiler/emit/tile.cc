// The evaluation of tensors at one tile.
#include "compiler/emit/tile.h"

#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace quern {

Tile::Tile(EmitContext& context, const Group& group,
           llvm::ArrayRef<llvm::Value*> indices, unsigned width)
    : c_(context),
      b_(context.b),
      group_(&group),
      indices_(indices),
      width_(width),
      vector_dim_(group.vector_dim) {}

Tile::Tile(EmitContext& context) : c_(context), b_(context.b) {}

void Tile::Assume(const Bound& bound, bool truth) {
  known_[{bound.value, bound.map.key()}] =
      TileValue::Uniform(b_.getInt1(truth));
}

llvm::Value* Tile::Index(unsigned code) {
  if (code == DimMap::kZero) return c_.I64(0);
  if (code == DimMap::kOne) return c_.I64(1);
  return indices_[code];
}

TileValue Tile::Evaluate(mlir::Value value, const DimMap& map) {
  if (!IsTensor(value)) {
    llvm::Value* scalar = c_.Scalar(value);
    if (llvm::isa<tt::PointerType>(value.getType())) {
      return TileValue::Uniform(c_.I64(0)).WithBase(scalar);
    }
    return TileValue::Uniform(scalar);
  }
  auto found = known_.find({value, map.key()});
  if (found != known_.end()) return found->second;
  const TileValue result = Compute(value, map);
  known_[{value, map.key()}] = result;
  return result;
}

TileValue Tile::Compute(mlir::Value value, const DimMap& map) {
  const Home* home = c_.plan.HomeOf(value);
  if (home && home->kind == Home::Kind::kStep) {
    return ComputeStep(*home, value, map);
  }
  const bool at_hand = group_ && group_->materialised.contains(value);
  if (home && home->kind == Home::Kind::kBuffer && !at_hand) {
    const TileValue read = ReadBuffer(home->index, ShapeOf(value), map);
    return read;
  }
  if (mlir::TypedAttr constant = SplatConstant(value)) {
    return TileValue::Uniform(EmitConstant(c_, constant));
  }
  auto result = llvm::dyn_cast<mlir::OpResult>(value);
  mlir::Operation* op =
      result ? result.getOwner() : value.getParentBlock()->getParentOp();
  if (result && llvm::isa<mlir::ub::PoisonOp>(op)) {
    llvm::Type* type = RegisterType(c_.context(), ElementOf(value));
    if (type->isPointerTy()) return TileValue::Uniform(c_.I64(0));
    return TileValue::Uniform(llvm::Constant::getNullValue(type));
  }
  if (result && llvm::isa<tt::MakeRangeOp>(op)) return ComputeRange(value, map);
  if (result && llvm::isa<tt::LoadOp>(op)) return Load(op, map);
  if (auto gather = llvm::dyn_cast<tt::GatherOp>(op); result && gather) {
    return ComputeGather(gather, map);
  }
  if (result && IsView(op)) return ComputeView(result, map);
  if (result && llvm::isa<tt::ReshapeOp>(op)) {
    // Of equal elements: any of them will do.
    return Evaluate(op->getOperand(0),
                    DimMap::Zero(ShapeOf(op->getOperand(0)).size()));
  }
  if (result && IsElementwise(op)) return ComputeElementwise(op, map);
  c_.Fail(op, "not supported here");
  return TileValue::Uniform(
      llvm::PoisonValue::get(RegisterType(c_.context(), ElementOf(value))));
}

TileValue Tile::ComputeRange(mlir::Value value, const DimMap& map) {
  auto range = value.getDefiningOp<tt::MakeRangeOp>();
  llvm::Value* start = b_.getInt32(range.getStart());
  const unsigned code = map[0];
  if (!DimMap::IsConstant(code) && static_cast<int>(code) == vector_dim_) {
    return TileValue::Affine(start, 1);
  }
  llvm::Value* index = b_.CreateTrunc(Index(code), b_.getInt32Ty());
  return TileValue::Uniform(b_.CreateAdd(index, start));
}

TileValue Tile::ComputeView(mlir::OpResult result, const DimMap& map) {
  mlir::Operation* op = result.getOwner();
  if (llvm::isa<tt::JoinOp>(op)) return ComputeJoin(op, map);
  return Evaluate(op->getOperand(0),
                  OperandMap(op, 0, result.getResultNumber(), map));
}

TileValue Tile::ComputeJoin(mlir::Operation* op, const DimMap& map) {
  const unsigned code = map[map.rank() - 1];
  const DimMap inner = OperandMap(op, 0, 0, map);
  if (DimMap::IsConstant(code)) {
    return Evaluate(op->getOperand(code == DimMap::kZero ? 0 : 1), inner);
  }
  llvm::Type* type = RegisterType(c_.context(), ElementOf(op->getOperand(0)));
  if (type->isPointerTy()) {
    c_.Fail(op, "a join of pointers");
    type = b_.getInt64Ty();
  }
  const TileValue left = Evaluate(op->getOperand(0), inner);
  const TileValue right = Evaluate(op->getOperand(1), inner);
  if (static_cast<int>(code) != vector_dim_ || width_ == 1) {
    llvm::Value* first = b_.CreateICmpEQ(Index(code), c_.I64(0));
    if (left.is_uniform() && right.is_uniform()) {
      return TileValue::Uniform(
          b_.CreateSelect(first, left.value, right.value));
    }
    return TileValue::Vector(
        b_.CreateSelect(first, AsLanes(left, type), AsLanes(right, type)));
  }
  // The lanes are the two sides, over and over: the operands do not run along
  // them.
  llvm::SmallVector<int> lanes;
  for (unsigned i = 0; i < width_; ++i) lanes.push_back(i % 2 ? width_ + i : i);
  return TileValue::Vector(
      b_.CreateShuffleVector(AsLanes(left, type), AsLanes(right, type), lanes));
}

TileValue Tile::ComputeStep(const Home& home, mlir::Value value,
                            const DimMap& map) {
  const TileValue init = Evaluate(c_.plan.steps[home.index].init, map);
  llvm::Value* moved = c_.Load(c_.steps[home.index]);
  const mlir::Type element = ElementOf(value);
  if (auto pointer = llvm::dyn_cast<tt::PointerType>(element)) {
    moved = b_.CreateMul(moved, c_.I64(ElementBytes(pointer.getPointeeType())));
  } else {
    moved = b_.CreateTrunc(moved, RegisterType(c_.context(), element));
  }
  return Add(init, TileValue::Uniform(moved), 1).WithBase(init.base);
}

llvm::Value* Tile::Lanes(mlir::Value value, const DimMap& map) {
  const TileValue tile_value = Evaluate(value, map);
  if (llvm::isa<tt::PointerType>(ElementOf(value))) {
    return b_.CreatePtrToInt(Addresses(tile_value),
                             LanesOf(b_.getInt64Ty(), width_));
  }
  return AsLanes(tile_value, RegisterType(c_.context(), ElementOf(value)));
}

llvm::Value* Tile::AsLanes(const TileValue& value, llvm::Type* element) {
  if (value.is_vector()) return value.value;
  llvm::Value* first = value.value;
  if (value.is_affine()) {
    llvm::Value* index = b_.CreateTrunc(indices_[vector_dim_], element);
    llvm::Value* moved = b_.CreateMul(
        index, llvm::ConstantInt::get(element, value.stride, true));
    first = b_.CreateAdd(first, moved);
  }
  if (width_ == 1) return first;
  llvm::Value* lanes = b_.CreateVectorSplat(width_, first);
  if (value.is_uniform()) return lanes;
  llvm::SmallVector<llvm::Constant*> ramp;
  for (unsigned i = 0; i < width_; ++i) {
    ramp.push_back(llvm::ConstantInt::get(element, value.stride * i, true));
  }
  return b_.CreateAdd(lanes, llvm::ConstantVector::get(ramp));
}

llvm::Value* Tile::Addresses(const TileValue& pointer) {
  llvm::Value* offset = AsLanes(pointer, b_.getInt64Ty());
  if (!pointer.base) {
    return b_.CreateIntToPtr(offset, LanesOf(b_.getPtrTy(), width_));
  }
  return b_.CreateGEP(b_.getInt8Ty(), pointer.base, offset);
}

}  // namespace quern
