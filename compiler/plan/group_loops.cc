// The loops of a group: their order, lanes, and where masks end.
#include "compiler/plan/fold.h"
#include "compiler/plan/identity.h"
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

constexpr size_t kBoundsMax = 4;

// Looks at everything that a finished group evaluates.
class GroupFinisher {
 public:
  GroupFinisher(const Plan& plan, const Axes& axes, Group& group)
      : plan_(plan), axes_(axes), group_(group) {
    for (const Root& root : group.roots) {
      llvm::append_range(uses_, RootUses(root, group.shape));
    }
    Walk(uses_, [&](const Use& use) { all_.push_back(use); });
  }

  void Run() {
    group_.vector_dim = ChooseVectorDim();
    ChooseOrder();
    FindBounds();
    ChooseWidth();
    ChooseUnroll();
    group_.dead_past_bound = IsDeadPastBound();
  }

 private:
  void Walk(llvm::ArrayRef<Use> uses,
            llvm::function_ref<void(const Use&)> visit) {
    WalkExpressions(plan_, uses, group_.materialised, visit);
  }

  Axes::Stride Along(const Use& use, int dim) const {
    return axes_.Along(use.value, use.map, dim);
  }

  // Calls `visit` for the pointer, mask (or null) and element size of every
  // access to memory.
  void Accesses(llvm::function_ref<void(Use pointer, std::optional<Use> mask,
                                        uint64_t bytes, bool is_store)>
                    visit) {
    auto access = [&](mlir::Operation* op, const DimMap& map) {
      mlir::Value pointer = op->getOperand(0);
      mlir::Value mask, value;
      if (auto load = llvm::dyn_cast<tt::LoadOp>(op)) {
        mask = load.getMask();
        value = load.getResult();
      } else {
        auto store = llvm::cast<tt::StoreOp>(op);
        mask = store.getMask();
        value = store.getValue();
      }
      visit({pointer, map}, mask ? std::optional(Use{mask, map}) : std::nullopt,
            ElementBytes(ElementOf(value)), llvm::isa<tt::StoreOp>(op));
    };
    for (const Use& use : all_) {
      mlir::Operation* op = use.value.getDefiningOp();
      if (!op || !llvm::isa<tt::LoadOp>(op) || !IsTensor(use.value)) continue;
      const Home* home = plan_.HomeOf(use.value);
      if (home && !group_.materialised.contains(use.value)) continue;
      access(op, use.map);
    }
    for (const Root& root : group_.roots) {
      if (root.kind != Root::Kind::kStore) continue;
      access(root.op, DimMap::Identity(group_.shape));
    }
  }

  // The dimension that most accesses are contiguous along; the last of those.
  int ChooseVectorDim() {
    llvm::SmallVector<int> score(group_.shape.size(), 0);
    Accesses([&](Use pointer, std::optional<Use>, uint64_t bytes, bool) {
      for (unsigned i = 0; i < score.size(); ++i) {
        if (Along(pointer, i) == Axes::Stride(bytes)) ++score[i];
      }
    });
    int best = -1;
    for (int i = group_.shape.size() - 1; i >= 0; --i) {
      if (group_.shape[i] == 1) continue;
      // A short dimension leaves lanes idle, whatever its strides.
      const bool is_long = group_.shape[i] >= 4;
      if (best < 0 ||
          (is_long && (score[i] > score[best] || group_.shape[best] < 4))) {
        best = i;
      }
    }
    return best;
  }

  void ChooseOrder() {
    for (unsigned i = 0; i < group_.shape.size(); ++i) {
      const int dim = i;
      if (group_.shape[i] == 1 || dim == group_.vector_dim ||
          dim == group_.axis) {
        continue;
      }
      group_.order.push_back(i);
    }
    if (group_.vector_dim >= 0) group_.order.push_back(group_.vector_dim);
    if (group_.axis >= 0 && group_.axis != group_.vector_dim &&
        group_.shape[group_.axis] != 1) {
      group_.order.push_back(group_.axis);
    }
  }

  // A comparison of an index that runs along the lanes with a number.
  std::optional<Bound> AsBound(const Use& use) const {
    auto compare = use.value.getDefiningOp<mlir::arith::CmpIOp>();
    if (!compare || !IsTensor(use.value) || plan_.HomeOf(use.value)) {
      return std::nullopt;
    }
    const Use left{compare.getLhs(), use.map};
    const Use right{compare.getRhs(), use.map};
    const bool index_left = Along(left, group_.vector_dim) == Axes::Stride(1);
    const Use& index = index_left ? left : right;
    const Use& limit = index_left ? right : left;
    if (Along(index, group_.vector_dim) != Axes::Stride(1) ||
        Along(limit, group_.vector_dim) != Axes::Stride(0)) {
      return std::nullopt;
    }
    // The bound is computed outside the loops within the lanes' loop.
    if (group_.axis >= 0 && group_.axis != group_.vector_dim &&
        (Along(left, group_.axis) != Axes::Stride(0) ||
         Along(right, group_.axis) != Axes::Stride(0))) {
      return std::nullopt;
    }
    using Predicate = mlir::arith::CmpIPredicate;
    switch (compare.getPredicate()) {
      case Predicate::slt:
      case Predicate::sle:
        return Bound{use.value, use.map, index_left};
      case Predicate::sgt:
      case Predicate::sge:
        return Bound{use.value, use.map, !index_left};
      case Predicate::ult:
        if (!index_left) return std::nullopt;
        return Bound{use.value, use.map, false};
      default:
        return std::nullopt;
    }
  }

  // Lanes of a scan from the end on come in the other order than bounds do.
  bool IsReversed() const {
    auto scan = llvm::dyn_cast_or_null<tt::ScanOp>(group_.roots[0].op);
    return scan && scan.getReverse() && group_.axis == group_.vector_dim;
  }

  void FindBounds() {
    if (group_.vector_dim < 0 || IsReversed()) return;
    for (const Use& use : all_) {
      if (group_.bounds.size() == kBoundsMax) return;
      if (std::optional<Bound> bound = AsBound(use)) {
        group_.bounds.push_back(*bound);
      }
    }
  }

  // Whether `mask` still differs from lane to lane once the bounds are known.
  bool VariesBeyondBounds(const Use& mask) {
    bool varies = false;
    llvm::SmallVector<Use> work{mask};
    while (!work.empty() && !varies) {
      const Use use = work.pop_back_val();
      if (Along(use, group_.vector_dim) == Axes::Stride(0)) continue;
      const bool bound = llvm::any_of(group_.bounds, [&](const Bound& b) {
        return b.value == use.value && b.map.key() == use.map.key();
      });
      if (bound) continue;
      mlir::Operation* op = use.value.getDefiningOp();
      if (op && !plan_.HomeOf(use.value) &&
          (llvm::isa<mlir::arith::AndIOp, mlir::arith::OrIOp>(op) ||
           IsView(op))) {
        llvm::append_range(
            work, Reads(llvm::cast<mlir::OpResult>(use.value), use.map));
        continue;
      }
      varies = true;
    }
    return varies;
  }

  // Whether one instruction does the access when a mask differs by lane.
  bool IsMaskable(const Use& pointer, uint64_t bytes, bool is_store) const {
    const TargetShape& target = plan_.target;
    if (Along(pointer, group_.vector_dim) == Axes::Stride(bytes)) {
      return HasMaskedMemory(target, bytes);
    }
    if (bytes < 4) return false;
    return target.avx512 || (target.avx2_fma && !is_store);
  }

  uint64_t WidestElement() {
    uint64_t widest = 1;
    bool any = false;
    auto count = [&](mlir::Type element) {
      if (element.isSignlessInteger(1) || llvm::isa<tt::PointerType>(element)) {
        return;
      }
      any = true;
      uint64_t bytes = ElementBytes(element);
      // Narrow floats are computed in f32.
      if (llvm::isa<mlir::FloatType>(element))
        bytes = std::max<uint64_t>(bytes, 4);
      widest = std::max(widest, bytes);
    };
    for (const Use& use : all_) {
      if (!IsTensor(use.value)) continue;
      if (Along(use, group_.vector_dim) == Axes::Stride(0)) continue;
      const mlir::Type element = ElementOf(use.value);
      mlir::Operation* op = use.value.getDefiningOp();
      const bool loaded = !op || llvm::isa<tt::LoadOp, tt::GatherOp>(op) ||
                          plan_.HomeOf(use.value);
      if (loaded || llvm::isa<mlir::FloatType>(element)) {
        count(element);
      } else if (element.isSignlessInteger(64) &&
                 Along(use, group_.vector_dim) == std::nullopt) {
        // Index arithmetic may take two registers, but not eight.
        widest = std::max<uint64_t>(widest, 4);
      }
    }
    for (const Root& root : group_.roots) {
      if (root.value) count(ElementOf(root.value));
      for (uint32_t buffer : root.buffers) {
        count(plan_.buffers[buffer].element);
      }
    }
    return any ? widest : 4;
  }

  bool NeedsScalars() {
    for (const Root& root : group_.roots) {
      switch (root.kind) {
        case Root::Kind::kAtomic:
        case Root::Kind::kHistogram:
        case Root::Kind::kAssert:
          return true;
        case Root::Kind::kScan:
          if (group_.axis == group_.vector_dim) return true;
          break;
        default:
          break;
      }
    }
    bool needs = false;
    Accesses([&](Use pointer, std::optional<Use> mask, uint64_t bytes,
                 bool is_store) {
      if (mask && VariesBeyondBounds(*mask) &&
          !IsMaskable(pointer, bytes, is_store)) {
        needs = true;
      }
    });
    return needs;
  }

  void ChooseWidth() {
    group_.width = 1;
    if (group_.vector_dim >= 0 && !NeedsScalars()) {
      const int64_t lanes = plan_.target.vector_bytes / WidestElement();
      group_.width = std::min(lanes, group_.shape[group_.vector_dim]);
    }
    group_.tail_width = group_.width;
    Accesses([&](Use pointer, std::optional<Use> mask, uint64_t bytes,
                 bool is_store) {
      if (!mask || Along(*mask, group_.vector_dim) == Axes::Stride(0)) return;
      if (!IsMaskable(pointer, bytes, is_store)) group_.tail_width = 1;
    });
  }

  // Reductions of few operations need several sums to hide their latency.
  void ChooseUnroll() {
    bool reduces = false;
    for (const Root& root : group_.roots) {
      if (root.kind != Root::Kind::kReduce &&
          root.kind != Root::Kind::kAccumulate) {
        return;
      }
      reduces = true;
    }
    if (!reduces || group_.axis != group_.vector_dim || group_.width == 1) {
      return;
    }
    unsigned work = 0;
    for (const Use& use : all_) {
      mlir::Operation* op = use.value.getDefiningOp();
      if (!op || !IsTensor(use.value)) continue;
      if (Along(use, group_.vector_dim) == Axes::Stride(0)) continue;
      const bool is_float = llvm::isa<mlir::FloatType>(ElementOf(use.value));
      work += IsExpensive(op) ? 16 : is_float ? 1 : 0;
    }
    const int64_t tiles = group_.shape[group_.vector_dim] / group_.width;
    group_.unroll = work > 12 ? 1 : std::min<int64_t>(tiles, 4);
  }

  bool IsDeadPastBound() {
    llvm::DenseSet<mlir::Value> false_values;
    for (const Bound& bound : group_.bounds) {
      if (bound.exact) false_values.insert(bound.value);
    }
    if (false_values.size() != 1) return false;
    FalseFolder folder(false_values);
    for (const Root& root : group_.roots) {
      switch (root.kind) {
        case Root::Kind::kStore: {
          mlir::Value mask = llvm::cast<tt::StoreOp>(root.op).getMask();
          auto folded = llvm::dyn_cast_or_null<mlir::IntegerAttr>(
              mask ? folder.Fold(mask) : mlir::Attribute());
          if (!folded || !folded.getValue().isZero()) return false;
          break;
        }
        case Root::Kind::kAccumulate:
          if (!IsIdentityOf(root.op, folder.Fold(root.value))) return false;
          break;
        case Root::Kind::kReduce: {
          auto reduce = llvm::cast<tt::ReduceOp>(root.op);
          mlir::Operation* combine = SingleCombine(reduce.getCombineOp());
          if (!combine || group_.axis != group_.vector_dim ||
              !IsIdentityOf(combine, folder.Fold(reduce.getSrcs()[0]))) {
            return false;
          }
          break;
        }
        default:
          return false;
      }
    }
    return true;
  }

  const Plan& plan_;
  const Axes& axes_;
  Group& group_;
  llvm::SmallVector<Use> uses_;
  llvm::SmallVector<Use> all_;
};

}  // namespace

void FinishGroup(const Plan& plan, const Axes& axes, Group& group) {
  GroupFinisher(plan, axes, group).Run();
}

}  // namespace quern
