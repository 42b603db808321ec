// Loops, conditionals and branches.
//
// Scalars that are carried live in slots, which SROA turns into phis; tensors
// live in buffers, which the plan's groups write.
#include "compiler/emit/emit_context.h"
#include "compiler/emit/tile.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

using Slots = llvm::SmallVector<llvm::AllocaInst*>;

// One slot for each scalar among `values`; null for tensors.
Slots NewSlots(EmitContext& c, mlir::ValueRange values) {
  Slots slots;
  for (mlir::Value value : values) {
    slots.push_back(IsTensor(value) ? nullptr
                                    : c.NewSlot(RegisterType(c.context(),
                                                             value.getType())));
  }
  return slots;
}

// Stores all values at once: none of them is read after another is written.
void StoreAll(EmitContext& c, mlir::ValueRange values, const Slots& slots) {
  llvm::SmallVector<llvm::Value*> scalars;
  for (auto [value, slot] : llvm::zip(values, slots)) {
    scalars.push_back(slot ? c.Scalar(value) : nullptr);
  }
  for (auto [scalar, slot] : llvm::zip(scalars, slots)) {
    if (slot) c.b.CreateStore(scalar, slot);
  }
}

void LoadAll(EmitContext& c, mlir::ValueRange values, const Slots& slots) {
  for (auto [value, slot] : llvm::zip(values, slots)) {
    if (slot) c.scalars[value] = c.Load(slot);
  }
}

// By how much a carried tensor grows in one iteration, in elements.
llvm::Value* StepOf(EmitContext& c, mlir::Value next, mlir::Value carried) {
  llvm::Value* sum = c.I64(0);
  while (next != carried) {
    mlir::Operation* op = next.getDefiningOp();
    // The planner made sure that one operand leads back to the tensor.
    unsigned rest = 0;
    if (llvm::isa<mlir::arith::AddIOp>(op)) {
      auto leads = [&](mlir::Value value) {
        while (value != carried) {
          mlir::Operation* from = value.getDefiningOp();
          if (!from || !llvm::isa<mlir::arith::AddIOp>(from)) return false;
          value = from->getOperand(0);
        }
        return true;
      };
      rest = leads(op->getOperand(0)) ? 0 : 1;
    }
    mlir::Value moved = op->getOperand(1 - rest);
    Tile tile(c);
    llvm::Value* step = tile.Lanes(moved, DimMap::Zero(ShapeOf(moved).size()));
    sum = c.b.CreateAdd(sum, c.b.CreateSExt(step, c.b.getInt64Ty()));
    next = op->getOperand(rest);
  }
  return sum;
}

void StartCarried(EmitContext& c, const Item& item) {
  for (const Carried& carried : item.carried) {
    if (carried.kind == Carried::Kind::kStep) {
      if (!c.steps[carried.index]) {
        c.steps[carried.index] = c.NewSlot(c.b.getInt64Ty());
      }
      c.b.CreateStore(c.I64(0), c.steps[carried.index]);
    } else if (carried.kind == Carried::Kind::kAccumulator) {
      InitAccumulator(c, carried.index);
    }
  }
}

void AdvanceSteps(EmitContext& c, const Item& item, mlir::scf::ForOp loop) {
  llvm::SmallVector<std::pair<llvm::AllocaInst*, llvm::Value*>> next;
  for (auto [i, carried] : llvm::enumerate(item.carried)) {
    if (carried.kind != Carried::Kind::kStep) continue;
    llvm::Value* step =
        StepOf(c, loop.getYieldedValues()[i], loop.getRegionIterArgs()[i]);
    llvm::AllocaInst* slot = c.steps[carried.index];
    next.push_back({slot, c.b.CreateAdd(c.Load(slot), step)});
  }
  for (auto [slot, value] : next) c.b.CreateStore(value, slot);
}

// A loop around a product: iterations pack operands until a chunk is full or
// the loop ends, then the chunk is multiplied.
class ChunkedLoop {
 public:
  ChunkedLoop(EmitContext& context, const Item& item)
      : c_(context),
        item_(item),
        loop_(llvm::cast<mlir::scf::ForOp>(item.op)),
        slots_(NewSlots(context, loop_.getRegionIterArgs())),
        depth_(context.NewSlot(context.b.getInt64Ty())) {
    for (const Item& part : item.bodies[0]) {
      if (part.kind == Item::Kind::kDot) dot_ = &part;
    }
  }

  void Run() {
    StoreAll(c_, loop_.getInitArgs(), slots_);
    StartCarried(c_, item_);
    if (item_.direct_rows) FindRows();
    llvm::Value* begin = c_.Scalar(loop_.getLowerBound());
    end_ = c_.Scalar(loop_.getUpperBound());
    step_ = c_.Scalar(loop_.getStep());
    index_ = c_.NewSlot(begin->getType());
    c_.b.CreateStore(begin, index_);
    llvm::BasicBlock* chunk = c_.NewBlock("chunk");
    llvm::BasicBlock* pack = c_.NewBlock("pack");
    llvm::BasicBlock* multiply = c_.NewBlock("multiply");
    llvm::BasicBlock* after = c_.NewBlock("chunks.after");
    c_.b.CreateCondBr(c_.b.CreateICmpSLT(begin, end_), chunk, after);
    c_.b.SetInsertPoint(chunk);
    c_.b.CreateStore(c_.I64(0), depth_);
    llvm::Value* moved = item_.direct_rows
                             ? c_.Load(c_.steps[item_.direct_rows->step])
                             : nullptr;
    c_.b.CreateBr(pack);
    c_.b.SetInsertPoint(pack);
    llvm::Value* more = Pack();
    llvm::Value* room =
        c_.b.CreateICmpSLT(c_.Load(depth_), c_.I64(item_.chunk));
    c_.b.CreateCondBr(c_.b.CreateAnd(more, room), pack, multiply);
    c_.b.SetInsertPoint(multiply);
    EmitDotChunk(c_, item_, *dot_, c_.Load(depth_), moved);
    c_.b.CreateCondBr(c_.b.CreateICmpSLT(c_.Load(index_), end_), chunk, after);
    c_.b.SetInsertPoint(after);
    LoadAll(c_, loop_.getResults(), slots_);
  }

 private:
  // The addresses of the rows of a before the loop.
  void FindRows() {
    Group rows;
    llvm::append_range(rows.shape, ShapeOf(dot_->op->getOperand(0)));
    rows.vector_dim = 1;
    mlir::Value first = c_.plan.steps[item_.direct_rows->step].init;
    c_.Loop(c_.I64(0), c_.I64(rows.shape[0]), 1, [&](llvm::Value* row) {
      Tile tile(c_, rows, {row, c_.I64(0)}, 1);
      llvm::Value* address = tile.Lanes(first, DimMap::Identity(rows.shape));
      c_.b.CreateStore(address, c_.b.CreateGEP(c_.b.getInt64Ty(),
                                               c_.buffers[dot_->dot.a], row));
    });
  }

  // How many elements of K this iteration has: fewer than a block only where
  // the rows of a end.
  llvm::Value* StepDepth(int64_t block) {
    if (!item_.direct_rows || !item_.direct_rows->limit) return c_.I64(block);
    llvm::Value* limit =
        c_.b.CreateSExt(c_.Scalar(item_.direct_rows->limit), c_.b.getInt64Ty());
    limit =
        c_.b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, limit, c_.I64(block));
    return c_.b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, limit, c_.I64(0));
  }

  // The part of one iteration before and after its dot. Returns whether there
  // are more that go on where this one ends.
  llvm::Value* Pack() {
    c_.scalars[loop_.getInductionVar()] = c_.Load(index_);
    LoadAll(c_, loop_.getRegionIterArgs(), slots_);
    llvm::Value*& a = c_.buffers[dot_->dot.a];
    llvm::Value*& b = c_.buffers[dot_->dot.b];
    llvm::Value* const whole[2] = {a, b};
    const Buffer& panels = c_.plan.buffers[dot_->dot.b];
    llvm::Type* element = RegisterType(c_.context(), panels.element);
    llvm::Value* depth = c_.Load(depth_);
    if (!item_.direct_rows) a = c_.b.CreateGEP(element, a, depth);
    b = c_.b.CreateGEP(element, b,
                       c_.b.CreateMul(depth, c_.I64(panels.panel_columns)));
    for (const Item& part : item_.bodies[0]) {
      if (&part != dot_) EmitItem(c_, part);
    }
    a = whole[0];
    b = whole[1];
    StoreAll(c_, loop_.getYieldedValues(), slots_);
    AdvanceSteps(c_, item_, loop_);
    const int64_t block = panels.shape[0];
    llvm::Value* step_depth = StepDepth(block);
    c_.b.CreateStore(c_.b.CreateAdd(depth, step_depth), depth_);
    llvm::Value* next = c_.b.CreateAdd(c_.Load(index_), step_);
    c_.b.CreateStore(next, index_);
    return c_.b.CreateAnd(c_.b.CreateICmpSLT(next, end_),
                          c_.b.CreateICmpEQ(step_depth, c_.I64(block)));
  }

  EmitContext& c_;
  const Item& item_;
  mlir::scf::ForOp loop_;
  const Slots slots_;
  llvm::AllocaInst* index_ = nullptr;
  llvm::AllocaInst* depth_;  // Elements of K that are packed.
  const Item* dot_ = nullptr;
  llvm::Value* end_ = nullptr;
  llvm::Value* step_ = nullptr;
};

void EmitForInChunks(EmitContext& c, const Item& item) {
  ChunkedLoop(c, item).Run();
}

}  // namespace

void EmitFor(EmitContext& c, const Item& item) {
  if (item.chunk > 0) return EmitForInChunks(c, item);
  auto loop = llvm::cast<mlir::scf::ForOp>(item.op);
  const Slots slots = NewSlots(c, loop.getRegionIterArgs());
  StoreAll(c, loop.getInitArgs(), slots);
  StartCarried(c, item);
  llvm::Value* begin = c.Scalar(loop.getLowerBound());
  llvm::Value* end = c.Scalar(loop.getUpperBound());
  llvm::Value* step = c.Scalar(loop.getStep());
  llvm::BasicBlock* before = c.NewBlock("for.before");
  llvm::BasicBlock* body = c.NewBlock("for");
  llvm::BasicBlock* after = c.NewBlock("for.after");
  c.b.CreateCondBr(c.b.CreateICmpSLT(begin, end), before, after);
  c.b.SetInsertPoint(before);
  c.b.CreateBr(body);
  c.b.SetInsertPoint(body);
  llvm::PHINode* index = c.b.CreatePHI(begin->getType(), 2);
  index->addIncoming(begin, before);
  c.scalars[loop.getInductionVar()] = index;
  LoadAll(c, loop.getRegionIterArgs(), slots);
  EmitSequence(c, item.bodies[0]);
  StoreAll(c, loop.getYieldedValues(), slots);
  AdvanceSteps(c, item, loop);
  llvm::Value* next = c.b.CreateAdd(index, step);
  index->addIncoming(next, c.b.GetInsertBlock());
  c.b.CreateCondBr(c.b.CreateICmpSLT(next, end), body, after);
  c.b.SetInsertPoint(after);
  LoadAll(c, loop.getResults(), slots);
}

void EmitIf(EmitContext& c, const Item& item) {
  auto conditional = llvm::cast<mlir::scf::IfOp>(item.op);
  const Slots slots = NewSlots(c, conditional.getResults());
  llvm::BasicBlock* arms[2] = {c.NewBlock("if"), c.NewBlock("else")};
  llvm::BasicBlock* after = c.NewBlock("if.after");
  c.b.CreateCondBr(c.Scalar(conditional.getCondition()), arms[0], arms[1]);
  for (unsigned i = 0; i < 2; ++i) {
    c.b.SetInsertPoint(arms[i]);
    mlir::Region& region = item.op->getRegion(i);
    if (!region.empty()) {
      EmitSequence(c, item.bodies[i]);
      StoreAll(c, region.front().getTerminator()->getOperands(), slots);
    }
    c.b.CreateBr(after);
  }
  c.b.SetInsertPoint(after);
  LoadAll(c, conditional.getResults(), slots);
}

void EmitWhile(EmitContext& c, const Item& item) {
  auto loop = llvm::cast<mlir::scf::WhileOp>(item.op);
  const Slots before = NewSlots(c, loop.getBeforeArguments());
  const Slots after = NewSlots(c, loop.getAfterArguments());
  StoreAll(c, loop.getInits(), before);
  llvm::BasicBlock* test = c.NewBlock("while");
  llvm::BasicBlock* body = c.NewBlock("do");
  llvm::BasicBlock* end = c.NewBlock("while.after");
  c.b.CreateBr(test);
  c.b.SetInsertPoint(test);
  LoadAll(c, loop.getBeforeArguments(), before);
  EmitSequence(c, item.bodies[0]);
  auto condition = loop.getConditionOp();
  StoreAll(c, condition.getArgs(), after);
  c.b.CreateCondBr(c.Scalar(condition.getCondition()), body, end);
  c.b.SetInsertPoint(body);
  LoadAll(c, loop.getAfterArguments(), after);
  EmitSequence(c, item.bodies[1]);
  StoreAll(c, loop.getYieldOp().getOperands(), before);
  c.b.CreateBr(test);
  c.b.SetInsertPoint(end);
  LoadAll(c, loop.getResults(), after);
}

void EmitBranch(EmitContext& c, const Item& item) {
  if (llvm::isa<tt::ReturnOp>(item.op)) {
    c.b.CreateBr(c.next_program);
    return;
  }
  llvm::SmallVector<llvm::BasicBlock*, 2> edges;
  for (size_t i = 0; i < item.bodies.size(); ++i) {
    edges.push_back(c.NewBlock("edge"));
  }
  if (auto branch = llvm::dyn_cast<mlir::cf::CondBranchOp>(item.op)) {
    c.b.CreateCondBr(c.Scalar(branch.getCondition()), edges[0], edges[1]);
  } else {
    c.b.CreateBr(edges[0]);
  }
  auto branch = llvm::cast<mlir::BranchOpInterface>(item.op);
  for (auto [i, edge] : llvm::enumerate(edges)) {
    c.b.SetInsertPoint(edge);
    EmitSequence(c, item.bodies[i]);
    mlir::Block* target = item.op->getSuccessor(i);
    Slots slots;
    for (mlir::Value argument : target->getArguments()) {
      slots.push_back(c.block_slots.lookup(argument));
    }
    StoreAll(c, branch.getSuccessorOperands(i).getForwardedOperands(), slots);
    c.b.CreateBr(c.blocks[target]);
  }
}

}  // namespace quern
