// The functions of device libraries that kernels name.
#include "compiler/emit/extern_functions.h"

#include "compiler/builtins/math.h"
#include "compiler/emit/float_remainder.h"
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
      .Cases("exp10", "fast_exp10", MathFunction::kExp10)
      .Case("expm1", MathFunction::kExpm1)
      .Cases("log", "fast_log", MathFunction::kLog)
      .Cases("log2", "fast_log2", MathFunction::kLog2)
      .Cases("log10", "fast_log10", MathFunction::kLog10)
      .Case("log1p", MathFunction::kLog1p)
      .Cases("sin", "fast_sin", MathFunction::kSin)
      .Cases("cos", "fast_cos", MathFunction::kCos)
      .Cases("tan", "fast_tan", MathFunction::kTan)
      .Case("sinpi", MathFunction::kSinpi)
      .Case("cospi", MathFunction::kCospi)
      .Case("asin", MathFunction::kAsin)
      .Case("acos", MathFunction::kAcos)
      .Case("atan", MathFunction::kAtan)
      .Case("atan2", MathFunction::kAtan2)
      .Case("sinh", MathFunction::kSinh)
      .Case("cosh", MathFunction::kCosh)
      .Cases("tanh", "fast_tanh", MathFunction::kTanh)
      .Case("asinh", MathFunction::kAsinh)
      .Case("acosh", MathFunction::kAcosh)
      .Case("atanh", MathFunction::kAtanh)
      .Case("erf", MathFunction::kErf)
      .Case("erfc", MathFunction::kErfc)
      .Case("erfcx", MathFunction::kErfcx)
      .Case("erfinv", MathFunction::kErfinv)
      .Case("lgamma", MathFunction::kLgamma)
      .Cases("pow", "fast_pow", MathFunction::kPow)
      .Case("cbrt", MathFunction::kCbrt)
      .Case("hypot", MathFunction::kHypot)
      .Case("nextafter", MathFunction::kNextafter)
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
    case MathFunction::kHypot:
    case MathFunction::kNextafter:
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

// How many bits: set, leading zeros, or the place of the first from 1.
llvm::Value* EmitCount(llvm::IRBuilder<>& b, llvm::StringRef symbol,
                       llvm::Value* x) {
  if (symbol.starts_with("__nv_popc")) {
    return b.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, x);
  }
  if (symbol.starts_with("__nv_clz")) {
    return b.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, x, b.getFalse());
  }
  if (!symbol.starts_with("__nv_ffs")) return nullptr;
  llvm::Type* type = x->getType();
  llvm::Value* trailing =
      b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, x, b.getFalse());
  llvm::Value* zero = llvm::Constant::getNullValue(type);
  return b.CreateSelect(b.CreateICmpEQ(x, zero), zero,
                        b.CreateAdd(trailing, llvm::ConstantInt::get(type, 1)));
}

llvm::Intrinsic::ID ExtremeNamed(llvm::StringRef symbol) {
  return llvm::StringSwitch<llvm::Intrinsic::ID>(symbol)
      .Cases("__nv_min", "__nv_llmin", llvm::Intrinsic::smin)
      .Cases("__nv_max", "__nv_llmax", llvm::Intrinsic::smax)
      .Cases("__nv_umin", "__nv_ullmin", llvm::Intrinsic::umin)
      .Cases("__nv_umax", "__nv_ullmax", llvm::Intrinsic::umax)
      .Default(llvm::Intrinsic::not_intrinsic);
}

llvm::Value* EmitInteger(llvm::IRBuilder<>& b, llvm::StringRef symbol,
                         Args args, llvm::Type* result) {
  llvm::Value* x = args[0];
  if (llvm::Value* count = EmitCount(b, symbol, x)) {
    return b.CreateZExtOrTrunc(count, result);
  }
  if (symbol == "__nv_int_as_float" || symbol == "__nv_longlong_as_double") {
    return b.CreateBitCast(x, result);
  }
  if (x->getType() != result) return nullptr;
  if (symbol.starts_with("__nv_brev")) {
    return b.CreateUnaryIntrinsic(llvm::Intrinsic::bitreverse, x);
  }
  if (symbol == "__nv_abs" || symbol == "__nv_llabs") {
    return b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x, b.getFalse());
  }
  if (args.size() == 2 && args[1]->getType() == result) {
    const llvm::Intrinsic::ID extreme = ExtremeNamed(symbol);
    if (extreme != llvm::Intrinsic::not_intrinsic) {
      return b.CreateBinaryIntrinsic(extreme, x, args[1]);
    }
  }
  if (symbol == "__nv_mulhi" && args.size() == 2 &&
      x->getType()->getScalarSizeInBits() == 32) {
    llvm::Type* wide = LanesOf(b.getInt64Ty(), WidthOf(x));
    llvm::Value* product =
        b.CreateMul(b.CreateSExt(x, wide), b.CreateSExt(args[1], wide));
    return b.CreateTrunc(b.CreateAShr(product, 32), result);
  }
  return nullptr;
}

// Functions of a float and an integer, or from one to the other's type.
llvm::Value* EmitMixed(EmitContext& c, llvm::StringRef symbol, Args args,
                       llvm::Type* result) {
  llvm::IRBuilder<>& b = c.b;
  const MathTarget target{c.plan.target.avx512};
  if (symbol == "__nv_float_as_int" || symbol == "__nv_double_as_longlong") {
    return b.CreateBitCast(args[0], result);
  }
  if (symbol == "__nv_float2int_rn") {
    return b.CreateFreeze(
        b.CreateFPToSI(EmitMath(b, MathFunction::kRint, args, target), result));
  }
  if (symbol == "__nv_powif" && args.size() == 2) {
    llvm::Value* exponent = b.CreateSIToFP(args[1], result);
    return EmitMath(b, MathFunction::kPow, {args[0], exponent}, target);
  }
  const llvm::StringRef stem =
      Stem(symbol, result->getScalarType()->isFloatTy());
  if ((stem == "ldexp" || stem == "scalbn") && args.size() == 2 &&
      args[0]->getType() == result &&
      args[1]->getType()->isIntOrIntVectorTy()) {
    llvm::Value* exponent = b.CreateSIToFP(args[1], result);
    return EmitMath(b, MathFunction::kLdexp, {args[0], exponent}, target);
  }
  return nullptr;
}

// One over what another function gives.
llvm::Value* EmitReciprocal(llvm::IRBuilder<>& b, llvm::StringRef stem, Args a,
                            const MathTarget& target) {
  llvm::Value* divisor = nullptr;
  if (a.size() == 1 && (stem == "frcp_rn" || stem == "drcp_rn")) divisor = a[0];
  if (a.size() == 1 && stem == "rcbrt") {
    divisor = EmitMath(b, MathFunction::kCbrt, a, target);
  }
  if (stem == "rhypot" && a.size() == 2) {
    divisor = EmitMath(b, MathFunction::kHypot, a, target);
  }
  if (!divisor) return nullptr;
  return b.CreateFDiv(llvm::ConstantFP::get(divisor->getType(), 1.0), divisor);
}

// Arithmetic that rounds each result: none of it becomes part of an FMA.
llvm::Value* EmitRounded(llvm::IRBuilder<>& b, llvm::StringRef stem, Args a) {
  llvm::IRBuilder<>::FastMathFlagGuard guard(b);
  b.clearFastMathFlags();
  if (stem == "fadd_rn" || stem == "dadd_rn") return b.CreateFAdd(a[0], a[1]);
  if (stem == "fsub_rn" || stem == "dsub_rn") return b.CreateFSub(a[0], a[1]);
  if (stem == "fmul_rn" || stem == "dmul_rn") return b.CreateFMul(a[0], a[1]);
  return nullptr;
}

llvm::Value* EmitOfTwo(llvm::IRBuilder<>& b, llvm::StringRef stem, Args a) {
  auto binary = [&](llvm::Intrinsic::ID id) {
    return b.CreateBinaryIntrinsic(id, a[0], a[1]);
  };
  if (stem == "fast_divide" || stem == "fdiv_rn" || stem == "ddiv_rn" ||
      stem == "fast_fdivide") {
    return b.CreateFDiv(a[0], a[1]);
  }
  if (stem == "fdim") {
    llvm::Value* zero = llvm::Constant::getNullValue(a[0]->getType());
    return b.CreateSelect(b.CreateFCmpOLE(a[0], a[1]), zero,
                          b.CreateFSub(a[0], a[1]));
  }
  if (stem == "copysign") return binary(llvm::Intrinsic::copysign);
  if (stem == "fmax") return binary(llvm::Intrinsic::maxnum);
  if (stem == "fmin") return binary(llvm::Intrinsic::minnum);
  if (stem == "fmod") return EmitFloatRemainder(b, a[0], a[1]);
  return EmitRounded(b, stem, a);
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
  if (llvm::Value* mixed = EmitMixed(c, symbol, args, result)) return mixed;
  if (result->isIntOrIntVectorTy()) {
    return EmitTest(c.b, symbol, args[0], result);
  }
  const bool same_types = llvm::all_of(
      args, [&](llvm::Value* arg) { return arg->getType() == result; });
  if (!same_types) return nullptr;
  const llvm::StringRef stem = Stem(symbol, element->isFloatTy());
  if (args.size() == 2) {
    if (llvm::Value* value = EmitOfTwo(c.b, stem, args)) return value;
  }
  const MathTarget target{c.plan.target.avx512};
  if (llvm::Value* value = EmitReciprocal(c.b, stem, args, target)) {
    return value;
  }
  const std::optional<MathFunction> function = FunctionNamed(stem);
  if (!function || ArgumentsOf(*function) != args.size()) return nullptr;
  return EmitMath(c.b, *function, args, target);
}

}  // namespace quern
