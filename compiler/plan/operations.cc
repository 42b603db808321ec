// What kinds of operations there are, for planning and for emission.
#include "compiler/plan/operations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace quern {

llvm::ArrayRef<int64_t> ShapeOf(mlir::Type type) {
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type)) {
    return tensor.getShape();
  }
  return {};
}

mlir::Type ElementOf(mlir::Value value) {
  return mlir::getElementTypeOrSelf(value);
}

uint64_t ElementBytes(mlir::Type element) {
  if (!element.isIntOrFloat()) return 8;
  return (element.getIntOrFloatBitWidth() + 7) / 8;
}

bool IsElementwise(mlir::Operation* op) {
  if (llvm::isa<mlir::arith::ConstantOp>(op)) return false;
  const llvm::StringRef dialect = op->getName().getDialectNamespace();
  if (dialect == "arith" || dialect == "math") return true;
  return llvm::isa<tt::AddPtrOp, tt::IntToPtrOp, tt::PtrToIntOp, tt::BitcastOp,
                   tt::FpToFpOp, tt::ClampFOp, tt::PreciseSqrtOp,
                   tt::PreciseDivFOp, tt::MulhiUIOp, tt::ExternElementwiseOp>(
      op);
}

bool IsUnitReshape(mlir::Operation* op) {
  auto reshape = llvm::dyn_cast<tt::ReshapeOp>(op);
  if (!reshape) return false;
  auto trim = [](mlir::Value value) {
    llvm::SmallVector<int64_t> sizes;
    for (int64_t size : ShapeOf(value)) {
      if (size != 1) sizes.push_back(size);
    }
    return sizes;
  };
  return trim(reshape.getSrc()) == trim(reshape.getResult());
}

bool IsView(mlir::Operation* op) {
  return llvm::isa<tt::SplatOp, tt::UnsplatOp, tt::BroadcastOp,
                   tt::ExpandDimsOp, tt::TransOp, tt::JoinOp, tt::SplitOp>(
             op) ||
         IsUnitReshape(op);
}

bool IsExpensive(mlir::Operation* op) {
  if (llvm::isa<mlir::arith::DivFOp, mlir::arith::RemFOp, mlir::arith::DivSIOp,
                mlir::arith::RemSIOp, mlir::arith::DivUIOp,
                mlir::arith::RemUIOp, tt::PreciseSqrtOp, tt::PreciseDivFOp,
                tt::ExternElementwiseOp>(op)) {
    return true;
  }
  return op->getName().getDialectNamespace() == "math" &&
         !llvm::isa<mlir::math::AbsFOp, mlir::math::AbsIOp, mlir::math::FmaOp,
                    mlir::math::FloorOp, mlir::math::CeilOp>(op);
}

bool IsNoOp(mlir::Operation* op) {
  // Launches here never overlap, so there is nothing to wait for.
  if (auto assembly = llvm::dyn_cast<tt::ElementwiseInlineAsmOp>(op)) {
    return assembly.getAsmString().starts_with("griddepcontrol.") &&
           op->use_empty();
  }
  return llvm::isa<mlir::LLVM::AssumeOp, mlir::gpu::BarrierOp, ttg::BarrierOp,
                   tt::GridDependencyWaitOp,
                   tt::GridDependencyLaunchDependentsOp>(op);
}

namespace {

// Sizes of one may stand anywhere; the other dimensions keep their order.
DimMap UnitReshapeMap(tt::ReshapeOp reshape, const DimMap& map) {
  llvm::SmallVector<unsigned> codes;
  const llvm::ArrayRef<int64_t> to = ShapeOf(reshape.getResult());
  for (unsigned i = 0; i < to.size(); ++i) {
    if (to[i] != 1) codes.push_back(map[i]);
  }
  DimMap result;
  unsigned next = 0;
  for (int64_t size : ShapeOf(reshape.getSrc())) {
    result.Append(size == 1 ? DimMap::kZero : codes[next++]);
  }
  return result;
}

DimMap ViewMap(mlir::Operation* op, unsigned result, const DimMap& map) {
  const llvm::ArrayRef<int64_t> from = ShapeOf(op->getOperand(0));
  if (llvm::isa<tt::UnsplatOp>(op)) return DimMap::Zero(from.size());
  if (auto reshape = llvm::dyn_cast<tt::ReshapeOp>(op)) {
    return UnitReshapeMap(reshape, map);
  }
  DimMap operand;
  if (auto trans = llvm::dyn_cast<tt::TransOp>(op)) {
    operand = DimMap::Zero(from.size());
    for (auto [i, source] : llvm::enumerate(trans.getOrder())) {
      operand.Set(source, map[i]);
    }
    return operand;
  }
  for (unsigned i = 0; i < map.rank(); ++i) {
    if (auto expand = llvm::dyn_cast<tt::ExpandDimsOp>(op)) {
      if (i == expand.getAxis()) continue;
    }
    if (llvm::isa<tt::JoinOp>(op) && i + 1 == map.rank()) continue;
    const unsigned at = operand.rank();
    const bool repeated = at < from.size() && from[at] == 1;
    operand.Append(repeated ? DimMap::kZero : map[i]);
  }
  if (llvm::isa<tt::SplitOp>(op)) {
    operand.Append(result == 0 ? DimMap::kZero : DimMap::kOne);
  }
  return operand;
}

}  // namespace

DimMap OperandMap(mlir::Operation* op, unsigned index, unsigned result,
                  const DimMap& map) {
  if (!IsTensor(op->getOperand(index))) return DimMap();
  if (IsView(op)) return ViewMap(op, result, map);
  return map;
}

mlir::TypedAttr SplatConstant(mlir::Value value) {
  // Longer ways to a constant are not looked for: this is asked often.
  constexpr int kViewsMax = 16;
  for (int i = 0; i < kViewsMax; ++i) {
    mlir::Operation* op = value.getDefiningOp();
    if (!op) return {};
    if (auto constant = llvm::dyn_cast<mlir::arith::ConstantOp>(op)) {
      if (!IsTensor(value)) return constant.getValue();
      auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(constant.getValue());
      if (!dense || !dense.isSplat()) return {};
      return llvm::dyn_cast<mlir::TypedAttr>(
          dense.getSplatValue<mlir::Attribute>());
    }
    if (!llvm::isa<tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp, tt::TransOp,
                   tt::ReshapeOp>(op)) {
      return {};
    }
    value = op->getOperand(0);
  }
  return {};
}

mlir::Operation* SingleCombine(mlir::Region& region) {
  mlir::Block& block = region.front();
  if (block.getNumArguments() != 2 || block.getOperations().size() != 2) {
    return nullptr;
  }
  mlir::Operation* op = &block.front();
  if (op->getNumOperands() != 2 || op->getNumResults() != 1) return nullptr;
  if (block.back().getOperand(0) != op->getResult(0)) return nullptr;
  const bool straight = op->getOperand(0) == block.getArgument(0) &&
                        op->getOperand(1) == block.getArgument(1);
  const bool swapped = op->getOperand(1) == block.getArgument(0) &&
                       op->getOperand(0) == block.getArgument(1);
  return straight || swapped ? op : nullptr;
}

}  // namespace quern
