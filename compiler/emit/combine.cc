// Combine regions of reductions and scans, on scalars or vectors.
#include "compiler/emit/combine.h"

#include "compiler/emit/types.h"
#include "compiler/plan/identity.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

mlir::Operation* SingleOperation(mlir::Operation* op) {
  if (op->getNumRegions() == 0) return op;
  return SingleCombine(op->getRegion(0));
}

bool PassesNanBy(mlir::Operation* op) {
  return llvm::isa<mlir::arith::MaxNumFOp, mlir::arith::MinNumFOp>(op);
}

// The maximum of `old`, which is never NaN, and of any number, which is passed
// by if it is NaN. AArch64 has an instruction for the maximum of any two.
llvm::Value* EmitExtreme(EmitContext& c, mlir::Operation* op, llvm::Value* old,
                         llvm::Value* next) {
  llvm::Type* type = next->getType()->getScalarType();
  if (c.plan.target.arch == TargetArch::kAArch64 || !PassesNanBy(op) ||
      (!type->isFloatTy() && !type->isDoubleTy())) {
    return nullptr;
  }
  llvm::Value* replaces = llvm::isa<mlir::arith::MaxNumFOp>(op)
                              ? c.b.CreateFCmpOGT(next, old)
                              : c.b.CreateFCmpOLT(next, old);
  return c.b.CreateSelect(replaces, next, old);
}

// Runs the region's operations on `scalars` of their arguments.
Values EmitRegion(EmitContext& c, mlir::Region& region, const Values& left,
                  const Values& right) {
  mlir::Block& block = region.front();
  const unsigned width = WidthOf(left[0]);
  llvm::DenseMap<mlir::Value, llvm::Value*> known;
  for (unsigned i = 0; i < left.size(); ++i) {
    known[block.getArgument(i)] = left[i];
    known[block.getArgument(left.size() + i)] = right[i];
  }
  auto value_of = [&](mlir::Value value) {
    auto found = known.find(value);
    if (found != known.end()) return found->second;
    llvm::Value* scalar = c.Scalar(value);
    return width == 1 ? scalar : c.b.CreateVectorSplat(width, scalar);
  };
  for (mlir::Operation& op : block.without_terminator()) {
    if (llvm::isa<mlir::arith::ConstantOp>(op)) continue;
    if (!IsElementwise(&op)) {
      c.Fail(&op, "not supported in a combine region");
      continue;
    }
    llvm::SmallVector<llvm::Value*, 4> args;
    for (mlir::Value operand : op.getOperands()) {
      args.push_back(value_of(operand));
    }
    known[op.getResult(0)] = EmitElementwise(c, &op, args);
  }
  Values results;
  for (mlir::Value operand : block.getTerminator()->getOperands()) {
    results.push_back(value_of(operand));
  }
  return results;
}

// The upper or the lower half of each vector.
Values Half(EmitContext& c, const Values& values, unsigned first,
            unsigned count) {
  Values halves;
  for (llvm::Value* value : values) {
    if (count == 1) {
      halves.push_back(c.b.CreateExtractElement(value, first));
      continue;
    }
    llvm::SmallVector<int> lanes;
    for (unsigned i = 0; i < count; ++i) lanes.push_back(first + i);
    halves.push_back(c.b.CreateShuffleVector(value, lanes));
  }
  return halves;
}

Values LoadSlots(EmitContext& c, const Accumulators& accumulators,
                 unsigned tile) {
  Values values;
  for (llvm::AllocaInst* slot : accumulators.slots[tile]) {
    values.push_back(c.Load(slot));
  }
  return values;
}

// Partial sums and products of narrow floats are kept in f32, and rounded only
// at the end: the order of a reduction is open, so that is as good an order as
// any, and the most exact.
bool IsKeptWide(mlir::Operation* op) {
  auto format = llvm::dyn_cast<mlir::FloatType>(ElementOf(op->getOperand(0)));
  return format && format.getWidth() < 32 && CombineIdentity(op);
}

// Combines `left` and `right`, one value each for every operand of `op` (a
// tt.reduce, a tt.scan, or an arith operation of two operands).
Values EmitCombine(EmitContext& c, mlir::Operation* op, bool never_nan,
                   const Values& left, const Values& right) {
  mlir::Operation* single = SingleOperation(op);
  if (!single) return EmitRegion(c, op->getRegion(0), left, right);
  if (CombineIdentity(op)) {
    llvm::Value* extreme =
        never_nan ? EmitExtreme(c, single, left[0], right[0]) : nullptr;
    if (extreme) return {extreme};
    if (IsKeptWide(op)) {
      return {EmitFloatOperation(c, single, {left[0], right[0]})};
    }
  }
  return {EmitElementwise(c, single, {left[0], right[0]})};
}

// Combines lanes by halves until one is left.
Values AcrossLanes(EmitContext& c, mlir::Operation* op, bool never_nan,
                   Values values) {
  for (unsigned width = WidthOf(values[0]); width > 1; width /= 2) {
    values = EmitCombine(c, op, never_nan, Half(c, values, 0, width / 2),
                         Half(c, values, width / 2, width / 2));
  }
  return values;
}

// What partial results start from.
llvm::Constant* StartOf(EmitContext& c, mlir::Operation* op, bool never_nan) {
  mlir::TypedAttr neutral = CombineIdentity(op);
  auto number = llvm::dyn_cast<mlir::FloatAttr>(neutral);
  if (!number) return EmitConstant(c, neutral);
  llvm::APFloat value = number.getValue();
  if (IgnoresNan(op) && !never_nan) {
    value = llvm::APFloat::getNaN(value.getSemantics());
  }
  bool loses = false;
  if (IsKeptWide(op)) {
    value.convert(llvm::APFloat::IEEEsingle(),
                  llvm::APFloat::rmNearestTiesToEven, &loses);
  }
  return EmitConstant(c, mlir::FloatAttr::get(AccumulatorType(op, 0), value));
}

}  // namespace

bool IgnoresNan(mlir::Operation* op) {
  mlir::Operation* single = SingleOperation(op);
  return single && PassesNanBy(single) && CombineIdentity(op);
}

llvm::Value* EmitWithIdentity(EmitContext& c, mlir::Operation* op,
                              llvm::Value* total) {
  llvm::Value* identity = EmitConstant(c, CombineIdentity(op));
  return EmitElementwise(c, SingleOperation(op), {total, identity});
}

mlir::Type AccumulatorType(mlir::Operation* op, unsigned i) {
  if (IsKeptWide(op)) return mlir::Builder(op->getContext()).getF32Type();
  return ElementOf(op->getOperand(i));
}

mlir::TypedAttr CombineIdentity(mlir::Operation* op) {
  if (llvm::isa<tt::ScanOp>(op)) return {};
  mlir::Operation* single = SingleOperation(op);
  return single ? IdentityOf(single) : mlir::TypedAttr();
}

Accumulators NewAccumulators(EmitContext& c,
                             llvm::ArrayRef<mlir::Type> elements,
                             bool has_identity, unsigned width,
                             unsigned tail_width, unsigned unroll) {
  Accumulators result;
  result.width = width;
  result.tail_width = tail_width;
  const unsigned tiles = unroll + (result.has_tail() ? 1 : 0);
  for (unsigned tile = 0; tile < tiles; ++tile) {
    const unsigned lanes = tile < unroll ? width : tail_width;
    result.slots.emplace_back();
    for (mlir::Type element : elements) {
      result.slots.back().push_back(
          c.NewSlot(LanesOf(RegisterType(c.context(), element), lanes)));
    }
    if (!has_identity) result.filled.push_back(c.NewSlot(c.b.getInt1Ty()));
  }
  return result;
}

void Reset(EmitContext& c, mlir::Operation* op,
           const Accumulators& accumulators) {
  for (llvm::AllocaInst* filled : accumulators.filled) {
    c.b.CreateStore(c.b.getFalse(), filled);
  }
  if (!accumulators.filled.empty()) {
    for (const auto& tile : accumulators.slots) {
      for (llvm::AllocaInst* slot : tile) {
        c.b.CreateStore(llvm::Constant::getNullValue(slot->getAllocatedType()),
                        slot);
      }
    }
    return;
  }
  llvm::Constant* identity = StartOf(c, op, accumulators.never_nan);
  for (const auto& tile : accumulators.slots) {
    const unsigned width =
        accumulators.has_tail() && &tile == &accumulators.slots.back()
            ? accumulators.tail_width
            : accumulators.width;
    c.b.CreateStore(width == 1
                        ? identity
                        : llvm::ConstantVector::getSplat(
                              llvm::ElementCount::getFixed(width), identity),
                    tile[0]);
  }
}

void Accumulate(EmitContext& c, mlir::Operation* op,
                const Accumulators& accumulators, unsigned tile, Values right) {
  if (IsKeptWide(op)) {
    right[0] = EmitConvert(c, right[0], ElementOf(op->getOperand(0)),
                           AccumulatorType(op, 0));
  }
  const Values left = LoadSlots(c, accumulators, tile);
  Values next = EmitCombine(c, op, accumulators.never_nan, left, right);
  if (!accumulators.filled.empty()) {
    llvm::Value* filled = c.Load(accumulators.filled[tile]);
    for (unsigned i = 0; i < next.size(); ++i) {
      next[i] = c.b.CreateSelect(filled, next[i], right[i]);
    }
    c.b.CreateStore(c.b.getTrue(), accumulators.filled[tile]);
  }
  for (unsigned i = 0; i < next.size(); ++i) {
    c.b.CreateStore(next[i], accumulators.slots[tile][i]);
  }
}

Values Collect(EmitContext& c, mlir::Operation* op,
               const Accumulators& accumulators, bool across_lanes) {
  const bool flags = !accumulators.filled.empty();
  Values total = LoadSlots(c, accumulators, 0);
  llvm::Value* filled = flags ? c.Load(accumulators.filled[0]) : nullptr;
  auto add = [&](const Values& next, llvm::Value* next_filled) {
    Values sum = EmitCombine(c, op, accumulators.never_nan, total, next);
    for (unsigned i = 0; flags && i < sum.size(); ++i) {
      sum[i] = c.b.CreateSelect(next_filled, sum[i], total[i]);
      sum[i] = c.b.CreateSelect(filled, sum[i], next[i]);
    }
    if (flags) filled = c.b.CreateOr(filled, next_filled);
    total = sum;
  };
  const unsigned wide =
      accumulators.slots.size() - (accumulators.has_tail() ? 1 : 0);
  for (unsigned tile = 1; tile < wide; ++tile) {
    add(LoadSlots(c, accumulators, tile),
        flags ? c.Load(accumulators.filled[tile]) : nullptr);
  }
  if (across_lanes) {
    total = AcrossLanes(c, op, accumulators.never_nan, total);
  }
  if (accumulators.has_tail()) {
    add(LoadSlots(c, accumulators, wide),
        flags ? c.Load(accumulators.filled[wide]) : nullptr);
  }
  if (IsKeptWide(op)) {
    total[0] = EmitConvert(c, total[0], AccumulatorType(op, 0),
                           ElementOf(op->getOperand(0)));
  }
  return total;
}

}  // namespace quern
