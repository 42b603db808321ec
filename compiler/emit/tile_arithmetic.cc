// Elementwise operations on the lattice of tile values.
#include "compiler/emit/tile.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

std::optional<int64_t> ConstantOf(const TileValue& value) {
  if (!value.is_uniform()) return std::nullopt;
  auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value.value);
  if (!constant || constant->getBitWidth() > 64) return std::nullopt;
  return constant->getSExtValue();
}

bool IsPointer(mlir::Value value) {
  return llvm::isa<tt::PointerType>(ElementOf(value));
}

}  // namespace

TileValue Tile::Add(const TileValue& a, const TileValue& b, int sign) {
  auto apply = [&](llvm::Value* x, llvm::Value* y) {
    return sign > 0 ? b_.CreateAdd(x, y) : b_.CreateSub(x, y);
  };
  if (a.is_vector() || b.is_vector()) {
    llvm::Type* element = a.value->getType()->getScalarType();
    return TileValue::Vector(apply(AsLanes(a, element), AsLanes(b, element)));
  }
  return TileValue::Affine(apply(a.value, b.value), a.stride + sign * b.stride);
}

TileValue Tile::Scale(const TileValue& value, int64_t factor) {
  llvm::Type* type = value.value->getType();
  TileValue result = value;
  result.value =
      b_.CreateMul(value.value, llvm::ConstantInt::get(type, factor, true));
  result.stride = value.stride * factor;
  return result;
}

// Arithmetic that keeps lanes evenly spaced. Nothing if `op` does not.
std::optional<TileValue> Tile::ComputeAffine(
    mlir::Operation* op, llvm::ArrayRef<TileValue> operands) {
  if (llvm::none_of(operands, [](auto& v) { return v.is_affine(); }) ||
      llvm::any_of(operands, [](auto& v) { return v.is_vector(); })) {
    return std::nullopt;
  }
  if (llvm::isa<mlir::arith::AddIOp>(op)) {
    return Add(operands[0], operands[1], 1);
  }
  if (llvm::isa<mlir::arith::SubIOp>(op)) {
    return Add(operands[0], operands[1], -1);
  }
  if (llvm::isa<mlir::arith::MulIOp>(op)) {
    // As for Axes: a stride beyond this may wrap within a tile.
    constexpr int64_t kStrideMax = int64_t{1} << 31;
    for (unsigned i = 0; i < 2; ++i) {
      const std::optional<int64_t> factor = ConstantOf(operands[i]);
      if (factor && operands[1 - i].is_affine() &&
          std::abs(*factor) < kStrideMax &&
          std::abs(operands[1 - i].stride * *factor) < kStrideMax) {
        return Scale(operands[1 - i], *factor);
      }
    }
    return std::nullopt;
  }
  llvm::Type* type = RegisterType(c_.context(), ElementOf(op->getResult(0)));
  if (llvm::isa<mlir::arith::ExtSIOp>(op)) {
    return TileValue::Affine(b_.CreateSExt(operands[0].value, type),
                             operands[0].stride);
  }
  if (llvm::isa<mlir::arith::TruncIOp>(op) &&
      type->getIntegerBitWidth() >= 32) {
    return TileValue::Affine(b_.CreateTrunc(operands[0].value, type),
                             operands[0].stride);
  }
  return std::nullopt;
}

// Logic with an operand that is known at all lanes.
std::optional<TileValue> Tile::ComputeLogic(
    mlir::Operation* op, llvm::ArrayRef<TileValue> operands) {
  const bool is_and = llvm::isa<mlir::arith::AndIOp>(op);
  if ((is_and || llvm::isa<mlir::arith::OrIOp>(op)) &&
      ElementOf(op->getResult(0)).isSignlessInteger(1)) {
    for (unsigned i = 0; i < 2; ++i) {
      const std::optional<int64_t> known = ConstantOf(operands[i]);
      if (!known) continue;
      return (*known != 0) == is_and ? operands[1 - i] : operands[i];
    }
  }
  if (llvm::isa<mlir::arith::SelectOp>(op)) {
    const std::optional<int64_t> known = ConstantOf(operands[0]);
    if (known) return operands[*known ? 1 : 2];
    if (IsPointer(op->getResult(0))) return SelectPointer(op, operands);
  }
  return std::nullopt;
}

TileValue Tile::SelectPointer(mlir::Operation*,
                              llvm::ArrayRef<TileValue> operands) {
  llvm::Type* i64 = b_.getInt64Ty();
  if (operands[0].is_uniform() && operands[1].is_uniform() &&
      operands[2].is_uniform()) {
    llvm::Value* pointers[2];
    for (unsigned i = 0; i < 2; ++i) {
      const TileValue& side = operands[i + 1];
      pointers[i] = side.base
                        ? b_.CreateGEP(b_.getInt8Ty(), side.base, side.value)
                        : b_.CreateIntToPtr(side.value, b_.getPtrTy());
    }
    return TileValue::Uniform(c_.I64(0)).WithBase(
        b_.CreateSelect(operands[0].value, pointers[0], pointers[1]));
  }
  llvm::Value* mask = AsLanes(operands[0], b_.getInt1Ty());
  llvm::Value* chosen =
      b_.CreateSelect(mask, Addresses(operands[1]), Addresses(operands[2]));
  return TileValue::Vector(b_.CreatePtrToInt(chosen, LanesOf(i64, width_)));
}

std::optional<TileValue> Tile::ComputePointer(
    mlir::Operation* op, llvm::ArrayRef<TileValue> operands) {
  if (auto add = llvm::dyn_cast<tt::AddPtrOp>(op)) {
    auto pointer = llvm::cast<tt::PointerType>(ElementOf(add.getPtr()));
    TileValue offset = operands[1];
    llvm::Type* i64 = b_.getInt64Ty();
    offset.value = offset.is_vector()
                       ? b_.CreateSExt(offset.value, LanesOf(i64, width_))
                       : b_.CreateSExt(offset.value, i64);
    const int64_t bytes = ElementBytes(pointer.getPointeeType());
    if (bytes != 1) {
      offset.value = b_.CreateMul(
          offset.value, llvm::ConstantInt::get(offset.value->getType(), bytes));
      offset.stride *= bytes;
    }
    return Add(operands[0], offset, 1).WithBase(operands[0].base);
  }
  if (llvm::isa<tt::BitcastOp>(op) && IsPointer(op->getOperand(0))) {
    return operands[0];
  }
  if (llvm::isa<tt::IntToPtrOp>(op)) {
    TileValue address = operands[0];
    llvm::Type* i64 = b_.getInt64Ty();
    address.value = b_.CreateZExtOrTrunc(
        address.is_affine() ? AsLanes(address, address.value->getType())
                            : address.value,
        address.is_uniform() ? i64 : LanesOf(i64, width_));
    if (address.is_affine()) address = TileValue::Vector(address.value);
    return address;
  }
  if (llvm::isa<tt::PtrToIntOp>(op)) {
    if (operands[0].is_uniform()) {
      llvm::Value* offset = operands[0].value;
      if (!operands[0].base) return TileValue::Uniform(offset);
      return TileValue::Uniform(b_.CreateAdd(
          b_.CreatePtrToInt(operands[0].base, b_.getInt64Ty()), offset));
    }
    return TileValue::Vector(b_.CreatePtrToInt(
        Addresses(operands[0]), LanesOf(b_.getInt64Ty(), width_)));
  }
  return std::nullopt;
}

// Lanes by one number: its reciprocal is computed once, outside the loop.
// Triton's `/` may be off by two units in the last place (tt.precise_divf may
// not); this is off by at most 1.5. Divisors too small to have a reciprocal
// are scaled up first, and the lanes with them.
llvm::Value* Tile::DivideByUniform(llvm::Value* lanes, llvm::Value* divisor) {
  llvm::Type* f32 = b_.getFloatTy();
  llvm::Value* size = b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, divisor);
  llvm::Value* is_tiny =
      b_.CreateFCmpOLT(size, llvm::ConstantFP::get(f32, 0x1p-100));
  llvm::Value* scale =
      b_.CreateSelect(is_tiny, llvm::ConstantFP::get(f32, 0x1p64),
                      llvm::ConstantFP::get(f32, 1.0));
  llvm::Value* reciprocal = b_.CreateFDiv(llvm::ConstantFP::get(f32, 1.0),
                                          b_.CreateFMul(divisor, scale));
  auto splat = [&](llvm::Value* value) {
    return width_ == 1 ? value : b_.CreateVectorSplat(width_, value);
  };
  return b_.CreateFMul(b_.CreateFMul(lanes, splat(scale)), splat(reciprocal));
}

TileValue Tile::ComputeElementwise(mlir::Operation* op, const DimMap& map) {
  llvm::SmallVector<TileValue, 4> operands;
  bool uniform = true;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    operands.push_back(Evaluate(op->getOperand(i), OperandMap(op, i, 0, map)));
    uniform = uniform && operands.back().is_uniform();
  }
  if (auto pointer = ComputePointer(op, operands)) return *pointer;
  if (auto logic = ComputeLogic(op, operands)) return *logic;
  if (auto affine = ComputeAffine(op, operands)) return *affine;
  llvm::SmallVector<llvm::Value*, 4> args;
  for (auto [value, operand] : llvm::zip(operands, op->getOperands())) {
    if (IsPointer(operand)) {
      c_.Fail(op, "not supported for pointers");
      return TileValue::Uniform(llvm::PoisonValue::get(
          RegisterType(c_.context(), ElementOf(op->getResult(0)))));
    }
    llvm::Type* type = RegisterType(c_.context(), ElementOf(operand));
    args.push_back(uniform ? value.value : AsLanes(value, type));
  }
  if (!uniform && operands.size() == 2 && operands[1].is_uniform() &&
      llvm::isa<mlir::arith::DivFOp>(op) &&
      ElementOf(op->getResult(0)).isF32()) {
    return TileValue::Vector(DivideByUniform(args[0], operands[1].value));
  }
  llvm::Value* result = EmitElementwise(c_, op, args);
  return uniform ? TileValue::Uniform(result) : TileValue::Vector(result);
}

}  // namespace quern
