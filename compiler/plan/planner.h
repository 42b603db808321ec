// The making of a plan. Not for use outside this folder.
#ifndef QUERN_COMPILER_PLAN_PLANNER_H_
#define QUERN_COMPILER_PLAN_PLANNER_H_

#include <set>

#include "absl/status/status.h"
#include "compiler/plan/axes.h"
#include "compiler/plan/expression_walk.h"
#include "compiler/plan/hazards.h"
#include "compiler/plan/plan.h"

namespace quern {

// What one attempt at a plan learns for the next.
struct Decisions {
  // Values to keep in buffers: loads that a write would overtake, and
  // expensive values that several groups use.
  llvm::DenseSet<mlir::Value> materialise;
  // Carried tensors (terminator, operand) whose new value must not be written
  // before all other new values are computed.
  std::set<std::pair<mlir::Operation*, unsigned>> temporaries;

  size_t size() const { return materialise.size() + temporaries.size(); }
};

// One attempt. If `decisions` grew, the plan is wrong and another attempt is
// due.
class Planner final {
 public:
  Planner(tt::FuncOp function, const TargetShape& target, Decisions& decisions);
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  absl::Status Run();
  Plan Take() { return std::move(plan_); }

 private:
  // A new value of a carried tensor, and the buffer it goes to.
  struct Update {
    mlir::Value value;
    uint32_t buffer;
    unsigned operand;
  };

  // The group that roots join, not yet in the sequence.
  struct Pending {
    Group group;
    bool closed = false;
    llvm::SmallVector<mlir::Operation*> loads;
    llvm::SmallVector<mlir::Operation*> stores;
    llvm::DenseSet<mlir::Value> scalars;  // That it computes.
    llvm::DenseSet<uint32_t> written;     // Buffers.
  };

  // planner.cc
  absl::Status VisitBlock(mlir::Block& block);
  absl::Status VisitOperation(mlir::Operation* op);
  absl::Status VisitTensorOperation(mlir::Operation* op);
  bool IsAffine(mlir::Value value) const;
  absl::Status VisitInline(mlir::Operation* op);
  absl::Status VisitScalar(mlir::Operation* op);
  absl::Status VisitReshape(tt::ReshapeOp op);
  absl::Status VisitCat(tt::CatOp op);
  absl::Status VisitGather(tt::GatherOp op);
  absl::Status VisitReduce(tt::ReduceOp op);
  absl::Status VisitUnsplat(tt::UnsplatOp op);
  // Roots that share a group with nothing: scans, atomics and the like.
  absl::Status VisitAlone(mlir::Operation* op, Root::Kind kind, int axis);

  // dot.cc
  absl::Status VisitDot(tt::DotOp op);
  uint32_t DotOperand(mlir::Value value, tt::DotOp op);
  std::optional<uint32_t> CarriedBuffer(tt::DotOp op);

  // dot_loop.cc: `item` is a planned loop.
  void ChunkDotLoop(Item& item);
  // direct_rows.cc: `item` is a loop in chunks around `dot`.
  void ReadRowsDirectly(Item& item, tt::DotOp op, const Item::Dot& dot);

  // grouping.cc
  uint32_t NewBuffer(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  uint32_t NewBufferFor(mlir::Value value);
  absl::Status Materialise(mlir::Value value, uint32_t buffer,
                           mlir::Operation* at);
  absl::Status AddRoot(Root root, llvm::ArrayRef<int64_t> shape, int axis,
                       mlir::Operation* at);
  bool Joins(const Root& root, llvm::ArrayRef<int64_t> shape, int axis,
             llvm::ArrayRef<Use> uses, mlir::Operation* at);
  bool UsesJoin(llvm::ArrayRef<Use> uses);
  bool MemoryJoins(const Root& root, llvm::ArrayRef<Use> uses);
  void CheckLoads(const Root& root, llvm::ArrayRef<Use> uses,
                  mlir::Operation* at);
  void CheckExpensive(llvm::ArrayRef<Use> uses, mlir::Operation* at);
  void CheckRepeated(llvm::ArrayRef<Use> uses);
  void Flush();
  void Push(Item item) { out_->push_back(std::move(item)); }

  // control_flow.cc
  absl::Status VisitFor(mlir::Operation* op);
  absl::Status CarryIn(mlir::Operation* op, Item& item);
  bool CarryAsStep(mlir::Operation* op, unsigned i, Item& item);
  bool CarryAsAccumulator(mlir::Operation* op, unsigned i, Item& item);
  absl::Status VisitIf(mlir::Operation* op);
  absl::Status VisitWhile(mlir::Operation* op);
  absl::Status VisitBranch(mlir::Operation* op);
  absl::Status VisitTerminator(mlir::Operation* op,
                               llvm::ArrayRef<Update> updates);
  absl::Status VisitBody(mlir::Block& block, Sequence& out);

  const tt::FuncOp function_;
  Decisions& decisions_;
  Plan plan_;
  Hazards hazards_;
  Axes axes_;
  Sequence* out_ = nullptr;
  std::unique_ptr<Pending> pending_;
  unsigned group_count_ = 0;
  // The group in which an expensive value was first evaluated.
  llvm::DenseMap<mlir::Value, unsigned> expensive_;
  // The group in which an inline value was first evaluated.
  llvm::DenseMap<mlir::Value, unsigned> first_group_;
  // About how many operations computing an inline value takes.
  llvm::DenseMap<mlir::Value, unsigned> costs_;
  // How deep the expression of an inline value is.
  llvm::DenseMap<mlir::Value, unsigned> depths_;
  // Where the updates of the innermost region being planned go.
  llvm::SmallVector<Update> updates_;
  // Combining operations that became accumulators.
  llvm::DenseMap<mlir::Operation*, uint32_t> accumulators_;
};

// Chooses the order, lanes and bounds of `group`, whose roots are all there.
void FinishGroup(const Plan& plan, const Axes& axes, Group& group);

// Finds out which of the `sums` of `item`, a loop in chunks, are needed.
void FindCuts(Item& item, mlir::Value sums);

// Finds the indices of a finished group that are wrapped around.
void FindWraps(const Plan& plan, const Axes& axes, Group& group);

// Lays the buffers out in scratch memory. Returns its size.
uint64_t LayOutBuffers(Plan& plan);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_PLANNER_H_
