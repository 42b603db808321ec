// The product of packed operands of a loop that sums up a matrix product.
#include "compiler/emit/emit_context.h"
#include "compiler/emit/types.h"
#include "compiler/plan/dot_tile.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

// d[M, N] += a[M, depth] x b[depth, N]: rows of a are `row_stride` apart, b
// lies in panels of as many columns as a tile has, d is row-major.
class ChunkEmitter {
 public:
  ChunkEmitter(EmitContext& context, const Item& dot, llvm::Value* depth)
      : c_(context),
        b_(context.b),
        dot_(dot.dot),
        a_buffer_(context.plan.buffers[dot_.a]),
        b_buffer_(context.plan.buffers[dot_.b]),
        depth_(depth),
        m_(a_buffer_.shape[0]),
        n_(b_buffer_.shape[1]),
        compute_(a_buffer_.element),
        stored_(context.plan.buffers[dot_.d].element),
        element_(RegisterType(context.context(), compute_)),
        tile_(DotTileOf(context.plan.target, ElementBytes(compute_), m_, n_)) {}

  // Rows within panels: a panel of b stays in the cache nearest to the core
  // while all rows of a pass by.
  void Run() {
    c_.Loop(c_.I64(0), c_.I64(n_), tile_.columns(), [&](llvm::Value* column) {
      llvm::Value* panel =
          Offset(c_.buffers[dot_.b],
                 b_.CreateMul(column, c_.I64(b_buffer_.panel_rows)));
      c_.Loop(c_.I64(0), c_.I64(m_), tile_.rows, [&](llvm::Value* row) {
        llvm::Value* rows =
            Offset(c_.buffers[dot_.a],
                   b_.CreateMul(row, c_.I64(a_buffer_.row_stride)));
        llvm::Value* sums =
            b_.CreateGEP(StoredLanes()->getScalarType(), c_.buffers[dot_.d],
                         b_.CreateAdd(b_.CreateMul(row, c_.I64(n_)), column));
        Tile(rows, panel, sums);
      });
    });
  }

 private:
  llvm::Value* Offset(llvm::Value* base, llvm::Value* elements) {
    return b_.CreateGEP(element_, base, elements);
  }
  llvm::Type* StoredLanes() {
    return LanesOf(RegisterType(c_.context(), stored_), tile_.width);
  }
  llvm::Value* MultiplyAdd(llvm::Value* x, llvm::Value* y, llvm::Value* sum) {
    if (element_->isIntegerTy()) {
      return b_.CreateAdd(sum, b_.CreateMul(x, y));
    }
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()},
                              {x, y, sum});
  }

  void Tile(llvm::Value* rows, llvm::Value* panel, llvm::Value* d) {
    llvm::Type* vector = LanesOf(element_, tile_.width);
    llvm::SmallVector<llvm::AllocaInst*> sums;
    llvm::SmallVector<llvm::Value*> places;
    const llvm::Align align(ElementBytes(stored_));
    for (unsigned i = 0; i < tile_.rows * tile_.vectors; ++i) {
      const int64_t offset =
          i / tile_.vectors * n_ + int64_t{i % tile_.vectors} * tile_.width;
      places.push_back(
          b_.CreateGEP(StoredLanes()->getScalarType(), d, c_.I64(offset)));
      sums.push_back(c_.NewSlot(vector));
      llvm::Value* old = b_.CreateAlignedLoad(StoredLanes(), places[i], align);
      b_.CreateStore(EmitConvert(c_, old, stored_, compute_), sums[i]);
    }
    c_.Loop(c_.I64(0), depth_, 1,
            [&](llvm::Value* k) { Step(rows, panel, k, sums); });
    for (unsigned i = 0; i < sums.size(); ++i) {
      b_.CreateAlignedStore(
          EmitConvert(c_, c_.Load(sums[i]), compute_, stored_), places[i],
          align);
    }
  }

  // One element of each row of a, times one row of the panel.
  void Step(llvm::Value* rows, llvm::Value* panel, llvm::Value* k,
            llvm::ArrayRef<llvm::AllocaInst*> sums) {
    llvm::Type* vector = LanesOf(element_, tile_.width);
    llvm::Value* from = Offset(panel, b_.CreateMul(k, c_.I64(tile_.columns())));
    llvm::SmallVector<llvm::Value*, 2> line;
    for (unsigned j = 0; j < tile_.vectors; ++j) {
      line.push_back(b_.CreateAlignedLoad(
          vector, Offset(from, c_.I64(int64_t{j} * tile_.width)),
          llvm::Align(ElementBytes(compute_))));
    }
    llvm::Value* first = Offset(rows, k);
    for (unsigned i = 0; i < tile_.rows; ++i) {
      llvm::Value* at = Offset(first, c_.I64(i * a_buffer_.row_stride));
      llvm::Value* factor = b_.CreateLoad(element_, at);
      if (tile_.width > 1) {
        factor = b_.CreateVectorSplat(tile_.width, factor);
      }
      for (unsigned j = 0; j < tile_.vectors; ++j) {
        llvm::AllocaInst* sum = sums[i * tile_.vectors + j];
        b_.CreateStore(MultiplyAdd(factor, line[j], c_.Load(sum)), sum);
      }
    }
  }

  EmitContext& c_;
  llvm::IRBuilder<>& b_;
  const Item::Dot dot_;
  const Buffer& a_buffer_;
  const Buffer& b_buffer_;
  llvm::Value* depth_;
  const int64_t m_, n_;
  const mlir::Type compute_, stored_;
  llvm::Type* element_;
  const DotTile tile_;
};

}  // namespace

void EmitDotChunk(EmitContext& context, const Item& dot, llvm::Value* depth) {
  ChunkEmitter(context, dot, depth).Run();
}

}  // namespace quern
