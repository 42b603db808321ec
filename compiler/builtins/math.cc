// Chooses the emitter of a mathematical function.
#include "compiler/builtins/math.h"

#include "compiler/builtins/functions.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/Support/ErrorHandling.h"

namespace quern {

llvm::Value* EmitInDoubles(const Lanes& l,
                           llvm::Value* (*emit)(const Lanes&, llvm::Value*),
                           llvm::Value* x) {
  llvm::IRBuilderBase& builder = l.builder();
  const Lanes wide(builder, l.double_type(), l.target());
  llvm::Value* result = emit(wide, builder.CreateFPExt(x, wide.type()));
  return builder.CreateFPTrunc(result, l.type());
}

namespace {

// The functions that are built on others.
llvm::Value* EmitSpecial(const Lanes& l, MathFunction function,
                         llvm::ArrayRef<llvm::Value*> arguments) {
  llvm::Value* x = arguments.front();
  switch (function) {
    case MathFunction::kExp10:
      return EmitPow(l, l.F(10.0), x);
    case MathFunction::kAsinh:
      return EmitAsinh(l, x);
    case MathFunction::kAcosh:
      return EmitAcosh(l, x);
    case MathFunction::kAtanh:
      return EmitAtanh(l, x);
    case MathFunction::kSinpi:
      return EmitSinpi(l, x);
    case MathFunction::kCospi:
      return EmitCospi(l, x);
    case MathFunction::kErfcx:
      return EmitErfcx(l, x);
    case MathFunction::kErfinv:
      return EmitErfinv(l, x);
    case MathFunction::kLgamma:
      return EmitLgamma(l, x);
    case MathFunction::kCbrt:
      return EmitCbrt(l, x);
    case MathFunction::kHypot:
      return EmitHypot(l, x, arguments[1]);
    case MathFunction::kLdexp:
      return EmitLdexp(l, x, arguments[1]);
    case MathFunction::kNextafter:
      return EmitNextafter(l, x, arguments[1]);
    default:
      return nullptr;
  }
}

// Functions that are an instruction or two.
llvm::Value* EmitSimple(const Lanes& l, MathFunction function,
                        llvm::ArrayRef<llvm::Value*> arguments) {
  llvm::Value* x = arguments.front();
  switch (function) {
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
    case MathFunction::kRound: {
      // The largest number below 1/2, so that no sum is rounded up to 1.
      const double half = l.is_double() ? 0x1.fffffffffffffp-2 : 0x1.fffffep-2;
      llvm::Value* moved = l.Add(x, l.CopySign(l.F(half), x));
      return l.Unary(llvm::Intrinsic::trunc, moved);
    }
    case MathFunction::kAbs:
      return l.Abs(x);
    case MathFunction::kFma:
      return l.Fma(x, arguments[1], arguments[2]);
    default:
      llvm_unreachable("EmitMath handles the other functions");
  }
}

}  // namespace

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
    case MathFunction::kExpm1:
      return EmitExpm1(l, x);
    case MathFunction::kLog:
      return EmitLog(l, x);
    case MathFunction::kLog2:
      return EmitLog2(l, x);
    case MathFunction::kLog10:
      return EmitLog10(l, x);
    case MathFunction::kLog1p:
      return EmitLog1p(l, x);
    case MathFunction::kSin:
      return EmitSin(l, x);
    case MathFunction::kCos:
      return EmitCos(l, x);
    case MathFunction::kTan:
      return EmitTan(l, x);
    case MathFunction::kAsin:
      return EmitAsin(l, x);
    case MathFunction::kAcos:
      return EmitAcos(l, x);
    case MathFunction::kAtan:
      return EmitAtan(l, x);
    case MathFunction::kAtan2:
      return EmitAtan2(l, x, arguments[1]);
    case MathFunction::kSinh:
      return EmitSinh(l, x);
    case MathFunction::kCosh:
      return EmitCosh(l, x);
    case MathFunction::kTanh:
      return EmitTanh(l, x);
    case MathFunction::kErf:
      return EmitErf(l, x);
    case MathFunction::kErfc:
      return EmitErfc(l, x);
    case MathFunction::kPow:
      return EmitPow(l, x, arguments[1]);
    default:
      if (llvm::Value* v = EmitSpecial(l, function, arguments)) return v;
      return EmitSimple(l, function, arguments);
  }
}

}  // namespace quern
