// The functions of device libraries that kernels name.
#include "compiler/emit/extern_functions.h"

#include "compiler/builtins/math.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/Intrinsics.h"

namespace quern {
namespace {

using Args = llvm::ArrayRef<llvm::Value*>;

// The name that f32 and f64 share: `__nv_expf`, `__nv_exp` and `exp` are exp.
llvm::StringRef Stem(llvm::StringRef symbol, bool is_float) {
  symbol.consume_front("__nv_");
  if (is_float) symbol.consume_back("f");
  return symbol;
}

std::optional<MathFunction> FunctionNamed(llvm::StringRef stem) {
  return llvm::StringSwitch<std::optional<MathFunction>>(stem)
      .Cases("exp", "fast_exp", MathFunction::kExp)
      .Case("exp2", MathFunction::kExp2)
      .Case("expm1", MathFunction::kExpm1)
      .Cases("log", "fast_log", MathFunction::kLog)
      .Cases("log2", "fast_log2", MathFunction::kLog2)
      .Cases("log10", "fast_log10", MathFunction::kLog10)
      .Case("log1p", MathFunction::kLog1p)
      .Cases("sin", "fast_sin", MathFunction::kSin)
      .Cases("cos", "fast_cos", MathFunction::kCos)
      .Cases("tan", "fast_tan", MathFunction::kTan)
      .Case("asin", MathFunction::kAsin)
      .Case("acos", MathFunction::kAcos)
      .Case("atan", MathFunction::kAtan)
      .Case("atan2", MathFunction::kAtan2)
      .Case("sinh", MathFunction::kSinh)
      .Case("cosh", MathFunction::kCosh)
      .Cases("tanh", "fast_tanh", MathFunction::kTanh)
      .Case("erf", MathFunction::kErf)
      .Case("erfc", MathFunction::kErfc)
      .Cases("pow", "fast_pow", MathFunction::kPow)
      .Cases("sqrt", "fsqrt_rn", "dsqrt_rn", MathFunction::kSqrt)
      .Cases("rsqrt", "rsqrt_rn", MathFunction::kRsqrt)
      .Case("floor", MathFunction::kFloor)
      .Case("ceil", MathFunction::kCeil)
      .Case("trunc", MathFunction::kTrunc)
      .Cases("rint", "nearbyint", MathFunction::kRint)
      .Case("round", MathFunction::kRound)
      .Case("fabs", MathFunction::kAbs)
      .Cases("fma", "fmaf_rn", "fma_rn", MathFunction::kFma)
      .Default(std::nullopt);
}

unsigned ArgumentsOf(MathFunction function) {
  switch (function) {
    case MathFunction::kAtan2:
    case MathFunction::kPow:
      return 2;
    case MathFunction::kFma:
      return 3;
    default:
      return 1;
  }
}

// Questions about a float, answered by an integer, as in C.
llvm::Value* EmitTest(llvm::IRBuilder<>& b, llvm::StringRef symbol,
                      llvm::Value* x, llvm::Type* result) {
  llvm::Value* magnitude = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  llvm::Value* infinity =
      llvm::ConstantFP::getInfinity(x->getType(), /*Negative=*/false);
  llvm::Value* answer = nullptr;
  if (symbol.starts_with("__nv_isnan")) {
    answer = b.CreateFCmpUNO(x, x);
  } else if (symbol.starts_with("__nv_isinf")) {
    answer = b.CreateFCmpOEQ(magnitude, infinity);
  } else if (symbol.starts_with("__nv_finite") ||
             symbol.starts_with("__nv_isfinite")) {
    answer = b.CreateFCmpOLT(magnitude, infinity);
  } else if (symbol.starts_with("__nv_signbit")) {
    llvm::Type* bits =
        LanesOf(b.getIntNTy(x->getType()->getScalarSizeInBits()), WidthOf(x));
    answer = b.CreateICmpSLT(b.CreateBitCast(x, bits),
                             llvm::Constant::getNullValue(bits));
  }
  return answer ? b.CreateZExt(answer, result) : nullptr;
}

llvm::Value* EmitInteger(llvm::IRBuilder<>& b, llvm::StringRef symbol,
                         Args args, llvm::Type* result) {
  using llvm::Intrinsic::ID;
  llvm::Value* x = args[0];
  llvm::Value* count = nullptr;
  if (symbol.starts_with("__nv_popc")) {
    count = b.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, x);
  } else if (symbol.starts_with("__nv_clz")) {
    count = b.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, x, b.getFalse());
  } else if (symbol.starts_with("__nv_ffs")) {
    llvm::Value* trailing =
        b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, x, b.getFalse());
    llvm::Type* type = x->getType();
    count =
        b.CreateSelect(b.CreateICmpEQ(x, llvm::Constant::getNullValue(type)),
                       llvm::Constant::getNullValue(type),
                       b.CreateAdd(trailing, llvm::ConstantInt::get(type, 1)));
  }
  return count ? b.CreateZExtOrTrunc(count, result) : nullptr;
}

}  // namespace

llvm::Value* EmitExternFunction(EmitContext& c, tt::ExternElementwiseOp op,
                                Args args) {
  if (args.empty()) return nullptr;
  const llvm::StringRef symbol = op.getSymbol();
  llvm::Type* result = LanesOf(
      RegisterType(c.context(), ElementOf(op.getResult())), WidthOf(args[0]));
  llvm::Type* element = args[0]->getType()->getScalarType();
  if (element->isIntegerTy()) return EmitInteger(c.b, symbol, args, result);
  if (!element->isFloatTy() && !element->isDoubleTy()) return nullptr;
  if (result->isIntOrIntVectorTy()) {
    return EmitTest(c.b, symbol, args[0], result);
  }
  const bool same_types = llvm::all_of(
      args, [&](llvm::Value* arg) { return arg->getType() == result; });
  if (!same_types) return nullptr;
  const llvm::StringRef stem = Stem(symbol, element->isFloatTy());
  if (args.size() == 2) {
    if (stem == "fast_divide" || stem == "fdiv_rn" || stem == "ddiv_rn" ||
        stem == "fast_fdivide") {
      return c.b.CreateFDiv(args[0], args[1]);
    }
    if (stem == "copysign") {
      return c.b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, args[0],
                                       args[1]);
    }
    if (stem == "fmax") {
      return c.b.CreateBinaryIntrinsic(llvm::Intrinsic::maxnum, args[0],
                                       args[1]);
    }
    if (stem == "fmin") {
      return c.b.CreateBinaryIntrinsic(llvm::Intrinsic::minnum, args[0],
                                       args[1]);
    }
  }
  const std::optional<MathFunction> function = FunctionNamed(stem);
  if (!function || ArgumentsOf(*function) != args.size()) return nullptr;
  return EmitMath(c.b, *function, args, MathTarget{c.plan.target.avx512});
}

}  // namespace quern
