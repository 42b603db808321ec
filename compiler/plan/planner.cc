// A walk over a kernel in program order that turns operations into items.
#include "compiler/plan/planner.h"

#include "absl/strings/str_cat.h"
#include "compiler/dialect/diagnostics.h"
#include "compiler/plan/expand.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

namespace quern {
namespace {

// Evaluation recurses on expressions; deeper ones are cut by a buffer.
constexpr unsigned kDepthMax = 200;

// Costs beyond this are all the same.
constexpr unsigned kCostMax = 1000;

constexpr uint64_t kScratchBytesMax = uint64_t{256} << 20;

// Attempts after which every load that might be overtaken is materialised.
constexpr int kAttemptsMax = 12;

bool HasTensor(mlir::Operation* op) {
  auto is_tensor = [](mlir::Value value) { return IsTensor(value); };
  return llvm::any_of(op->getOperands(), is_tensor) ||
         llvm::any_of(op->getResults(), is_tensor);
}

}  // namespace

Planner::Planner(tt::FuncOp function, const TargetShape& target,
                 Decisions& decisions)
    : function_(function),
      decisions_(decisions),
      hazards_(function),
      axes_(plan_) {
  plan_.function = function;
  plan_.target = target;
}

absl::Status Planner::Run() {
  mlir::Region& body = plan_.function.getBody();
  plan_.blocks.resize(body.getBlocks().size());
  // Tensors that blocks pass each other live in buffers.
  for (mlir::Block& block : llvm::drop_begin(body)) {
    for (mlir::Value argument : block.getArguments()) {
      if (!IsTensor(argument)) continue;
      plan_.homes[argument] = {Home::Kind::kBuffer, NewBufferFor(argument)};
    }
  }
  for (auto [block, sequence] : llvm::zip(body, plan_.blocks)) {
    out_ = &sequence;
    absl::Status status = VisitBlock(block);
    if (!status.ok()) return status;
  }
  plan_.scratch_bytes = LayOutBuffers(plan_);
  if (plan_.scratch_bytes > kScratchBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat(LocationText(plan_.function.getLoc()),
                     ": the kernel's tensors need ", plan_.scratch_bytes,
                     " bytes of memory; the most is ", kScratchBytesMax));
  }
  return absl::OkStatus();
}

absl::Status Planner::VisitBlock(mlir::Block& block) {
  for (mlir::Operation& op : block) {
    axes_.Visit(&op);
    absl::Status status = VisitOperation(&op);
    if (!status.ok()) return status;
  }
  Flush();
  return absl::OkStatus();
}

absl::Status Planner::VisitOperation(mlir::Operation* op) {
  if (IsNoOp(op)) {
    Flush();
    return absl::OkStatus();
  }
  if (llvm::isa<mlir::scf::ForOp>(op)) return VisitFor(op);
  if (llvm::isa<mlir::scf::IfOp>(op)) return VisitIf(op);
  if (llvm::isa<mlir::scf::WhileOp>(op)) return VisitWhile(op);
  if (llvm::isa<mlir::cf::BranchOp, mlir::cf::CondBranchOp, tt::ReturnOp>(op)) {
    return VisitBranch(op);
  }
  if (op->hasTrait<mlir::OpTrait::IsTerminator>()) {
    return VisitTerminator(op, updates_);
  }
  if (llvm::isa<tt::CallOp, tt::PrintOp, tt::ElementwiseInlineAsmOp,
                tt::MakeTensorPtrOp, tt::AdvanceOp, tt::MakeTensorDescriptorOp>(
          op)) {
    return UnimplementedAt(op, "not supported");
  }
  if (HasTensor(op)) return VisitTensorOperation(op);
  if (op->getNumRegions() > 0) return UnimplementedAt(op, "not supported");
  return VisitScalar(op);
}

absl::Status Planner::VisitTensorOperation(mlir::Operation* op) {
  if (auto reduce = llvm::dyn_cast<tt::ReduceOp>(op)) {
    return VisitReduce(reduce);
  }
  if (auto dot = llvm::dyn_cast<tt::DotOp>(op)) return VisitDot(dot);
  if (auto cat = llvm::dyn_cast<tt::CatOp>(op)) return VisitCat(cat);
  if (auto gather = llvm::dyn_cast<tt::GatherOp>(op)) {
    return VisitGather(gather);
  }
  if (auto unsplat = llvm::dyn_cast<tt::UnsplatOp>(op)) {
    return VisitUnsplat(unsplat);
  }
  if (auto scan = llvm::dyn_cast<tt::ScanOp>(op)) {
    return VisitAlone(op, Root::Kind::kScan, scan.getAxis());
  }
  if (llvm::isa<tt::AtomicRmwOp, tt::AtomicCasOp>(op)) {
    return VisitAlone(op, Root::Kind::kAtomic, -1);
  }
  if (llvm::isa<tt::HistogramOp>(op)) {
    return VisitAlone(op, Root::Kind::kHistogram, -1);
  }
  if (llvm::isa<tt::AssertOp>(op)) {
    return VisitAlone(op, Root::Kind::kAssert, -1);
  }
  if (llvm::isa<tt::StoreOp>(op)) {
    if (!IsTensor(op->getOperand(0))) {
      return UnimplementedAt(op, "a store through a block pointer");
    }
    Root root;
    root.kind = Root::Kind::kStore;
    root.op = op;
    return AddRoot(std::move(root), ShapeOf(op->getOperand(0)), -1, op);
  }
  auto reshape = llvm::dyn_cast<tt::ReshapeOp>(op);
  if (reshape && !IsUnitReshape(op)) return VisitReshape(reshape);
  if (llvm::isa<tt::LoadOp>(op) && !IsTensor(op->getOperand(0))) {
    return UnimplementedAt(op, "a load through a block pointer");
  }
  if (IsElementwise(op) || IsView(op) ||
      llvm::isa<tt::LoadOp, tt::MakeRangeOp, mlir::arith::ConstantOp,
                mlir::ub::PoisonOp>(op)) {
    return VisitInline(op);
  }
  return UnimplementedAt(op, "not supported");
}

// Whether the elements of `value` are evenly spaced along every dimension.
bool Planner::IsAffine(mlir::Value value) const {
  return llvm::all_of(axes_.Of(value), [](Axes::Stride s) { return s; });
}

absl::Status Planner::VisitInline(mlir::Operation* op) {
  if (accumulators_.contains(op)) {
    const uint32_t index = accumulators_[op];
    Root root;
    root.kind = Root::Kind::kAccumulate;
    root.op = op;
    root.value = plan_.accumulators[index].source;
    root.index = index;
    return AddRoot(std::move(root), ShapeOf(root.value), 0, op);
  }
  unsigned depth = 1;
  unsigned cost = IsView(op) ? 0 : 1;
  for (mlir::Value operand : op->getOperands()) {
    depth = std::max(depth, depths_.lookup(operand) + 1);
    cost = std::min(cost + costs_.lookup(operand), kCostMax);
  }
  for (mlir::Value result : op->getResults()) {
    const bool keep = decisions_.materialise.contains(result) ||
                      (depth >= kDepthMax && !axes_.IsUniform(result));
    depths_[result] = keep ? 0 : depth;
    const bool is_cheap = keep || axes_.IsUniform(result) || IsAffine(result);
    costs_[result] = is_cheap ? 0 : cost;
    if (!keep || result.use_empty()) continue;
    const uint32_t buffer = NewBufferFor(result);
    absl::Status status = Materialise(result, buffer, op);
    if (!status.ok()) return status;
    plan_.homes[result] = {Home::Kind::kBuffer, buffer};
    pending_->group.materialised.insert(result);
  }
  return absl::OkStatus();
}

absl::Status Planner::VisitScalar(mlir::Operation* op) {
  const bool reads = llvm::isa<tt::LoadOp>(op);
  const bool acts =
      llvm::isa<tt::StoreOp, tt::AtomicRmwOp, tt::AtomicCasOp, tt::AssertOp>(
          op);
  if (!acts && op->use_empty()) return absl::OkStatus();
  if (pending_) {
    const bool waits = llvm::any_of(op->getOperands(), [&](mlir::Value v) {
      return pending_->scalars.contains(v);
    });
    if (waits || acts || (reads && !pending_->stores.empty())) Flush();
  }
  Item item;
  item.kind = Item::Kind::kScalar;
  item.op = op;
  Push(std::move(item));
  return absl::OkStatus();
}

absl::Status Planner::VisitUnsplat(tt::UnsplatOp op) {
  Flush();
  const llvm::SmallVector<Use, 4> uses =
      Reads(llvm::cast<mlir::OpResult>(op.getResult()), DimMap());
  pending_ = std::make_unique<Pending>();
  CheckLoads(Root{Root::Kind::kCopy}, uses, op);
  pending_.reset();
  return VisitScalar(op);
}

absl::Status Planner::VisitReshape(tt::ReshapeOp op) {
  const Home* home = plan_.HomeOf(op.getSrc());
  if (axes_.IsUniform(op.getSrc())) return VisitInline(op);
  uint32_t buffer;
  if (home && home->kind == Home::Kind::kBuffer) {
    buffer = home->index;
  } else {
    buffer = NewBufferFor(op.getSrc());
    absl::Status status = Materialise(op.getSrc(), buffer, op);
    if (!status.ok()) return status;
  }
  plan_.homes[op.getResult()] = {Home::Kind::kBuffer, buffer};
  return absl::OkStatus();
}

absl::Status Planner::VisitCat(tt::CatOp op) {
  const uint32_t whole = NewBufferFor(op.getResult());
  uint64_t offset_bytes = 0;
  for (mlir::Value half : op->getOperands()) {
    const uint32_t part = NewBufferFor(half);
    plan_.buffers[part].parent = static_cast<int>(whole);
    plan_.buffers[part].parent_offset_bytes = offset_bytes;
    offset_bytes += plan_.buffers[part].size_bytes;
    absl::Status status = Materialise(half, part, op);
    if (!status.ok()) return status;
  }
  Flush();
  plan_.homes[op.getResult()] = {Home::Kind::kBuffer, whole};
  return absl::OkStatus();
}

absl::Status Planner::VisitGather(tt::GatherOp op) {
  const Home* home = plan_.HomeOf(op.getSrc());
  if (home && home->kind == Home::Kind::kBuffer) {
    plan_.gather_sources[op] = home->index;
  } else {
    const uint32_t buffer = NewBufferFor(op.getSrc());
    absl::Status status = Materialise(op.getSrc(), buffer, op);
    if (!status.ok()) return status;
    plan_.gather_sources[op] = buffer;
  }
  return VisitInline(op);
}

absl::Status Planner::VisitReduce(tt::ReduceOp op) {
  if (op->use_empty()) return absl::OkStatus();
  const Home* home = plan_.HomeOf(op.getSrcs()[0]);
  if (home && home->kind == Home::Kind::kAccumulator) {
    Flush();
    Item item;
    item.kind = Item::Kind::kFinish;
    item.op = op;
    Push(std::move(item));
    return absl::OkStatus();
  }
  Root root;
  root.kind = Root::Kind::kReduce;
  root.op = op;
  for (mlir::Value result : op->getResults()) {
    if (IsTensor(result)) root.buffers.push_back(NewBufferFor(result));
  }
  const llvm::SmallVector<uint32_t, 1> buffers = root.buffers;
  absl::Status status =
      AddRoot(std::move(root), ShapeOf(op.getSrcs()[0]), op.getAxis(), op);
  if (!status.ok()) return status;
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    if (buffers.empty()) {
      pending_->scalars.insert(result);
    } else {
      plan_.homes[result] = {Home::Kind::kBuffer, buffers[i]};
    }
  }
  return absl::OkStatus();
}

absl::Status Planner::VisitAlone(mlir::Operation* op, Root::Kind kind,
                                 int axis) {
  Root root;
  root.kind = kind;
  root.op = op;
  for (mlir::Value result : op->getResults()) {
    if (result.use_empty() && kind == Root::Kind::kAtomic) continue;
    root.buffers.push_back(NewBufferFor(result));
    plan_.homes[result] = {Home::Kind::kBuffer, root.buffers.back()};
  }
  mlir::Value shaped = op->getOperand(0);
  absl::Status status = AddRoot(std::move(root), ShapeOf(shaped), axis, op);
  if (!status.ok()) return status;
  Flush();
  return absl::OkStatus();
}

absl::StatusOr<Plan> BuildPlan(tt::FuncOp function, const TargetShape& target) {
  if (absl::Status status = ExpandOperations(function); !status.ok()) {
    return status;
  }
  Decisions decisions;
  for (int attempt = 0;; ++attempt) {
    const size_t known = decisions.size();
    Planner planner(function, target, decisions);
    absl::Status status = planner.Run();
    if (!status.ok()) return status;
    if (decisions.size() == known) return planner.Take();
    if (attempt < kAttemptsMax) continue;
    if (attempt > 2 * kAttemptsMax) {
      return UnimplementedAt(function, "no plan was found for this kernel");
    }
    function.walk([&](tt::LoadOp load) {
      if (IsTensor(load.getResult())) {
        decisions.materialise.insert(load.getResult());
      }
    });
  }
}

}  // namespace quern
