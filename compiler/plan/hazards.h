// Memory hazards: when a load may no longer be evaluated where it is used.
#ifndef QUERN_COMPILER_PLAN_HAZARDS_H_
#define QUERN_COMPILER_PLAN_HAZARDS_H_

#include "compiler/plan/plan.h"

namespace quern {

// Where memory is written in a function. Any two addresses may be equal, also
// of different arguments.
class Hazards final {
 public:
  explicit Hazards(tt::FuncOp function);

  // The place of `op` in the order of the text.
  unsigned PositionOf(mlir::Operation* op) const {
    return positions_.lookup(op);
  }

  // Whether something may be written after `load` and before `use`, when
  // `load` is evaluated at `use` instead. Writes in `ignored` do not count.
  bool IsWrittenBetween(mlir::Operation* load, mlir::Operation* use,
                        llvm::ArrayRef<mlir::Operation*> ignored) const;

 private:
  bool HasWrite(unsigned begin, unsigned end,
                llvm::ArrayRef<mlir::Operation*> ignored) const;

  tt::FuncOp function_;
  llvm::DenseMap<mlir::Operation*, unsigned> positions_;
  llvm::DenseMap<mlir::Operation*, unsigned> ends_;
  std::vector<std::pair<unsigned, mlir::Operation*>> writes_;
};

// The function argument that `pointer` is an offset from; null if unknown.
mlir::Value BaseOf(mlir::Value pointer);

// Whether a load and a store of one group may touch each other's elements at
// different tiles: they have one base, or an unknown one, and not the same
// addresses.
bool MayShift(mlir::Value load_pointer, mlir::Value store_pointer);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_HAZARDS_H_
