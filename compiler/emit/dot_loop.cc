// The product of packed operands of a loop that sums up a matrix product.
#include "compiler/emit/emit_context.h"
#include "compiler/emit/lane_dot.h"
#include "compiler/emit/types.h"
#include "compiler/plan/dot_tile.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

// d[M, N] += a[M, depth] x b[depth, N]: rows of a are `row_stride` apart, or
// anywhere; b lies in panels of as many columns as a tile has, d is row-major.
class ChunkEmitter {
 public:
  ChunkEmitter(EmitContext& context, const Item& loop, const Item& dot,
               llvm::Value* depth, llvm::Value* moved)
      : c_(context),
        b_(context.b),
        loop_(loop),
        dot_(dot.dot),
        a_buffer_(context.plan.buffers[dot_.a]),
        b_buffer_(context.plan.buffers[dot_.b]),
        depth_(depth),
        moved_(moved),
        m_(a_buffer_.shape[0]),
        n_(b_buffer_.shape[1]),
        stored_(context.plan.buffers[dot_.d].element),
        compute_(dot_.lane_elements > 1 ? stored_ : b_buffer_.element),
        element_(RegisterType(context.context(), compute_)),
        tile_(DotTileOf(context.plan.target, ElementBytes(compute_), m_, n_)) {
    // From here on an element is what a lane holds, all of it.
    if (dot_.lane_elements == 1) return;
    depth_ = b_.CreateLShr(depth_, llvm::Log2_32(dot_.lane_elements));
  }

  // Rows within panels: a panel of b stays in the cache nearest to the core
  // while all rows of a pass by.
  void Run() {
    if (moved_) FetchRows();
    llvm::Value* const rows_end = End(m_, loop_.cuts[0]);
    llvm::Value* const columns_end = End(n_, loop_.cuts[1]);
    c_.Loop(c_.I64(0), columns_end, tile_.columns(), [&](llvm::Value* column) {
      llvm::Value* panel =
          Offset(c_.buffers[dot_.b],
                 b_.CreateMul(column, c_.I64(b_buffer_.panel_rows /
                                             int64_t{dot_.lane_elements})));
      if (dot_.lane_elements > 1) Interleave(panel);
      c_.Loop(c_.I64(0), rows_end, tile_.rows, [&](llvm::Value* row) {
        llvm::Value* sums =
            b_.CreateGEP(StoredLanes()->getScalarType(), c_.buffers[dot_.d],
                         b_.CreateAdd(b_.CreateMul(row, c_.I64(n_)), column));
        Tile(RowsFrom(row), panel, sums);
      });
    });
  }

 private:
  using Rows = llvm::SmallVector<llvm::Value*, 8>;

  // Where the loop over `size` indices may end.
  llvm::Value* End(int64_t size, const std::optional<Item::Cut>& cut) {
    if (!cut) return c_.I64(size);
    llvm::Type* i64 = b_.getInt64Ty();
    llvm::Value* left = b_.CreateSub(b_.CreateSExt(c_.Scalar(cut->limit), i64),
                                     b_.CreateSExt(c_.Scalar(cut->first), i64));
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, left, c_.I64(size));
  }

  llvm::Value* Offset(llvm::Value* base, llvm::Value* elements) {
    return b_.CreateGEP(element_, base, elements);
  }
  llvm::Type* StoredLanes() {
    return LanesOf(RegisterType(c_.context(), stored_), tile_.width);
  }
  llvm::Value* MultiplyAdd(llvm::Value* x, llvm::Value* y, llvm::Value* sum) {
    if (dot_.lane_elements > 1) {
      return EmitLaneDot(c_, x, y, sum, dot_.lane_elements);
    }
    if (element_->isIntegerTy()) {
      return b_.CreateAdd(sum, b_.CreateMul(x, y));
    }
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()},
                              {x, y, sum});
  }

  // Puts the elements of a column that a lane multiplies side by side: rows of
  // the panel change places with lanes, where they are.
  void Interleave(llvm::Value* panel) {
    const unsigned elements = dot_.lane_elements;
    const unsigned columns = tile_.columns();
    llvm::Type* narrow =
        LanesOf(b_.getIntNTy(32 / elements), columns * elements);
    llvm::SmallVector<int> order;
    for (unsigned i = 0; i < columns * elements; ++i) {
      order.push_back(i % elements * columns + i / elements);
    }
    c_.Loop(c_.I64(0), depth_, 1, [&](llvm::Value* k) {
      llvm::Value* place =
          Offset(panel, b_.CreateMul(k, c_.I64(tile_.columns())));
      llvm::Value* rows = b_.CreateAlignedLoad(narrow, place, llvm::Align(4));
      b_.CreateAlignedStore(b_.CreateShuffleVector(rows, order), place,
                            llvm::Align(4));
    });
  }

  // Rows that are far from each other in memory, read one element at a time,
  // come too late if they come when they are used.
  void FetchRows() {
    constexpr int64_t kLineBytes = 64;
    const int64_t line = kLineBytes / ElementBytes(compute_);
    llvm::Type* pointer = b_.getPtrTy();
    c_.Loop(c_.I64(0), c_.I64(m_), 1, [&](llvm::Value* row) {
      llvm::Value* place = b_.CreateGEP(pointer, c_.buffers[dot_.a], row);
      llvm::Value* first = Offset(b_.CreateLoad(pointer, place), moved_);
      c_.Loop(c_.I64(0), depth_, line, [&](llvm::Value* k) {
        b_.CreateIntrinsic(
            llvm::Intrinsic::prefetch, {pointer},
            {Offset(first, k), b_.getInt32(0), b_.getInt32(2), b_.getInt32(1)});
      });
    });
  }

  // Where the tile's rows of a begin.
  Rows RowsFrom(llvm::Value* row) {
    Rows rows;
    if (!moved_) {
      const int64_t stride = a_buffer_.row_stride / int64_t{dot_.lane_elements};
      llvm::Value* first =
          Offset(c_.buffers[dot_.a], b_.CreateMul(row, c_.I64(stride)));
      for (unsigned i = 0; i < tile_.rows; ++i) {
        rows.push_back(Offset(first, c_.I64(i * stride)));
      }
      return rows;
    }
    llvm::Type* pointer = b_.getPtrTy();
    for (unsigned i = 0; i < tile_.rows; ++i) {
      llvm::Value* place = b_.CreateGEP(pointer, c_.buffers[dot_.a],
                                        b_.CreateAdd(row, c_.I64(i)));
      rows.push_back(Offset(b_.CreateLoad(pointer, place), moved_));
    }
    return rows;
  }

  void Tile(const Rows& rows, llvm::Value* panel, llvm::Value* d) {
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
  void Step(const Rows& rows, llvm::Value* panel, llvm::Value* k,
            llvm::ArrayRef<llvm::AllocaInst*> sums) {
    llvm::Type* vector = LanesOf(element_, tile_.width);
    llvm::Value* from = Offset(panel, b_.CreateMul(k, c_.I64(tile_.columns())));
    llvm::SmallVector<llvm::Value*, 2> line;
    for (unsigned j = 0; j < tile_.vectors; ++j) {
      line.push_back(b_.CreateAlignedLoad(
          vector, Offset(from, c_.I64(int64_t{j} * tile_.width)),
          llvm::Align(ElementBytes(compute_))));
    }
    for (unsigned i = 0; i < tile_.rows; ++i) {
      llvm::Value* factor = b_.CreateLoad(element_, Offset(rows[i], k));
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
  const Item& loop_;
  const Item::Dot dot_;
  const Buffer& a_buffer_;
  const Buffer& b_buffer_;
  llvm::Value* depth_;
  llvm::Value* moved_;
  const int64_t m_, n_;
  const mlir::Type stored_, compute_;
  llvm::Type* element_;
  const DotTile tile_;
};

}  // namespace

void EmitDotChunk(EmitContext& context, const Item& loop, const Item& dot,
                  llvm::Value* depth, llvm::Value* moved) {
  ChunkEmitter(context, loop, dot, depth, moved).Run();
}

}  // namespace quern
