// Whether the rows of a product's left operand can be read where they lie,
// without packing them: one element at a time is all that is read of them.
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

namespace arith = mlir::arith;

mlir::Value BehindViews(mlir::Value value) {
  while (mlir::Operation* op = value.getDefiningOp()) {
    if (!llvm::isa<tt::BroadcastOp, tt::ExpandDimsOp, tt::SplatOp>(op)) break;
    value = op->getOperand(0);
  }
  return value;
}

// The dimension of `value` that a range of its size runs along, counted from
// 0; -1 if it is no such range.
int RangeDimension(mlir::Value value) {
  auto expand = value.getDefiningOp<tt::ExpandDimsOp>();
  if (!expand) return -1;
  auto range = expand.getSrc().getDefiningOp<tt::MakeRangeOp>();
  if (!range || range.getStart() != 0) return -1;
  return expand.getAxis() == 0 ? 1 : 0;
}

// The scalar that a load's mask holds the indices along `dim` below, if that
// is all the mask says and what is masked off is zero.
mlir::Value LimitAlong(tt::LoadOp load, int dim) {
  if (!load.getMask() || !load.getOther()) return nullptr;
  mlir::Value mask = load.getMask();
  if (auto broadcast = mask.getDefiningOp<tt::BroadcastOp>()) {
    mask = broadcast.getSrc();
  }
  auto compare = mask.getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt ||
      RangeDimension(compare.getLhs()) != dim) {
    return nullptr;
  }
  auto zero =
      llvm::dyn_cast_or_null<mlir::FloatAttr>(SplatConstant(load.getOther()));
  if (!zero || !zero.getValue().isPosZero()) return nullptr;
  mlir::Value limit = BehindViews(compare.getRhs());
  return IsTensor(limit) ? nullptr : limit;
}

// Whether the pointers move by `elements` in each iteration.
bool MovesBy(mlir::scf::ForOp loop, mlir::Value pointers, int64_t elements) {
  auto argument = llvm::dyn_cast<mlir::BlockArgument>(pointers);
  if (!argument || argument.getOwner() != loop.getBody()) return false;
  mlir::Value next = loop.getYieldedValues()[argument.getArgNumber() - 1];
  auto move = next.getDefiningOp<tt::AddPtrOp>();
  if (!move || move.getPtr() != pointers) return false;
  auto constant = llvm::dyn_cast_or_null<mlir::IntegerAttr>(
      SplatConstant(move.getOffset()));
  return constant && constant.getValue().getSExtValue() == elements;
}

void RemoveRootInto(Sequence& body, uint32_t buffer) {
  for (Item& item : body) {
    if (item.kind != Item::Kind::kGroup) continue;
    llvm::erase_if(item.group->roots,
                   [&](const Root& root) { return root.buffers[0] == buffer; });
  }
  llvm::erase_if(body, [](const Item& item) {
    return item.kind == Item::Kind::kGroup && item.group->roots.empty();
  });
}

}  // namespace

void Planner::ReadRowsDirectly(Item& item, tt::DotOp op, const Item::Dot& dot) {
  auto a = op.getA().getDefiningOp<tt::LoadOp>();
  auto b = op.getB().getDefiningOp<tt::LoadOp>();
  Buffer& rows = plan_.buffers[dot.a];
  if (!a || ElementOf(a.getResult()) != rows.element || a.getIsVolatile() ||
      !llvm::isa<mlir::FloatType>(rows.element)) {
    return;
  }
  Item::DirectRows direct;
  if (a.getMask()) {
    // Where a ends, b must end too: what is not read is not multiplied.
    direct.limit = LimitAlong(a, 1);
    if (!direct.limit || !b || LimitAlong(b, 0) != direct.limit) return;
  }
  auto loop = llvm::cast<mlir::scf::ForOp>(item.op);
  const Home* home = plan_.HomeOf(a.getPtr());
  const int64_t bytes = ElementBytes(rows.element);
  if (!home || home->kind != Home::Kind::kStep ||
      !MovesBy(loop, a.getPtr(), rows.shape[1]) ||
      axes_.Along(a.getPtr(), DimMap::Identity(rows.shape), 1) !=
          Axes::Stride(bytes)) {
    return;
  }
  direct.step = home->index;
  item.direct_rows = direct;
  RemoveRootInto(item.bodies[0], dot.a);
  rows.element = ElementOf(a.getPtr());
  rows.shape.truncate(1);
  rows.row_stride = 0;
  rows.size_bytes = rows.shape[0] * ElementBytes(rows.element);
}

}  // namespace quern
