// Plans of matrix products: operands and the accumulator in buffers.
#include "compiler/dialect/diagnostics.h"
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

// The type in which products are made and summed.
mlir::Type ComputeType(mlir::Type operand) {
  mlir::Builder builder(operand.getContext());
  if (operand.isSignlessInteger()) return builder.getI32Type();
  if (operand.isF64()) return operand;
  return builder.getF32Type();
}

}  // namespace

// The buffer of an operand. It is copied, and converted to the type in which
// products are made, unless it is in such a buffer already.
uint32_t Planner::DotOperand(mlir::Value value, tt::DotOp op) {
  const mlir::Type compute = ComputeType(ElementOf(value));
  const Home* home = plan_.HomeOf(value);
  if (home && home->kind == Home::Kind::kBuffer &&
      plan_.buffers[home->index].element == compute) {
    return home->index;
  }
  (void)op;
  return NewBuffer(ShapeOf(value), compute);
}

// If the accumulator is a tensor that a loop carries, used once and perhaps
// scaled on the way, and the product is its new value: the loop's buffer.
std::optional<uint32_t> Planner::CarriedBuffer(tt::DotOp op) {
  if (!op.getResult().hasOneUse()) return std::nullopt;
  auto loop = llvm::dyn_cast<mlir::scf::ForOp>(op->getParentOp());
  mlir::OpOperand& use = *op.getResult().getUses().begin();
  if (!loop || !llvm::isa<mlir::scf::YieldOp>(use.getOwner())) {
    return std::nullopt;
  }
  mlir::Value carried = loop.getRegionIterArgs()[use.getOperandNumber()];
  const Home* home = plan_.HomeOf(carried);
  if (!carried.hasOneUse() || !home || home->kind != Home::Kind::kBuffer) {
    return std::nullopt;
  }
  // Follow the only user of each value from the carried tensor to the dot.
  mlir::Value at = carried;
  while (true) {
    mlir::OpOperand& next = *at.getUses().begin();
    if (next.getOwner() == op) {
      return next.getOperandNumber() == 2 ? std::optional(home->index)
                                          : std::nullopt;
    }
    mlir::Operation* user = next.getOwner();
    if (!IsElementwise(user) || user->getBlock() != op->getBlock() ||
        !user->getResult(0).hasOneUse() || plan_.HomeOf(user->getResult(0))) {
      return std::nullopt;
    }
    at = user->getResult(0);
  }
}

absl::Status Planner::VisitDot(tt::DotOp op) {
  const mlir::Type compute = ComputeType(ElementOf(op.getA()));
  const mlir::Type result = ElementOf(op.getD());
  if (ElementOf(op.getA()).isSignlessInteger() != result.isSignlessInteger() ||
      (result.isSignlessInteger() && !result.isSignlessInteger(32)) ||
      (result.isF64() != compute.isF64())) {
    return UnimplementedAt(op, "a product of these element types");
  }
  Item item;
  item.kind = Item::Kind::kDot;
  item.op = op;
  for (auto [value, buffer] :
       {std::pair<mlir::Value, uint32_t*>{op.getA(), &item.dot.a},
        std::pair<mlir::Value, uint32_t*>{op.getB(), &item.dot.b}}) {
    *buffer = DotOperand(value, op);
    const Home* home = plan_.HomeOf(value);
    if (home && home->kind == Home::Kind::kBuffer && home->index == *buffer) {
      continue;
    }
    absl::Status status = Materialise(value, *buffer, op);
    if (!status.ok()) return status;
  }
  const std::optional<uint32_t> carried = CarriedBuffer(op);
  item.dot.d = carried ? *carried : NewBufferFor(op.getD());
  const Home* accumulator = plan_.HomeOf(op.getC());
  if (!accumulator || accumulator->index != item.dot.d ||
      accumulator->kind != Home::Kind::kBuffer) {
    absl::Status status = Materialise(op.getC(), item.dot.d, op);
    if (!status.ok()) return status;
  }
  Flush();
  Push(std::move(item));
  plan_.homes[op.getD()] = {Home::Kind::kBuffer, item.dot.d};
  return absl::OkStatus();
}

}  // namespace quern
