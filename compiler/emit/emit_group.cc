// A group as a loop nest over tiles.
#include "compiler/emit/atomic.h"
#include "compiler/emit/combine.h"
#include "compiler/emit/emit_context.h"
#include "compiler/emit/extreme.h"
#include "compiler/emit/histogram.h"
#include "compiler/emit/tile.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

class GroupEmitter {
 public:
  // `straight`: none of the group's indices wraps.
  GroupEmitter(EmitContext& context, const Group& group, bool straight)
      : c_(context),
        b_(context.b),
        group_(group),
        straight_(straight),
        identity_(DimMap::Identity(group.shape)),
        indices_(group.shape.size(), context.I64(0)),
        width_(group.width) {
    const bool innermost = group.axis >= 0 && !group.order.empty() &&
                           static_cast<int>(group.order.back()) == group.axis;
    axis_level_ = group.order.size() - (innermost ? 1 : 0);
  }

  void Run() {
    for (const Root& root : group_.roots) {
      if (root.kind == Root::Kind::kHistogram) ClearHistogram(c_, root);
    }
    Level(0);
  }

 private:
  // What a root has computed of a tile and is yet to write.
  struct Pending {
    const Root* root;
    Values values;
    TileValue pointer;
    TileValue mask;
  };

  bool ReducesLanes() const { return group_.axis == group_.vector_dim; }

  // ---- Loops ----

  void Level(unsigned level) {
    if (level != axis_level_) return Loops(level);
    StartReductions();
    Loops(level);
    FinishReductions();
  }

  void Loops(unsigned level) {
    if (level == group_.order.size()) return Body(1);
    const unsigned dim = group_.order[level];
    if (static_cast<int>(dim) == group_.vector_dim) return LaneLoop(level);
    c_.Loop(c_.I64(0), c_.I64(group_.shape[dim]), 1, [&](llvm::Value* index) {
      indices_[dim] = index;
      Level(level + 1);
    });
    indices_[dim] = c_.I64(0);
  }

  // The index up to which the bound is true; null if the comparison is not
  // what it was taken for.
  llvm::Value* LimitOf(const Bound& bound) {
    auto compare = bound.value.getDefiningOp<mlir::arith::CmpIOp>();
    using Predicate = mlir::arith::CmpIPredicate;
    const Predicate predicate = compare.getPredicate();
    Tile probe(c_, group_, indices_, width_);
    TileValue index = probe.Evaluate(compare.getLhs(), bound.map);
    TileValue limit = probe.Evaluate(compare.getRhs(), bound.map);
    if (!index.is_affine()) std::swap(index, limit);
    if (!index.is_affine() || index.stride != 1 || !limit.is_uniform()) {
      return nullptr;
    }
    llvm::Type* i64 = b_.getInt64Ty();
    llvm::Value* first = b_.CreateSExt(index.value, i64);
    llvm::Value* last = b_.CreateSExt(limit.value, i64);
    llvm::Value* size = c_.I64(group_.shape[group_.vector_dim]);
    const bool or_equal =
        predicate == Predicate::sle || predicate == Predicate::sge;
    if (!bound.exact && predicate != Predicate::ult) {
      // A lower limit holds at all lanes if it holds at the first.
      llvm::Value* holds = or_equal ? b_.CreateICmpSGE(first, last)
                                    : b_.CreateICmpSGT(first, last);
      return b_.CreateSelect(holds, size, c_.I64(0));
    }
    llvm::Value* distance = b_.CreateSub(last, first);
    if (or_equal) distance = b_.CreateAdd(distance, c_.I64(1));
    distance =
        b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, distance, c_.I64(0));
    distance = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, distance, size);
    if (predicate != Predicate::ult) return distance;
    // As unsigned numbers, indices below zero are large.
    llvm::Value* wraps = b_.CreateICmpSLT(first, c_.I64(0));
    return b_.CreateSelect(wraps, c_.I64(0), distance);
  }

  llvm::Value* Smaller(llvm::Value* a, llvm::Value* b) {
    if (!a || !b) return a ? a : b;
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
  }

  // Tiles before every bound run without masks; then come tiles with masks;
  // past the only exact bound, tiles that know that it is false, or nothing.
  void LaneLoop(unsigned level) {
    llvm::Value* const size = c_.I64(group_.shape[group_.vector_dim]);
    llvm::Value* limit = nullptr;
    llvm::Value* exact_limit = nullptr;
    llvm::SmallVector<const Bound*> known, exact;
    for (const Bound& bound : group_.bounds) {
      llvm::Value* next = LimitOf(bound);
      if (!next) continue;
      known.push_back(&bound);
      limit = Smaller(limit, next);
      if (!bound.exact) continue;
      exact.push_back(&bound);
      exact_limit = next;
    }
    if (!limit) {
      Section(level, c_.I64(0), size, group_.width, group_.unroll, {}, false);
      return;
    }
    const int64_t whole = int64_t{group_.width} * group_.unroll;
    const int64_t tail = group_.tail_width;
    llvm::Value* full = b_.CreateAnd(limit, c_.I64(-whole));
    Section(level, c_.I64(0), full, group_.width, group_.unroll, known, true);
    if (exact.size() != 1) {
      Section(level, full, size, tail, 1, {}, false);
      return;
    }
    llvm::Value* end = b_.CreateAnd(b_.CreateAdd(exact_limit, c_.I64(tail - 1)),
                                    c_.I64(-tail));
    // One lane at a time, none before the bound is masked.
    if (tail > 1) exact.clear();
    Section(level, full, end, tail, 1, exact, true);
    if (group_.dead_past_bound) {
      skips_lanes_ = b_.CreateICmpSLT(end, size);
      return;
    }
    for (const Bound* bound : known) {
      if (bound->exact) exact.assign(1, bound);
    }
    Section(level, end, size, tail, 1, exact, false);
  }

  // Tiles from `begin` to before `end`, where `bounds` are all `truth`.
  void Section(unsigned level, llvm::Value* begin, llvm::Value* end,
               unsigned width, unsigned unroll,
               llvm::ArrayRef<const Bound*> bounds, bool truth) {
    width_ = width;
    bounds_.assign(bounds.begin(), bounds.end());
    truth_ = truth;
    c_.Loop(begin, end, int64_t{width} * unroll, [&](llvm::Value* index) {
      indices_[group_.vector_dim] = index;
      if (level + 1 == group_.order.size() && level + 1 != axis_level_) {
        Body(unroll);
      } else {
        Level(level + 1);
      }
    });
    indices_[group_.vector_dim] = c_.I64(0);
    width_ = group_.width;
    bounds_.clear();
  }

  // ---- Bodies ----

  void Body(unsigned unroll) {
    for (unsigned u = 0; u < unroll; ++u) {
      llvm::SmallVector<llvm::Value*, 4> indices = indices_;
      if (u > 0) {
        llvm::Value*& along = indices[group_.vector_dim];
        along = b_.CreateAdd(along, c_.I64(int64_t{width_} * u), "",
                             /*HasNUW=*/true, /*HasNSW=*/true);
      }
      if (IsReverseScan()) {
        llvm::Value*& along = indices[group_.axis];
        along = b_.CreateSub(c_.I64(group_.shape[group_.axis] - 1), along);
      }
      Tile tile(c_, group_, indices, width_);
      for (const Bound* bound : bounds_) tile.Assume(*bound, truth_);
      if (straight_) AssumeNothingWraps(tile, group_);
      // Narrow tiles have slots of their own.
      slot_ = width_ == group_.width ? u : group_.unroll;
      llvm::SmallVector<Pending, 2> pending;
      for (const Root& root : group_.roots) Compute(tile, root, pending);
      for (const Pending& write : pending) Write(tile, write);
    }
  }

  bool IsReverseScan() const {
    if (group_.roots[0].kind != Root::Kind::kScan) return false;
    return llvm::cast<tt::ScanOp>(group_.roots[0].op).getReverse();
  }

  Values OperandLanes(Tile& tile, mlir::Operation* op) {
    Values values;
    for (mlir::Value operand : op->getOperands()) {
      values.push_back(tile.Lanes(operand, identity_));
    }
    return values;
  }

  void Compute(Tile& tile, const Root& root,
               llvm::SmallVectorImpl<Pending>& pending) {
    switch (root.kind) {
      case Root::Kind::kStore:
        return ComputeStore(tile, root, pending);
      case Root::Kind::kMaterialise:
        pending.push_back({&root, {ForBuffer(tile, root)}, {}, {}});
        return;
      case Root::Kind::kCopy:
        pending.push_back({&root, {CopyLanes(tile, root)}, {}, {}});
        return;
      case Root::Kind::kReduce:
        Accumulate(c_, root.op, reductions_[&root], slot_,
                   OperandLanes(tile, root.op));
        return;
      case Root::Kind::kAccumulate:
        Accumulate(c_, root.op, c_.accumulators[root.index], slot_,
                   {tile.Lanes(root.value, identity_)});
        return;
      case Root::Kind::kScan:
        return ComputeScan(tile, root, pending);
      case Root::Kind::kAtomic:
        return ComputeAtomic(tile, root, pending);
      case Root::Kind::kHistogram:
        return ComputeHistogram(c_, tile, root, identity_);
      case Root::Kind::kAssert: {
        auto assertion = llvm::cast<tt::AssertOp>(root.op);
        c_.Assert(tile.Lanes(assertion.getCondition(), identity_),
                  assertion.getMessage());
        return;
      }
    }
  }

  void ComputeStore(Tile& tile, const Root& root,
                    llvm::SmallVectorImpl<Pending>& pending) {
    auto store = llvm::cast<tt::StoreOp>(root.op);
    TileValue mask = TileValue::Uniform(b_.getTrue());
    if (store.getMask()) mask = tile.Evaluate(store.getMask(), identity_);
    auto* known = llvm::dyn_cast<llvm::ConstantInt>(mask.value);
    if (known && known->isZero()) return;
    llvm::Value* value = tile.Lanes(store.getValue(), identity_);
    pending.push_back(
        {&root, {value}, tile.Evaluate(store.getPtr(), identity_), mask});
  }

  llvm::Value* ForBuffer(Tile& tile, const Root& root) {
    const mlir::Type from = ElementOf(root.value);
    const mlir::Type to = c_.plan.buffers[root.buffers[0]].element;
    return EmitConvert(c_, tile.Lanes(root.value, identity_), from, to);
  }

  llvm::Value* CopyLanes(Tile& tile, const Root& root) {
    const Buffer& from = c_.plan.buffers[root.index];
    llvm::Type* type = RegisterType(c_.context(), from.element);
    if (type->isPointerTy()) type = b_.getInt64Ty();
    return tile.AsLanes(tile.ReadBuffer(root.index, from.shape, identity_),
                        type);
  }

  void ComputeScan(Tile& tile, const Root& root,
                   llvm::SmallVectorImpl<Pending>& pending) {
    const Accumulators& running = reductions_[&root];
    Accumulate(c_, root.op, running, slot_, OperandLanes(tile, root.op));
    Pending write{&root, {}, {}, {}};
    for (llvm::AllocaInst* slot : running.slots[slot_]) {
      write.values.push_back(c_.Load(slot));
    }
    pending.push_back(write);
  }

  // Atomics are the one kind of root that writes as it computes; its group
  // has no other.
  void ComputeAtomic(Tile& tile, const Root& root,
                     llvm::SmallVectorImpl<Pending>& pending) {
    Values args = OperandLanes(tile, root.op);
    args[0] = b_.CreateIntToPtr(args[0], b_.getPtrTy());
    llvm::Value* old = EmitAtomic(c_, root.op, args);
    if (!root.buffers.empty()) pending.push_back({&root, {old}, {}, {}});
  }

  void Write(Tile& tile, const Pending& write) {
    const Root& root = *write.root;
    if (root.kind == Root::Kind::kStore) {
      auto store = llvm::cast<tt::StoreOp>(root.op);
      tile.Store(write.pointer, write.values[0], ElementOf(store.getValue()),
                 write.mask);
      return;
    }
    for (auto [buffer, value] : llvm::zip(root.buffers, write.values)) {
      tile.WriteBuffer(buffer, group_.shape, identity_, value);
    }
  }

  // ---- Reductions ----

  void StartReductions() {
    for (const Root& root : group_.roots) {
      if (root.kind != Root::Kind::kReduce && root.kind != Root::Kind::kScan) {
        continue;
      }
      llvm::SmallVector<mlir::Type, 2> elements;
      for (unsigned i = 0; i < root.op->getNumOperands(); ++i) {
        elements.push_back(AccumulatorType(root.op, i));
      }
      const bool has_identity = static_cast<bool>(CombineIdentity(root.op));
      // Where lanes are not reduced, a nest of narrow tiles has its own.
      const unsigned width = ReducesLanes() ? group_.width : width_;
      const unsigned tail = ReducesLanes() ? group_.tail_width : width_;
      Accumulators slots = NewAccumulators(c_, elements, has_identity, width,
                                           tail, group_.unroll);
      if (!ReducesLanes() && width_ != group_.width) {
        slots.slots.push_back(slots.slots[0]);
        if (!slots.filled.empty()) slots.filled.push_back(slots.filled[0]);
      }
      slots.never_nan = IsRepeatable(c_, group_, root);
      Reset(c_, root.op, slots);
      reductions_[&root] = std::move(slots);
    }
  }

  void FinishReductions() {
    for (const Root& root : group_.roots) {
      if (root.kind != Root::Kind::kReduce) continue;
      Accumulators& slots = reductions_[&root];
      if (!ReducesLanes()) slots.slots.resize(1);
      Values totals = Collect(c_, root.op, slots, ReducesLanes());
      if (slots.never_nan) {
        totals[0] =
            SearchAgain(c_, group_, root, indices_, straight_, totals[0]);
      } else if (IgnoresNan(root.op) && skips_lanes_) {
        // The lanes left out are numbers.
        totals[0] = b_.CreateSelect(
            skips_lanes_, EmitWithIdentity(c_, root.op, totals[0]), totals[0]);
      }
      if (root.buffers.empty()) {
        for (auto [result, value] : llvm::zip(root.op->getResults(), totals)) {
          c_.scalars[result] = value;
        }
        continue;
      }
      llvm::SmallVector<int64_t> shape;
      DimMap map;
      for (unsigned i = 0; i < group_.shape.size(); ++i) {
        if (static_cast<int>(i) == group_.axis) continue;
        shape.push_back(group_.shape[i]);
        map.Append(identity_[i]);
      }
      Tile tile(c_, group_, indices_, width_);
      for (auto [buffer, value] : llvm::zip(root.buffers, totals)) {
        tile.WriteBuffer(buffer, shape, map, value);
      }
    }
  }

  EmitContext& c_;
  llvm::IRBuilder<>& b_;
  const Group& group_;
  const bool straight_;
  const DimMap identity_;
  llvm::SmallVector<llvm::Value*, 4> indices_;
  unsigned width_;
  unsigned slot_ = 0;
  unsigned axis_level_ = 0;
  bool truth_ = false;
  // Whether lanes past a bound were left out; null if none ever are.
  llvm::Value* skips_lanes_ = nullptr;
  llvm::SmallVector<const Bound*> bounds_;
  llvm::DenseMap<const Root*, Accumulators> reductions_;
};

}  // namespace

void EmitGroupVersion(EmitContext& context, const Group& group, bool straight) {
  GroupEmitter(context, group, straight).Run();
}

}  // namespace quern
