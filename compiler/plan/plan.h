// The plan of a kernel: which tensors are computed where, in which loops.
//
// See compiler/PLAN.md. A plan points into the module that it was built from,
// which must outlive it and not change. Plans are data; nothing here is
// thread-safe.
#ifndef QUERN_COMPILER_PLAN_PLAN_H_
#define QUERN_COMPILER_PLAN_PLAN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/dialect/dialect.h"
#include "compiler/plan/dim_map.h"
#include "compiler/plan/target_shape.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace quern {

// A tensor in scratch memory: row-major, without gaps. i1 and pointers take
// one and eight bytes an element.
struct Buffer {
  mlir::Type element;
  llvm::SmallVector<int64_t> shape;
  uint64_t offset_bytes = 0;
  uint64_t size_bytes = 0;
  // A part of another buffer, that far into it; -1: a buffer of its own.
  int parent = -1;
  uint64_t parent_offset_bytes = 0;

  // Operands of a product, with room for those of several iterations of its
  // loop (see Item.chunk). Zero: the buffer is row-major without gaps.
  int64_t row_stride = 0;  // Of a: elements from one row to the next.
  // Of b: [N / panel_columns][panel_rows][panel_columns].
  int64_t panel_columns = 0;
  int64_t panel_rows = 0;
};

// Where the elements of a tensor value come from, if they are not computed
// anew wherever they are used.
struct Home {
  enum class Kind {
    kBuffer,       // `index` is a buffer. Its shape may differ: row-major view.
    kStep,         // `index` is a step.
    kAccumulator,  // `index` is an accumulator; only reductions use the value.
  };
  Kind kind;
  uint32_t index;
};

// A tensor that a loop carries and that grows by one number for all elements:
// `init` plus that number (in elements, for pointers). Only the number is kept.
struct Step {
  mlir::Value init;
};

// A tensor that a loop carries only to combine it with others of its shape and
// to reduce it afterwards. Only partial reductions are kept, in registers.
struct Accumulator {
  mlir::Operation* combine;  // The operation in the loop.
  mlir::Value source;        // What it combines the carried tensor with.
  // As of the group in the loop.
  unsigned width = 1;
  unsigned tail_width = 1;
  unsigned unroll = 1;
};

// What a group writes.
struct Root {
  enum class Kind {
    kStore,        // `op` is a tt.store.
    kMaterialise,  // `value` into `buffers[0]`, as that buffer's element type.
    kCopy,         // Buffer `index` into `buffers[0]`.
    kReduce,      // `op` is a tt.reduce; `buffers` for each result of rank > 0.
    kAccumulate,  // `value` into the accumulator `index`.
    kScan,        // `op` is a tt.scan, into `buffers`.
    kAtomic,      // `op` is an atomic; its old values into `buffers`, if any.
    kHistogram,   // `op` is a tt.histogram, into `buffers`.
    kAssert,      // `op` is a tt.assert.
  };
  Kind kind;
  mlir::Operation* op = nullptr;
  mlir::Value value;
  llvm::SmallVector<uint32_t, 1> buffers;
  uint32_t index = 0;
};

// A mask (an arith.cmpi) that is true up to some index of the vector dimension,
// which is known before the loop.
struct Bound {
  mlir::Value value;
  DimMap map;
  // It is false from there on. Otherwise nothing is known from there on: a
  // lower limit, or an unsigned comparison, that holds for all indices or not.
  bool exact = true;
};

// An index `value` (an arith.remsi) under `map` that is its own dividend,
// unless that runs beyond the divisor somewhere along the dimension `dim`.
struct Wrap {
  mlir::Value value;
  DimMap map;
  unsigned dim;
};

// One loop nest over tiles, and what it writes. Each tile computes all its
// roots' values before it writes any.
struct Group {
  llvm::SmallVector<int64_t> shape;
  // Dimensions, outermost loop first, those of size one left out.
  llvm::SmallVector<unsigned> order;
  // The dimension that lanes run along, or -1 if all sizes are one.
  int vector_dim = -1;
  // The dimension that is reduced or scanned, always innermost; -1: none.
  int axis = -1;
  unsigned width = 1;       // Lanes of a tile.
  unsigned tail_width = 1;  // Lanes of a tile some of which a mask turns off.
  unsigned unroll = 1;      // Tiles evaluated side by side.
  llvm::SmallVector<Root> roots;
  llvm::SmallVector<Bound> bounds;
  // Past the bound no root writes anything.
  bool dead_past_bound = false;
  // There are two versions of the nest: one for when none of these wraps.
  llvm::SmallVector<Wrap> wraps;

  // Values that roots materialise and that others of this group use: they are
  // evaluated once a tile and not read back.
  llvm::DenseSet<mlir::Value> materialised;
};

// How a loop carries a value from one iteration to the next.
struct Carried {
  enum class Kind { kScalar, kBuffer, kStep, kAccumulator };
  Kind kind = Kind::kScalar;
  uint32_t index = 0;
};

struct Item;
using Sequence = std::vector<Item>;

// One thing to do, in program order.
struct Item {
  enum class Kind {
    kScalar,  // `op` works on scalars.
    kGroup,   // `group`.
    kDot,     // `op` is a tt.dot; see `dot`.
    kFinish,  // `op` is a tt.reduce of an accumulator.
    kFor,     // `op` is an scf.for; `bodies[0]`, `carried`.
    kIf,      // `op` is an scf.if; `bodies[0]` and perhaps `bodies[1]`.
    kWhile,   // `op` is an scf.while; `bodies[0]` before, `bodies[1]` after.
    kBranch,  // `op` ends a block of a function of several blocks;
              // `bodies[i]` are the copies on the edge to successor i.
  };
  struct Dot {
    uint32_t a = 0, b = 0, d = 0;  // Buffers: [M, K], [K, N], [M, N].
    // In chunks: so many integers of K are multiplied and added up by one
    // instruction, in each lane of 32 bits.
    unsigned lane_elements = 1;
  };
  // The operand a of a loop in chunks, if it is read where it lies: buffer
  // `dot.a` then holds the address of the first element of each row.
  struct DirectRows {
    uint32_t step = 0;  // The pointers.
    mlir::Value limit;  // Elements of K from here on; null: no end is near.
  };
  // Indices from `limit` - `first` (scalars) on are not needed.
  struct Cut {
    mlir::Value first, limit;
  };
  Kind kind;
  mlir::Operation* op = nullptr;
  std::unique_ptr<Group> group;
  std::vector<Sequence> bodies;
  std::vector<Carried> carried;
  Dot dot;
  // kFor: if not zero, iterations only fill the operands of the dot in the
  // body, one iteration's beside the other's along K, until so many elements of
  // K are there; then they are multiplied at once.
  int64_t chunk = 0;
  std::optional<DirectRows> direct_rows;
  std::optional<Cut> cuts[2];  // Of a loop in chunks: rows and columns of d.
};

struct Plan {
  tt::FuncOp function;
  TargetShape target;
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<Accumulator> accumulators;
  llvm::DenseMap<mlir::Value, Home> homes;
  // The buffer that a tt.gather picks from.
  llvm::DenseMap<mlir::Operation*, uint32_t> gather_sources;
  // One sequence a block of the function.
  std::vector<Sequence> blocks;
  uint64_t scratch_bytes = 0;

  // The home of `value`; null if it is a scalar or computed where it is used.
  const Home* HomeOf(mlir::Value value) const {
    auto found = homes.find(value);
    return found == homes.end() ? nullptr : &found->second;
  }
};

// Returns the plan of a verified kernel. Rewrites `function` first: calls are
// inlined, descriptors become pointers.
//
// Unimplemented: an operation, type or rank that is not lowered, with its
//   location and name.
// ResourceExhausted: the kernel's buffers are over 256 MiB.
absl::StatusOr<Plan> BuildPlan(tt::FuncOp function, const TargetShape& target);

// The plan as text, stable from run to run: what tests and `quern-opt
// --print-plan` show.
std::string PrintPlan(const Plan& plan);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_PLAN_H_
