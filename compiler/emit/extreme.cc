// The largest or smallest number of lanes, where NaN counts for nothing.
#include "compiler/emit/extreme.h"

#include "compiler/emit/combine.h"
#include "compiler/emit/tile.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

// The reduction over all lanes, masked or not, with room for NaN.
llvm::Value* Search(EmitContext& c, const Group& group, const Root& root,
                    llvm::ArrayRef<llvm::Value*> indices, bool straight) {
  const unsigned width = group.tail_width;
  Accumulators slots =
      NewAccumulators(c, AccumulatorType(root.op, 0), /*has_identity=*/true,
                      width, width, /*unroll=*/1);
  Reset(c, root.op, slots);
  llvm::SmallVector<llvm::Value*, 4> at(indices);
  c.Loop(c.I64(0), c.I64(group.shape[group.axis]), width,
         [&](llvm::Value* index) {
           at[group.axis] = index;
           Tile tile(c, group, at, width);
           if (straight) AssumeNothingWraps(tile, group);
           Accumulate(c, root.op, slots, 0,
                      {tile.Lanes(root.op->getOperand(0),
                                  DimMap::Identity(group.shape))});
         });
  return Collect(c, root.op, slots, /*across_lanes=*/true)[0];
}

}  // namespace

bool IsRepeatable(EmitContext& c, const Group& group, const Root& root) {
  if (c.plan.target.arch != TargetArch::kX86_64 || group.width == 1 ||
      group.axis != group.vector_dim || !IgnoresNan(root.op)) {
    return false;
  }
  const mlir::Type element = ElementOf(root.op->getOperand(0));
  return (element.isF32() || element.isF64()) &&
         llvm::all_of(group.roots, [](const Root& other) {
           return other.kind == Root::Kind::kReduce;
         });
}

llvm::Value* SearchAgain(EmitContext& c, const Group& group, const Root& root,
                         llvm::ArrayRef<llvm::Value*> indices, bool straight,
                         llvm::Value* found) {
  llvm::Value* start = EmitConstant(c, CombineIdentity(root.op));
  return c.Choose(c.b.CreateFCmpOEQ(found, start), found,
                  [&] { return Search(c, group, root, indices, straight); });
}

}  // namespace quern
