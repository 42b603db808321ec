// Matrix products of buffers: micro-kernels with accumulators in registers.
#include "compiler/emit/emit_context.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

// d[M, N] += a[M, K] x b[K, N], all row-major in scratch memory.
class DotEmitter {
 public:
  DotEmitter(EmitContext& context, const Item& item)
      : c_(context), b_(context.b), dot_(item.dot) {
    const llvm::ArrayRef<int64_t> a = ShapeOf(item.op->getOperand(0));
    const llvm::ArrayRef<int64_t> d = ShapeOf(item.op->getResult(0));
    rank_ = d.size();
    batch_ = rank_ == 3 ? d[0] : 1;
    m_ = d[rank_ - 2];
    n_ = d[rank_ - 1];
    k_ = a[rank_ - 1];
    compute_ = c_.plan.buffers[dot_.a].element;
    stored_ = c_.plan.buffers[dot_.d].element;
    element_ = RegisterType(c_.context(), compute_);
    const int64_t lanes = c_.plan.target.vector_bytes / ElementBytes(compute_);
    width_ = std::min(lanes, n_);
    columns_ = n_ >= 2 * width_ ? 2 : 1;
    // As many rows as registers hold, with room for a row of b.
    const int64_t registers = c_.plan.target.vector_registers;
    const int64_t rows = (registers - columns_ - 1) / columns_ >= 8 ? 8 : 4;
    rows_ = std::min(rows, m_);
  }

  void Run() {
    c_.Loop(c_.I64(0), c_.I64(batch_), 1, [&](llvm::Value* batch) {
      c_.Loop(c_.I64(0), c_.I64(m_), rows_, [&](llvm::Value* row) {
        c_.Loop(c_.I64(0), c_.I64(n_), int64_t{width_} * columns_,
                [&](llvm::Value* column) { Tile(batch, row, column); });
      });
    });
  }

 private:
  llvm::Value* Element(uint32_t buffer, llvm::Value* batch, int64_t rows,
                       int64_t columns, llvm::Value* row, llvm::Value* column) {
    llvm::Type* type =
        RegisterType(c_.context(), c_.plan.buffers[buffer].element);
    llvm::Value* line = b_.CreateAdd(b_.CreateMul(batch, c_.I64(rows)), row);
    llvm::Value* offset =
        b_.CreateAdd(b_.CreateMul(line, c_.I64(columns)), column);
    return b_.CreateGEP(type, c_.buffers[buffer], offset);
  }

  llvm::Value* Splat(llvm::Value* value) {
    return width_ == 1 ? value : b_.CreateVectorSplat(width_, value);
  }

  llvm::Value* MultiplyAdd(llvm::Value* x, llvm::Value* y, llvm::Value* sum) {
    if (element_->isIntegerTy()) {
      return b_.CreateAdd(sum, b_.CreateMul(x, y));
    }
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()},
                              {x, y, sum});
  }

  // One tile of d: its sums stay in registers over all of k.
  void Tile(llvm::Value* batch, llvm::Value* row, llvm::Value* column) {
    llvm::Type* vector = LanesOf(element_, width_);
    llvm::Type* stored = LanesOf(RegisterType(c_.context(), stored_), width_);
    llvm::Value* d = Element(dot_.d, batch, m_, n_, row, column);
    llvm::SmallVector<llvm::AllocaInst*> sums;
    llvm::SmallVector<llvm::Value*> places;
    const llvm::Align align(ElementBytes(stored_));
    for (unsigned i = 0; i < rows_ * columns_; ++i) {
      const int64_t offset = i / columns_ * n_ + int64_t{i % columns_} * width_;
      places.push_back(
          b_.CreateGEP(stored->getScalarType(), d, c_.I64(offset)));
      sums.push_back(c_.NewSlot(vector));
      llvm::Value* old = b_.CreateAlignedLoad(stored, places[i], align);
      b_.CreateStore(EmitConvert(c_, old, stored_, compute_), sums[i]);
    }
    llvm::Value* a = Element(dot_.a, batch, m_, k_, row, c_.I64(0));
    llvm::Value* b = Element(dot_.b, batch, k_, n_, c_.I64(0), column);
    c_.Loop(c_.I64(0), c_.I64(k_), 1, [&](llvm::Value* k) {
      llvm::SmallVector<llvm::Value*, 2> line;
      llvm::Value* from =
          b_.CreateGEP(element_, b, b_.CreateMul(k, c_.I64(n_)));
      for (unsigned j = 0; j < columns_; ++j) {
        line.push_back(b_.CreateAlignedLoad(
            vector, b_.CreateGEP(element_, from, c_.I64(int64_t{j} * width_)),
            llvm::Align(ElementBytes(compute_))));
      }
      llvm::Value* first = b_.CreateGEP(element_, a, k);
      for (unsigned i = 0; i < rows_; ++i) {
        llvm::Value* at = b_.CreateGEP(element_, first, c_.I64(i * k_));
        llvm::Value* factor = Splat(b_.CreateLoad(element_, at));
        for (unsigned j = 0; j < columns_; ++j) {
          llvm::AllocaInst* sum = sums[i * columns_ + j];
          b_.CreateStore(MultiplyAdd(factor, line[j], c_.Load(sum)), sum);
        }
      }
    });
    for (unsigned i = 0; i < sums.size(); ++i) {
      b_.CreateAlignedStore(
          EmitConvert(c_, c_.Load(sums[i]), compute_, stored_), places[i],
          align);
    }
  }

  EmitContext& c_;
  llvm::IRBuilder<>& b_;
  const Item::Dot dot_;
  unsigned rank_;
  int64_t batch_, m_, n_, k_;
  mlir::Type compute_, stored_;
  llvm::Type* element_;
  unsigned width_, columns_, rows_;
};

}  // namespace

void EmitDot(EmitContext& context, const Item& item) {
  DotEmitter(context, item).Run();
}

}  // namespace quern
