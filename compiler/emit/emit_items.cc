// Items in program order.
#include "compiler/emit/combine.h"
#include "compiler/emit/emit_context.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

// The end of a reduction whose partial results a loop kept in registers.
void EmitFinish(EmitContext& c, mlir::Operation* reduce) {
  const Home* home = c.plan.HomeOf(reduce->getOperand(0));
  const Accumulator& accumulator = c.plan.accumulators[home->index];
  const Values total =
      Collect(c, accumulator.combine, c.accumulators[home->index],
              /*across_lanes=*/true);
  c.scalars[reduce->getResult(0)] = total[0];
}

}  // namespace

void InitAccumulator(EmitContext& c, uint32_t index) {
  const Accumulator& accumulator = c.plan.accumulators[index];
  c.accumulators[index] = NewAccumulators(
      c, AccumulatorType(accumulator.combine, 0), /*has_identity=*/true,
      accumulator.width, accumulator.tail_width, accumulator.unroll);
  // They start from what the loop starts from, which is no NaN.
  c.accumulators[index].never_nan = true;
  Reset(c, accumulator.combine, c.accumulators[index]);
}

void EmitItem(EmitContext& c, const Item& item) {
  if (!c.status.ok()) return;
  switch (item.kind) {
    case Item::Kind::kScalar:
      return EmitScalar(c, item.op);
    case Item::Kind::kGroup:
      return EmitGroup(c, *item.group);
    case Item::Kind::kDot:
      return EmitDot(c, item);
    case Item::Kind::kFinish:
      return EmitFinish(c, item.op);
    case Item::Kind::kFor:
      return EmitFor(c, item);
    case Item::Kind::kIf:
      return EmitIf(c, item);
    case Item::Kind::kWhile:
      return EmitWhile(c, item);
    case Item::Kind::kBranch:
      return EmitBranch(c, item);
  }
}

void EmitSequence(EmitContext& c, const Sequence& items) {
  for (const Item& item : items) EmitItem(c, item);
}

}  // namespace quern
