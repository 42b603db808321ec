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
  Reset(c, accumulator.combine, c.accumulators[index]);
}

void EmitSequence(EmitContext& c, const Sequence& items) {
  for (const Item& item : items) {
    if (!c.status.ok()) return;
    switch (item.kind) {
      case Item::Kind::kScalar:
        EmitScalar(c, item.op);
        break;
      case Item::Kind::kGroup:
        EmitGroup(c, *item.group);
        break;
      case Item::Kind::kDot:
        EmitDot(c, item);
        break;
      case Item::Kind::kFinish:
        EmitFinish(c, item.op);
        break;
      case Item::Kind::kFor:
        EmitFor(c, item);
        break;
      case Item::Kind::kIf:
        EmitIf(c, item);
        break;
      case Item::Kind::kWhile:
        EmitWhile(c, item);
        break;
      case Item::Kind::kBranch:
        EmitBranch(c, item);
        break;
    }
  }
}

}  // namespace quern
