// By how much the elements of a tensor grow along each of its dimensions.
#include "compiler/plan/axes.h"

#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace quern {
namespace {

using Stride = Axes::Stride;
using Strides = Axes::Strides;

// Beyond this the "no wrap" assumption would be reckless.
constexpr int64_t kSpanMax = int64_t{1} << 31;

Stride Sum(Stride a, Stride b, int64_t scale = 1) {
  int64_t product, sum;
  if (!a || !b || __builtin_mul_overflow(*b, scale, &product) ||
      __builtin_add_overflow(*a, product, &sum)) {
    return std::nullopt;
  }
  return sum;
}

std::optional<int64_t> IntegerConstant(mlir::Value value) {
  auto constant =
      llvm::dyn_cast_or_null<mlir::IntegerAttr>(SplatConstant(value));
  if (!constant || constant.getValue().getBitWidth() > 64) return std::nullopt;
  return constant.getValue().getSExtValue();
}

Stride Times(Stride stride, std::optional<int64_t> factor) {
  if (!factor) return std::nullopt;
  return Sum(0, stride, *factor);
}

}  // namespace

void Axes::Visit(mlir::Operation* op) {
  for (mlir::OpResult result : op->getResults()) {
    if (!IsTensor(result)) continue;
    Strides strides = Compute(result);
    const llvm::ArrayRef<int64_t> shape = ShapeOf(result);
    const bool integers = ElementOf(result).isSignlessInteger();
    for (unsigned i = 0; i < shape.size(); ++i) {
      if (shape[i] == 1) strides[i] = 0;
      if (integers && strides[i] &&
          std::abs(*strides[i]) > kSpanMax / shape[i]) {
        strides[i] = std::nullopt;
      }
    }
    strides_[result] = std::move(strides);
  }
}

void Axes::SetLike(mlir::Value value, mlir::Value init) {
  strides_[value] = Of(init);
}

Strides Axes::Of(mlir::Value value) const {
  const llvm::ArrayRef<int64_t> shape = ShapeOf(value);
  auto found = strides_.find(value);
  const Home* home = plan_.HomeOf(value);
  if (found != strides_.end() && (!home || home->kind == Home::Kind::kStep)) {
    return found->second;
  }
  Strides unknown(shape.size(), std::nullopt);
  for (unsigned i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) unknown[i] = 0;
  }
  return unknown;
}

Stride Axes::Along(mlir::Value value, const DimMap& map, int dim) const {
  if (dim < 0) return 0;
  const Strides strides = Of(value);
  Stride sum = 0;
  for (unsigned i = 0; i < strides.size(); ++i) {
    if (map[i] == static_cast<unsigned>(dim)) sum = Sum(sum, strides[i]);
  }
  return sum;
}

bool Axes::IsUniform(mlir::Value value) const {
  return llvm::all_of(Of(value), [](Stride s) { return s && *s == 0; });
}

Strides Axes::Compute(mlir::Value value) const {
  mlir::Operation* op = value.getDefiningOp();
  const unsigned rank = ShapeOf(value).size();
  if (llvm::isa<tt::MakeRangeOp>(op)) return Strides(1, 1);
  if (SplatConstant(value) || llvm::isa<mlir::ub::PoisonOp>(op)) {
    return Strides(rank, 0);
  }
  if (IsView(op)) return OfView(op, rank);
  if (IsElementwise(op)) return OfArithmetic(op, rank);
  Strides strides(rank, std::nullopt);
  if (llvm::isa<tt::LoadOp>(op)) {
    // Equal addresses under equal masks give equal values.
    for (unsigned i = 0; i < rank; ++i) {
      const bool same = llvm::all_of(op->getOperands(), [&](mlir::Value v) {
        return IsTensor(v) && Of(v)[i] == Stride(0);
      });
      if (same) strides[i] = 0;
    }
  }
  return strides;
}

Strides Axes::OfView(mlir::Operation* op, unsigned rank) const {
  Strides strides(rank, 0);
  if (llvm::isa<tt::SplatOp>(op)) return strides;
  DimMap identity;
  for (unsigned i = 0; i < rank; ++i) identity.Append(i);
  for (unsigned k = 0; k < op->getNumOperands(); ++k) {
    const Strides source = Of(op->getOperand(k));
    const DimMap map = OperandMap(op, k, 0, identity);
    for (unsigned i = 0; i < source.size(); ++i) {
      if (DimMap::IsConstant(map[i])) continue;
      if (k == 0) {
        strides[map[i]] = source[i];
      } else if (strides[map[i]] != source[i]) {
        strides[map[i]] = std::nullopt;
      }
    }
  }
  if (llvm::isa<tt::JoinOp>(op)) {
    const bool same = op->getOperand(0) == op->getOperand(1);
    strides[rank - 1] = same ? Stride(0) : std::nullopt;
  }
  return strides;
}

Strides Axes::OfArithmetic(mlir::Operation* op, unsigned rank) const {
  llvm::SmallVector<Strides, 3> of;
  for (mlir::Value operand : op->getOperands()) {
    of.push_back(IsTensor(operand) ? Of(operand) : Strides(rank, 0));
  }
  Strides strides(rank, std::nullopt);
  for (unsigned i = 0; i < rank; ++i) {
    if (llvm::all_of(of, [&](const Strides& s) { return s[i] == Stride(0); })) {
      strides[i] = 0;
    } else if (llvm::isa<mlir::arith::AddIOp>(op)) {
      strides[i] = Sum(of[0][i], of[1][i]);
    } else if (llvm::isa<mlir::arith::SubIOp>(op)) {
      strides[i] = Sum(of[0][i], of[1][i], -1);
    } else if (llvm::isa<tt::AddPtrOp>(op)) {
      auto pointer = llvm::cast<tt::PointerType>(ElementOf(op->getOperand(0)));
      strides[i] =
          Sum(of[0][i], of[1][i], ElementBytes(pointer.getPointeeType()));
    } else if (llvm::isa<mlir::arith::MulIOp>(op)) {
      const auto left = IntegerConstant(op->getOperand(0));
      strides[i] = left ? Times(of[1][i], left)
                        : Times(of[0][i], IntegerConstant(op->getOperand(1)));
    } else if (llvm::isa<mlir::arith::ExtSIOp, mlir::arith::TruncIOp,
                         mlir::arith::IndexCastOp>(op) ||
               (llvm::isa<tt::BitcastOp>(op) &&
                llvm::isa<tt::PointerType>(ElementOf(op->getOperand(0))) &&
                llvm::isa<tt::PointerType>(ElementOf(op->getResult(0))))) {
      strides[i] = of[0][i];
    }
    const bool narrow = ElementOf(op->getResult(0)).isSignlessInteger() &&
                        ElementBytes(ElementOf(op->getResult(0))) < 4;
    if (narrow && strides[i] != Stride(0)) strides[i] = std::nullopt;
  }
  return strides;
}

}  // namespace quern
