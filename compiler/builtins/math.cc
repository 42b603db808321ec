// Chooses the emitter of a mathematical function.
#include "compiler/builtins/math.h"

#include "compiler/builtins/functions.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/Support/ErrorHandling.h"

namespace quern {

llvm::Value* EmitMath(llvm::IRBuilderBase& builder, MathFunction function,
                      llvm::ArrayRef<llvm::Value*> arguments,
                      const MathTarget& target) {
  llvm::Value* x = arguments.front();
  const Lanes l(builder, x->getType(), target);
  switch (function) {
    case MathFunction::kExp:
      return EmitExp(l, x);
    case MathFunction::kExp2:
      return EmitExp2(l, x);
    case MathFunction::kSqrt:
      return l.Sqrt(x);
    case MathFunction::kRsqrt:
      return l.Div(l.F(1.0), l.Sqrt(x));
    case MathFunction::kFloor:
      return l.Unary(llvm::Intrinsic::floor, x);
    case MathFunction::kCeil:
      return l.Unary(llvm::Intrinsic::ceil, x);
    case MathFunction::kTrunc:
      return l.Unary(llvm::Intrinsic::trunc, x);
    case MathFunction::kRint:
      return l.Unary(llvm::Intrinsic::roundeven, x);
    case MathFunction::kAbs:
      return l.Abs(x);
    case MathFunction::kFma:
      return l.Fma(x, arguments[1], arguments[2]);
  }
  llvm_unreachable("all functions are handled above");
}

}  // namespace quern
