// Loops that only sum up a matrix product: several iterations' operands are
// packed, then multiplied at once, so that the sums stay in registers for long
// and operands are read in the order in which they lie.
#include "compiler/plan/dot_tile.h"
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

// Elements of k that are multiplied at once: the panel of b that a tile reads,
// 128 rows of two vectors, is at home in the cache nearest to the core.
constexpr int64_t kChunkElements = 128;

// Rows of a are this much further apart, so that those of one tile do not fall
// on one set of a cache.
constexpr int64_t kRowPadding = 16;

// The dot of the loop's body, if everything else there serves its operands.
Item* OnlyDot(Sequence& body) {
  Item* dot = nullptr;
  for (Item& item : body) {
    switch (item.kind) {
      case Item::Kind::kScalar:
        if (!mlir::isMemoryEffectFree(item.op) &&
            !llvm::isa<tt::LoadOp>(item.op)) {
          return nullptr;
        }
        break;
      case Item::Kind::kGroup:
        break;  // Looked at below, when the dot's buffers are known.
      case Item::Kind::kDot:
        if (dot) return nullptr;
        dot = &item;
        break;
      default:
        return nullptr;
    }
  }
  return dot;
}

// Whether all groups of the body do nothing but fill the two operands, and
// each of them is filled once.
bool OnlyFills(const Sequence& body, const Item::Dot& dot) {
  unsigned a = 0, b = 0;
  for (const Item& item : body) {
    if (item.kind != Item::Kind::kGroup) continue;
    for (const Root& root : item.group->roots) {
      if (root.kind != Root::Kind::kMaterialise) return false;
      a += root.buffers[0] == dot.a;
      b += root.buffers[0] == dot.b;
      if (root.buffers[0] != dot.a && root.buffers[0] != dot.b) return false;
    }
  }
  return a == 1 && b == 1 && dot.a != dot.b;
}

// Whether the product's sums are all that the loop carries, but for steps and
// scalars, and are only added to.
bool OnlySums(const Item& item, const Item& dot) {
  auto loop = llvm::cast<mlir::scf::ForOp>(item.op);
  auto op = llvm::cast<tt::DotOp>(dot.op);
  bool found = false;
  for (auto [i, carried] : llvm::enumerate(item.carried)) {
    if (carried.kind == Carried::Kind::kAccumulator) return false;
    if (carried.kind != Carried::Kind::kBuffer) continue;
    mlir::Value argument = loop.getRegionIterArgs()[i];
    if (found || carried.index != dot.dot.d || op.getC() != argument ||
        !argument.hasOneUse() || !op.getResult().hasOneUse() ||
        loop.getYieldedValues()[i] != op.getResult()) {
      return false;
    }
    found = true;
  }
  return found;
}

// How many products of i8 one instruction of the target adds up in a lane.
unsigned LaneElements(const TargetShape& target) {
  if (target.arch == TargetArch::kX86_64) return 2;  // Of i16.
  return target.dotprod ? 4 : 1;
}

// The operands of a product of i8 keep fewer than 32 bits.
void KeepIntegersNarrow(const TargetShape& target, Item& dot, Buffer& a,
                        Buffer& b) {
  auto op = llvm::cast<tt::DotOp>(dot.op);
  const unsigned elements = LaneElements(target);
  if (elements == 1 || a.shape[1] % elements != 0 ||
      !ElementOf(op.getA()).isSignlessInteger(8)) {
    return;
  }
  dot.dot.lane_elements = elements;
  a.element = b.element =
      mlir::IntegerType::get(a.element.getContext(), 32 / elements);
}

}  // namespace

void Planner::ChunkDotLoop(Item& item) {
  Item* dot = OnlyDot(item.bodies[0]);
  if (!dot || !OnlyFills(item.bodies[0], dot->dot) || !OnlySums(item, *dot)) {
    return;
  }
  Buffer& a = plan_.buffers[dot->dot.a];
  Buffer& b = plan_.buffers[dot->dot.b];
  if (a.shape.size() != 2 || a.parent >= 0 || b.parent >= 0) return;
  // Sums decide the tile, narrow as the operands may be.
  const DotTile tile =
      DotTileOf(plan_.target, ElementBytes(a.element), a.shape[0], b.shape[1]);
  KeepIntegersNarrow(plan_.target, *dot, a, b);
  const uint64_t bytes = ElementBytes(a.element);
  const int64_t step = a.shape[1];
  item.chunk = std::max(step, kChunkElements / step * step);
  a.row_stride = item.chunk + kRowPadding;
  a.size_bytes = a.shape[0] * a.row_stride * bytes;
  b.panel_columns = tile.columns();
  b.panel_rows = item.chunk;
  b.size_bytes = item.chunk * b.shape[1] * bytes;
  ReadRowsDirectly(item, llvm::cast<tt::DotOp>(dot->op), dot->dot);
  for (auto [i, carried] : llvm::enumerate(item.carried)) {
    if (carried.kind != Carried::Kind::kBuffer) continue;
    FindCuts(item, item.op->getResult(i));
  }
}

}  // namespace quern
