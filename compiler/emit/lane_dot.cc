// Instructions that multiply several narrow integers in a lane of 32 bits.
#include "compiler/emit/lane_dot.h"

#include "compiler/emit/types.h"
#include "llvm/IR/IntrinsicsAArch64.h"
#include "llvm/IR/IntrinsicsX86.h"

namespace quern {
namespace {

using llvm::Intrinsic::ID;

// Where no instruction has so many lanes: element by element.
llvm::Value* SpelledOut(llvm::IRBuilder<>& b, llvm::Value* x, llvm::Value* y,
                        llvm::Value* sum, unsigned elements) {
  const unsigned bits = 32 / elements;
  for (unsigned i = 0; i < elements; ++i) {
    auto element = [&](llvm::Value* lanes) {
      return b.CreateAShr(b.CreateShl(lanes, 32 - bits * (i + 1)), 32 - bits);
    };
    sum = b.CreateAdd(sum, b.CreateMul(element(x), element(y)));
  }
  return sum;
}

// Pairs of i16.
llvm::Value* DotOfPairs(EmitContext& c, llvm::Value* x, llvm::Value* y,
                        llvm::Value* sum) {
  const unsigned width = WidthOf(sum);
  if (c.plan.target.vnni && width == 16) {
    return c.b.CreateIntrinsic(llvm::Intrinsic::x86_avx512_vpdpwssd_512, {},
                               {sum, x, y});
  }
  ID id = llvm::Intrinsic::not_intrinsic;
  if (width == 16) id = llvm::Intrinsic::x86_avx512_pmaddw_d_512;
  if (width == 8) id = llvm::Intrinsic::x86_avx2_pmadd_wd;
  if (width == 4) id = llvm::Intrinsic::x86_sse2_pmadd_wd;
  if (id == llvm::Intrinsic::not_intrinsic) {
    return SpelledOut(c.b, x, y, sum, 2);
  }
  llvm::Type* pairs = LanesOf(c.b.getInt16Ty(), 2 * width);
  llvm::Value* products = c.b.CreateIntrinsic(
      id, {}, {c.b.CreateBitCast(x, pairs), c.b.CreateBitCast(y, pairs)});
  return c.b.CreateAdd(sum, products);
}

// Quadruples of i8.
llvm::Value* DotOfBytes(EmitContext& c, llvm::Value* x, llvm::Value* y,
                        llvm::Value* sum) {
  const unsigned width = WidthOf(sum);
  if (width != 4 && width != 2) return SpelledOut(c.b, x, y, sum, 4);
  llvm::Type* bytes = LanesOf(c.b.getInt8Ty(), 4 * width);
  return c.b.CreateIntrinsic(
      llvm::Intrinsic::aarch64_neon_sdot, {sum->getType(), bytes},
      {sum, c.b.CreateBitCast(x, bytes), c.b.CreateBitCast(y, bytes)});
}

}  // namespace

llvm::Value* EmitLaneDot(EmitContext& context, llvm::Value* a, llvm::Value* b,
                         llvm::Value* sum, unsigned elements) {
  return elements == 2 ? DotOfPairs(context, a, b, sum)
                       : DotOfBytes(context, a, b, sum);
}

}  // namespace quern
