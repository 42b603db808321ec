// Which roots share a loop nest.
#include "absl/strings/str_cat.h"
#include "compiler/dialect/diagnostics.h"
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"

namespace quern {
namespace {

// Operations that are computed again rather than kept in a buffer.
constexpr unsigned kRepeatedCostMax = 32;

bool IsIdentity(const DimMap& map, llvm::ArrayRef<int64_t> shape) {
  return map.rank() == shape.size() &&
         map.key() == DimMap::Identity(shape).key();
}

bool IsAlone(Root::Kind kind) {
  return kind == Root::Kind::kScan || kind == Root::Kind::kAtomic ||
         kind == Root::Kind::kHistogram || kind == Root::Kind::kAssert;
}

mlir::Operation* DefiningLoad(mlir::Value value) {
  mlir::Operation* op = value.getDefiningOp();
  return op && llvm::isa<tt::LoadOp>(op) && IsTensor(value) ? op : nullptr;
}

}  // namespace

uint32_t Planner::NewBuffer(llvm::ArrayRef<int64_t> shape, mlir::Type element) {
  Buffer buffer;
  buffer.element = element;
  buffer.shape.assign(shape.begin(), shape.end());
  buffer.size_bytes = ElementBytes(element);
  for (int64_t size : shape) buffer.size_bytes *= size;
  plan_.buffers.push_back(std::move(buffer));
  return plan_.buffers.size() - 1;
}

uint32_t Planner::NewBufferFor(mlir::Value value) {
  return NewBuffer(ShapeOf(value), ElementOf(value));
}

absl::Status Planner::Materialise(mlir::Value value, uint32_t buffer,
                                  mlir::Operation* at) {
  Root root;
  root.kind = Root::Kind::kMaterialise;
  root.op = at;
  root.value = value;
  root.buffers.push_back(buffer);
  return AddRoot(std::move(root), ShapeOf(value), -1, at);
}

absl::Status Planner::AddRoot(Root root, llvm::ArrayRef<int64_t> shape,
                              int axis, mlir::Operation* at) {
  if (shape.size() > DimMap::kRankMax) {
    return UnimplementedAt(
        at, absl::StrCat("a tensor of rank ", shape.size(), "; the most is ",
                         DimMap::kRankMax));
  }
  const llvm::SmallVector<Use, 4> uses = RootUses(root, shape);
  if (pending_ && !Joins(root, shape, axis, uses, at)) Flush();
  if (!pending_) {
    pending_ = std::make_unique<Pending>();
    pending_->group.shape.assign(shape.begin(), shape.end());
    pending_->closed = IsAlone(root.kind);
    ++group_count_;
  }
  if (axis >= 0) pending_->group.axis = axis;
  CheckLoads(root, uses, at);
  CheckExpensive(uses, at);
  CheckRepeated(uses);
  pending_->written.insert(root.buffers.begin(), root.buffers.end());
  if (root.kind == Root::Kind::kStore || root.kind == Root::Kind::kAtomic) {
    pending_->stores.push_back(root.op);
  }
  pending_->group.roots.push_back(std::move(root));
  return absl::OkStatus();
}

bool Planner::Joins(const Root& root, llvm::ArrayRef<int64_t> shape, int axis,
                    llvm::ArrayRef<Use> uses, mlir::Operation*) {
  const Group& group = pending_->group;
  if (pending_->closed || IsAlone(root.kind)) return false;
  if (llvm::ArrayRef<int64_t>(group.shape) != shape) return false;
  if (axis >= 0 && group.axis >= 0 && axis != group.axis) return false;
  for (uint32_t buffer : root.buffers) {
    if (pending_->written.contains(buffer)) return false;
  }
  if (root.kind == Root::Kind::kCopy &&
      pending_->written.contains(root.index)) {
    return false;
  }
  return UsesJoin(uses) && MemoryJoins(root, uses);
}

// Whether the expressions read nothing that only the end of the pending group
// makes.
bool Planner::UsesJoin(llvm::ArrayRef<Use> uses) {
  const Group& group = pending_->group;
  bool joins = true;
  WalkExpressions(plan_, uses, group.materialised, [&](const Use& use) {
    if (pending_->scalars.contains(use.value)) joins = false;
    if (!IsTensor(use.value)) return;
    if (mlir::Operation* op = use.value.getDefiningOp();
        op && llvm::isa<tt::GatherOp>(op) &&
        pending_->written.contains(plan_.gather_sources.lookup(op))) {
      joins = false;
    }
    const Home* home = plan_.HomeOf(use.value);
    if (!home || home->kind != Home::Kind::kBuffer ||
        !pending_->written.contains(home->index)) {
      return;
    }
    // A value that this group materialises is at hand in the same tile. What
    // another buffer held before, a tile reads before it writes.
    const bool results_of_group =
        use.value.getDefiningOp() && !group.materialised.contains(use.value);
    if (results_of_group || !IsIdentity(use.map, group.shape)) joins = false;
  });
  return joins;
}

bool Planner::MemoryJoins(const Root& root, llvm::ArrayRef<Use> uses) {
  bool joins = true;
  WalkExpressions(
      plan_, uses, pending_->group.materialised, [&](const Use& use) {
        mlir::Operation* load = DefiningLoad(use.value);
        if (!load || plan_.HomeOf(use.value)) return;
        for (mlir::Operation* store : pending_->stores) {
          if (hazards_.PositionOf(store) < hazards_.PositionOf(load) ||
              MayShift(load->getOperand(0), store->getOperand(0))) {
            joins = false;
          }
        }
      });
  if (root.kind != Root::Kind::kStore) return joins;
  mlir::Value pointer = root.op->getOperand(0);
  for (mlir::Operation* load : pending_->loads) {
    if (MayShift(load->getOperand(0), pointer)) joins = false;
  }
  for (mlir::Operation* store : pending_->stores) {
    if (store->getOperand(0) == pointer ||
        MayShift(store->getOperand(0), pointer)) {
      joins = false;
    }
  }
  return joins;
}

void Planner::CheckLoads(const Root& root, llvm::ArrayRef<Use> uses,
                         mlir::Operation* at) {
  WalkExpressions(
      plan_, uses, pending_->group.materialised, [&](const Use& use) {
        mlir::Operation* load = DefiningLoad(use.value);
        if (!load) return;
        const bool is_inline = !plan_.HomeOf(use.value) ||
                               pending_->group.materialised.contains(use.value);
        if (!is_inline) return;
        pending_->loads.push_back(load);
        if (hazards_.IsWrittenBetween(load, at, pending_->stores) ||
            (root.kind == Root::Kind::kStore &&
             MayShift(load->getOperand(0), root.op->getOperand(0)))) {
          decisions_.materialise.insert(use.value);
        }
      });
}

void Planner::CheckExpensive(llvm::ArrayRef<Use> uses, mlir::Operation* at) {
  WalkExpressions(
      plan_, uses, pending_->group.materialised, [&](const Use& use) {
        mlir::Operation* op = use.value.getDefiningOp();
        if (!op || !IsTensor(use.value) || !IsExpensive(op)) return;
        if (!llvm::isa<mlir::FloatType>(ElementOf(use.value))) return;
        if (plan_.HomeOf(use.value) || axes_.IsUniform(use.value)) return;
        const auto [known, is_new] =
            expensive_.insert({use.value, group_count_});
        const bool in_loop =
            op->getBlock() != at->getBlock() &&
            op->getParentRegion()->isProperAncestor(at->getParentRegion());
        if ((!is_new && known->second != group_count_) || in_loop) {
          decisions_.materialise.insert(use.value);
        }
      });
}

// A value that an earlier group has computed, and that this one needs again for
// something new, becomes a buffer if computing it takes long. Only the last
// such values on the way to the roots count: what they are made of then is not
// computed again either.
void Planner::CheckRepeated(llvm::ArrayRef<Use> uses) {
  llvm::SmallVector<Use> visited;
  WalkExpressions(plan_, uses, pending_->group.materialised,
                  [&](const Use& use) {
                    if (IsTensor(use.value)) visited.push_back(use);
                  });
  llvm::DenseSet<mlir::Value> is_new;
  for (const Use& use : visited) {
    const auto [known, first] = first_group_.insert({use.value, group_count_});
    if (known->second == group_count_) is_new.insert(use.value);
  }
  llvm::DenseSet<mlir::Value> needed;
  for (const Use& use : uses) needed.insert(use.value);
  for (const Use& use : visited) {
    mlir::Operation* op = use.value.getDefiningOp();
    if (!op || !is_new.contains(use.value) || plan_.HomeOf(use.value)) continue;
    needed.insert(op->operand_begin(), op->operand_end());
  }
  for (const Use& use : visited) {
    if (is_new.contains(use.value) || !needed.contains(use.value) ||
        plan_.HomeOf(use.value) || axes_.IsUniform(use.value)) {
      continue;
    }
    if (costs_.lookup(use.value) >= kRepeatedCostMax) {
      decisions_.materialise.insert(use.value);
    }
  }
}

void Planner::Flush() {
  if (!pending_) return;
  Item item;
  item.kind = Item::Kind::kGroup;
  item.group = std::make_unique<Group>(std::move(pending_->group));
  pending_.reset();
  FinishGroup(plan_, axes_, *item.group);
  FindWraps(plan_, axes_, *item.group);
  for (const Root& root : item.group->roots) {
    if (root.kind != Root::Kind::kAccumulate) continue;
    Accumulator& accumulator = plan_.accumulators[root.index];
    accumulator.width = item.group->width;
    accumulator.tail_width = item.group->tail_width;
    accumulator.unroll = item.group->unroll;
  }
  Push(std::move(item));
}

}  // namespace quern
