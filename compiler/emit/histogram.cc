// Counts how many elements fall into each bin.
#include "compiler/emit/histogram.h"

#include "compiler/emit/types.h"

namespace quern {

void ClearHistogram(EmitContext& c, const Root& root) {
  const Buffer& counts = c.plan.buffers[root.buffers[0]];
  llvm::Type* type = RegisterType(c.context(), counts.element);
  c.Loop(c.I64(0), c.I64(counts.shape[0]), 1, [&](llvm::Value* index) {
    c.b.CreateStore(llvm::Constant::getNullValue(type),
                    c.b.CreateGEP(type, c.buffers[root.buffers[0]], index));
  });
}

void ComputeHistogram(EmitContext& c, Tile& tile, const Root& root,
                      const DimMap& map) {
  auto histogram = llvm::cast<tt::HistogramOp>(root.op);
  const Buffer& counts = c.plan.buffers[root.buffers[0]];
  llvm::Type* type = RegisterType(c.context(), counts.element);
  llvm::Value* bin =
      c.b.CreateSExt(tile.Lanes(histogram.getSrc(), map), c.b.getInt64Ty());
  llvm::Value* counted = c.b.CreateICmpULT(bin, c.I64(counts.shape[0]));
  if (histogram.getMask()) {
    counted = c.b.CreateAnd(counted, tile.Lanes(histogram.getMask(), map));
  }
  c.If(counted, [&] {
    llvm::Value* at = c.b.CreateGEP(type, c.buffers[root.buffers[0]], bin);
    c.b.CreateStore(c.b.CreateAdd(c.b.CreateLoad(type, at),
                                  llvm::ConstantInt::get(type, 1)),
                    at);
  });
}

}  // namespace quern
