// Plans of loops, conditionals and branches: what is carried, and where.
#include "compiler/dialect/diagnostics.h"
#include "compiler/plan/identity.h"
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

// Whether all elements of `value` are one number that scalars alone decide.
bool IsSplatLike(mlir::Value value, unsigned depth = 8) {
  mlir::Operation* op = value.getDefiningOp();
  if (!op || depth == 0) return false;
  if (SplatConstant(value) || llvm::isa<tt::SplatOp>(op)) return true;
  if (!IsElementwise(op) && !IsView(op)) return false;
  return llvm::all_of(op->getOperands(), [&](mlir::Value operand) {
    return !IsTensor(operand) || IsSplatLike(operand, depth - 1);
  });
}

// Whether `next` is `carried` plus the same number for all elements.
bool IsStepOf(mlir::Value next, mlir::Value carried) {
  for (unsigned i = 0; i < 16; ++i) {
    if (next == carried) return true;
    mlir::Operation* op = next.getDefiningOp();
    if (!op) return false;
    if (llvm::isa<tt::AddPtrOp>(op) && IsSplatLike(op->getOperand(1))) {
      next = op->getOperand(0);
    } else if (llvm::isa<mlir::arith::AddIOp>(op)) {
      const bool right = IsSplatLike(op->getOperand(1));
      if (!right && !IsSplatLike(op->getOperand(0))) return false;
      next = op->getOperand(right ? 0 : 1);
    } else {
      return false;
    }
  }
  return false;
}

}  // namespace

absl::Status Planner::VisitBody(mlir::Block& block, Sequence& out) {
  Sequence* const outer = out_;
  out_ = &out;
  absl::Status status = VisitBlock(block);
  out_ = outer;
  return status;
}

bool Planner::CarryAsStep(mlir::Operation* op, unsigned i, Item& item) {
  auto loop = llvm::cast<mlir::scf::ForOp>(op);
  mlir::Value argument = loop.getRegionIterArgs()[i];
  const mlir::Type element = ElementOf(argument);
  if (!element.isSignlessInteger() && !llvm::isa<tt::PointerType>(element)) {
    return false;
  }
  if (!IsStepOf(loop.getYieldedValues()[i], argument)) return false;
  item.carried.push_back(
      {Carried::Kind::kStep, static_cast<uint32_t>(plan_.steps.size())});
  plan_.steps.push_back({loop.getInitArgs()[i]});
  for (mlir::Value value : {argument, mlir::Value(loop.getResult(i))}) {
    plan_.homes[value] = {Home::Kind::kStep, item.carried.back().index};
    axes_.SetLike(value, loop.getInitArgs()[i]);
  }
  return true;
}

bool Planner::CarryAsAccumulator(mlir::Operation* op, unsigned i, Item& item) {
  auto loop = llvm::cast<mlir::scf::ForOp>(op);
  mlir::Value argument = loop.getRegionIterArgs()[i];
  mlir::Value next = loop.getYieldedValues()[i];
  mlir::Operation* combine = next.getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 ||
      combine->getBlock() != loop.getBody() || !argument.hasOneUse() ||
      !next.hasOneUse() || ShapeOf(argument).size() != 1) {
    return false;
  }
  const bool left = combine->getOperand(0) == argument;
  if (!left && combine->getOperand(1) != argument) return false;
  if (!IsIdentityOf(combine, SplatConstant(loop.getInitArgs()[i]))) {
    return false;
  }
  for (mlir::Operation* user : loop.getResult(i).getUsers()) {
    auto reduce = llvm::dyn_cast<tt::ReduceOp>(user);
    if (!reduce || reduce.getSrcs().size() != 1) return false;
    mlir::Operation* single = SingleCombine(reduce.getCombineOp());
    if (!single || single->getName() != combine->getName()) return false;
  }
  Accumulator accumulator;
  accumulator.combine = combine;
  accumulator.source = combine->getOperand(left ? 1 : 0);
  const uint32_t index = plan_.accumulators.size();
  accumulators_[combine] = index;
  plan_.accumulators.push_back(accumulator);
  item.carried.push_back({Carried::Kind::kAccumulator, index});
  plan_.homes[loop.getResult(i)] = {Home::Kind::kAccumulator, index};
  return true;
}

absl::Status Planner::CarryIn(mlir::Operation* op, Item& item) {
  auto loop = llvm::cast<mlir::scf::ForOp>(op);
  for (unsigned i = 0; i < loop.getNumRegionIterArgs(); ++i) {
    mlir::Value argument = loop.getRegionIterArgs()[i];
    if (!IsTensor(argument)) {
      item.carried.push_back({});
      continue;
    }
    if (CarryAsStep(op, i, item) || CarryAsAccumulator(op, i, item)) continue;
    const uint32_t buffer = NewBufferFor(argument);
    absl::Status status = Materialise(loop.getInitArgs()[i], buffer, op);
    if (!status.ok()) return status;
    plan_.homes[argument] = {Home::Kind::kBuffer, buffer};
    plan_.homes[loop.getResult(i)] = {Home::Kind::kBuffer, buffer};
    item.carried.push_back({Carried::Kind::kBuffer, buffer});
  }
  return absl::OkStatus();
}

absl::Status Planner::VisitFor(mlir::Operation* op) {
  Item item;
  item.kind = Item::Kind::kFor;
  item.op = op;
  item.bodies.resize(1);
  absl::Status status = CarryIn(op, item);
  if (!status.ok()) return status;
  Flush();
  auto loop = llvm::cast<mlir::scf::ForOp>(op);
  llvm::SmallVector<Update> updates;
  for (auto [i, carried] : llvm::enumerate(item.carried)) {
    if (carried.kind != Carried::Kind::kBuffer) continue;
    updates.push_back(
        {loop.getYieldedValues()[i], carried.index, static_cast<unsigned>(i)});
  }
  std::swap(updates, updates_);
  status = VisitBody(*loop.getBody(), item.bodies[0]);
  std::swap(updates, updates_);
  if (!status.ok()) return status;
  ChunkDotLoop(item);
  Push(std::move(item));
  return absl::OkStatus();
}

absl::Status Planner::VisitIf(mlir::Operation* op) {
  Flush();
  Item item;
  item.kind = Item::Kind::kIf;
  item.op = op;
  item.bodies.resize(2);
  for (mlir::Value result : op->getResults()) {
    if (!IsTensor(result)) continue;
    plan_.homes[result] = {Home::Kind::kBuffer, NewBufferFor(result)};
  }
  for (unsigned i = 0; i < 2; ++i) {
    mlir::Region& region = op->getRegion(i);
    if (region.empty()) continue;
    llvm::SmallVector<Update> updates;
    mlir::Operation* end = region.front().getTerminator();
    for (auto [k, result] : llvm::enumerate(op->getResults())) {
      if (!IsTensor(result)) continue;
      updates.push_back({end->getOperand(k), plan_.homes[result].index,
                         static_cast<unsigned>(k)});
    }
    std::swap(updates, updates_);
    absl::Status status = VisitBody(region.front(), item.bodies[i]);
    std::swap(updates, updates_);
    if (!status.ok()) return status;
  }
  Push(std::move(item));
  return absl::OkStatus();
}

absl::Status Planner::VisitWhile(mlir::Operation* op) {
  auto loop = llvm::cast<mlir::scf::WhileOp>(op);
  Item item;
  item.kind = Item::Kind::kWhile;
  item.op = op;
  item.bodies.resize(2);
  llvm::SmallVector<Update> before, after;
  mlir::Block* first = loop.getBeforeBody();
  mlir::Block* second = loop.getAfterBody();
  for (auto [i, argument] : llvm::enumerate(first->getArguments())) {
    if (!IsTensor(argument)) continue;
    const uint32_t buffer = NewBufferFor(argument);
    absl::Status status = Materialise(loop.getInits()[i], buffer, op);
    if (!status.ok()) return status;
    plan_.homes[argument] = {Home::Kind::kBuffer, buffer};
    after.push_back({second->getTerminator()->getOperand(i), buffer,
                     static_cast<unsigned>(i)});
  }
  Flush();
  for (auto [i, argument] : llvm::enumerate(second->getArguments())) {
    if (!IsTensor(argument)) continue;
    const uint32_t buffer = NewBufferFor(argument);
    plan_.homes[argument] = {Home::Kind::kBuffer, buffer};
    plan_.homes[loop.getResult(i)] = {Home::Kind::kBuffer, buffer};
    before.push_back({first->getTerminator()->getOperand(i + 1), buffer,
                      static_cast<unsigned>(i + 1)});
  }
  for (auto [block, updates, body] :
       {std::tuple{first, &before, &item.bodies[0]},
        std::tuple{second, &after, &item.bodies[1]}}) {
    std::swap(*updates, updates_);
    absl::Status status = VisitBody(*block, *body);
    std::swap(*updates, updates_);
    if (!status.ok()) return status;
  }
  Push(std::move(item));
  return absl::OkStatus();
}

// Writes the new values of carried tensors. A new value is computed from the
// old ones, so it must not overwrite one that is still to be read.
absl::Status Planner::VisitTerminator(mlir::Operation* op,
                                      llvm::ArrayRef<Update> updates) {
  llvm::SmallVector<std::pair<uint32_t, uint32_t>> copies;
  llvm::SmallVector<const Update*> written;
  for (const Update& update : updates) {
    const Home* home = plan_.HomeOf(update.value);
    if (home && home->kind == Home::Kind::kBuffer &&
        home->index == update.buffer) {
      continue;
    }
    uint32_t target = update.buffer;
    if (decisions_.temporaries.contains({op, update.operand})) {
      target = NewBufferFor(update.value);
      copies.push_back({target, update.buffer});
    }
    absl::Status status = Materialise(update.value, target, op);
    if (!status.ok()) return status;
    if (target == update.buffer) written.push_back(&update);
    const DimMap identity = DimMap::Identity(ShapeOf(update.value));
    const Use use{update.value, identity};
    WalkExpressions(plan_, use, pending_->group.materialised, [&](Use leaf) {
      const Home* read = plan_.HomeOf(leaf.value);
      if (!read || read->kind != Home::Kind::kBuffer) return;
      for (const Update* other : written) {
        if (read->index != other->buffer) continue;
        const bool same_tile = pending_->written.contains(other->buffer) &&
                               leaf.map.rank() == identity.rank() &&
                               leaf.map.key() == identity.key();
        if (!same_tile) decisions_.temporaries.insert({op, other->operand});
      }
    });
  }
  if (!copies.empty()) Flush();
  for (auto [from, to] : copies) {
    Root root;
    root.kind = Root::Kind::kCopy;
    root.op = op;
    root.index = from;
    root.buffers.push_back(to);
    absl::Status status =
        AddRoot(std::move(root), plan_.buffers[to].shape, -1, op);
    if (!status.ok()) return status;
  }
  Flush();
  return absl::OkStatus();
}

absl::Status Planner::VisitBranch(mlir::Operation* op) {
  Flush();
  if (llvm::isa<tt::ReturnOp>(op) && op->getNumOperands() > 0) {
    return UnimplementedAt(op, "a kernel that returns a value");
  }
  Item item;
  item.kind = Item::Kind::kBranch;
  item.op = op;
  item.bodies.resize(op->getNumSuccessors());
  auto branch = llvm::dyn_cast<mlir::BranchOpInterface>(op);
  for (unsigned i = 0; i < op->getNumSuccessors(); ++i) {
    llvm::SmallVector<Update> updates;
    mlir::SuccessorOperands operands = branch.getSuccessorOperands(i);
    for (auto [k, argument] :
         llvm::enumerate(op->getSuccessor(i)->getArguments())) {
      if (!IsTensor(argument)) continue;
      updates.push_back({operands[k], plan_.homes[argument].index,
                         operands.getOperandIndex(k)});
    }
    Sequence* const outer = out_;
    out_ = &item.bodies[i];
    absl::Status status = VisitTerminator(op, updates);
    out_ = outer;
    if (!status.ok()) return status;
  }
  Push(std::move(item));
  return absl::OkStatus();
}

}  // namespace quern
