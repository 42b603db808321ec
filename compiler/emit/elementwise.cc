// Arithmetic and mathematics of scalars and vectors.
#include "compiler/builtins/math.h"
#include "compiler/emit/casts.h"
#include "compiler/emit/division.h"
#include "compiler/emit/emit_context.h"
#include "compiler/emit/extern_functions.h"
#include "compiler/emit/float_remainder.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "llvm/IR/Intrinsics.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace quern {
namespace {

namespace arith = mlir::arith;
namespace math = mlir::math;
using Args = llvm::ArrayRef<llvm::Value*>;
using llvm::Intrinsic::ID;

llvm::CmpInst::Predicate IntPredicate(arith::CmpIPredicate predicate) {
  using From = arith::CmpIPredicate;
  using To = llvm::CmpInst::Predicate;
  switch (predicate) {
    case From::eq:
      return To::ICMP_EQ;
    case From::ne:
      return To::ICMP_NE;
    case From::slt:
      return To::ICMP_SLT;
    case From::sle:
      return To::ICMP_SLE;
    case From::sgt:
      return To::ICMP_SGT;
    case From::sge:
      return To::ICMP_SGE;
    case From::ult:
      return To::ICMP_ULT;
    case From::ule:
      return To::ICMP_ULE;
    case From::ugt:
      return To::ICMP_UGT;
    case From::uge:
      return To::ICMP_UGE;
  }
  return To::ICMP_EQ;
}

llvm::CmpInst::Predicate FloatPredicate(arith::CmpFPredicate predicate) {
  using From = arith::CmpFPredicate;
  using To = llvm::CmpInst::Predicate;
  switch (predicate) {
    case From::AlwaysFalse:
      return To::FCMP_FALSE;
    case From::OEQ:
      return To::FCMP_OEQ;
    case From::OGT:
      return To::FCMP_OGT;
    case From::OGE:
      return To::FCMP_OGE;
    case From::OLT:
      return To::FCMP_OLT;
    case From::OLE:
      return To::FCMP_OLE;
    case From::ONE:
      return To::FCMP_ONE;
    case From::ORD:
      return To::FCMP_ORD;
    case From::UEQ:
      return To::FCMP_UEQ;
    case From::UGT:
      return To::FCMP_UGT;
    case From::UGE:
      return To::FCMP_UGE;
    case From::ULT:
      return To::FCMP_ULT;
    case From::ULE:
      return To::FCMP_ULE;
    case From::UNE:
      return To::FCMP_UNE;
    case From::UNO:
      return To::FCMP_UNO;
    case From::AlwaysTrue:
      return To::FCMP_TRUE;
  }
  return To::FCMP_FALSE;
}

// The upper half of an unsigned product, without 128-bit arithmetic.
llvm::Value* EmitMulHigh(llvm::IRBuilder<>& b, llvm::Value* x, llvm::Value* y) {
  llvm::Type* type = x->getType();
  const unsigned bits = type->getScalarSizeInBits();
  if (bits <= 32) {
    llvm::Type* wide = LanesOf(b.getInt64Ty(), WidthOf(x));
    llvm::Value* product =
        b.CreateMul(b.CreateZExt(x, wide), b.CreateZExt(y, wide));
    return b.CreateTrunc(b.CreateLShr(product, bits), type);
  }
  auto low = [&](llvm::Value* v) {
    return b.CreateAnd(v, llvm::ConstantInt::get(type, 0xffffffffu));
  };
  auto high = [&](llvm::Value* v) { return b.CreateLShr(v, 32); };
  llvm::Value* xl = low(x);
  llvm::Value* xh = high(x);
  llvm::Value* yl = low(y);
  llvm::Value* yh = high(y);
  llvm::Value* lh = b.CreateMul(xl, yh);
  llvm::Value* hl = b.CreateMul(xh, yl);
  llvm::Value* middle =
      b.CreateAdd(high(b.CreateMul(xl, yl)), b.CreateAdd(low(lh), low(hl)));
  llvm::Value* upper = b.CreateAdd(b.CreateMul(xh, yh), high(middle));
  return b.CreateAdd(upper, b.CreateAdd(high(lh), high(hl)));
}

// Integer operations; null if `op` is none.
llvm::Value* EmitInteger(EmitContext& c, mlir::Operation* op, Args a) {
  llvm::IRBuilder<>& b = c.b;
  using Result = llvm::Value*;
  auto binary = [&](ID id) -> Result {
    return b.CreateBinaryIntrinsic(id, a[0], a[1]);
  };
  return llvm::TypeSwitch<mlir::Operation*, Result>(op)
      .Case([&](arith::AddIOp) { return b.CreateAdd(a[0], a[1]); })
      .Case([&](arith::SubIOp) { return b.CreateSub(a[0], a[1]); })
      .Case([&](arith::MulIOp) { return b.CreateMul(a[0], a[1]); })
      .Case([&](arith::AndIOp) { return b.CreateAnd(a[0], a[1]); })
      .Case([&](arith::OrIOp) { return b.CreateOr(a[0], a[1]); })
      .Case([&](arith::XOrIOp) { return b.CreateXor(a[0], a[1]); })
      .Case([&](arith::ShLIOp) { return b.CreateShl(a[0], a[1]); })
      .Case([&](arith::ShRSIOp) { return b.CreateAShr(a[0], a[1]); })
      .Case([&](arith::ShRUIOp) { return b.CreateLShr(a[0], a[1]); })
      .Case([&](arith::MaxSIOp) { return binary(llvm::Intrinsic::smax); })
      .Case([&](arith::MinSIOp) { return binary(llvm::Intrinsic::smin); })
      .Case([&](arith::MaxUIOp) { return binary(llvm::Intrinsic::umax); })
      .Case([&](arith::MinUIOp) { return binary(llvm::Intrinsic::umin); })
      .Case([&](arith::CmpIOp cmp) {
        return b.CreateICmp(IntPredicate(cmp.getPredicate()), a[0], a[1]);
      })
      .Case([&](arith::DivSIOp) {
        return EmitDivision(c, a[0], a[1], /*is_signed=*/true);
      })
      .Case([&](arith::DivUIOp) {
        return EmitDivision(c, a[0], a[1], /*is_signed=*/false);
      })
      .Case([&](arith::RemSIOp) {
        return EmitRemainder(c, a[0], a[1], /*is_signed=*/true);
      })
      .Case([&](arith::RemUIOp) {
        return EmitRemainder(c, a[0], a[1], /*is_signed=*/false);
      })
      .Case([&](tt::MulhiUIOp) { return EmitMulHigh(b, a[0], a[1]); })
      .Case([&](math::AbsIOp) {
        return b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, a[0],
                                       b.getFalse());
      })
      .Default(Result(nullptr));
}

std::optional<MathFunction> FunctionOf(mlir::Operation* op) {
  using Result = std::optional<MathFunction>;
  return llvm::TypeSwitch<mlir::Operation*, Result>(op)
      .Case([](math::ExpOp) { return MathFunction::kExp; })
      .Case([](math::Exp2Op) { return MathFunction::kExp2; })
      .Case([](math::ExpM1Op) { return MathFunction::kExpm1; })
      .Case([](math::LogOp) { return MathFunction::kLog; })
      .Case([](math::Log2Op) { return MathFunction::kLog2; })
      .Case([](math::Log10Op) { return MathFunction::kLog10; })
      .Case([](math::Log1pOp) { return MathFunction::kLog1p; })
      .Case([](math::SinOp) { return MathFunction::kSin; })
      .Case([](math::CosOp) { return MathFunction::kCos; })
      .Case([](math::TanOp) { return MathFunction::kTan; })
      .Case([](math::AtanOp) { return MathFunction::kAtan; })
      .Case([](math::Atan2Op) { return MathFunction::kAtan2; })
      .Case([](math::TanhOp) { return MathFunction::kTanh; })
      .Case([](math::ErfOp) { return MathFunction::kErf; })
      .Case([](math::PowFOp) { return MathFunction::kPow; })
      .Case([](math::SqrtOp) { return MathFunction::kSqrt; })
      .Case([](tt::PreciseSqrtOp) { return MathFunction::kSqrt; })
      .Case([](math::RsqrtOp) { return MathFunction::kRsqrt; })
      .Case([](math::FloorOp) { return MathFunction::kFloor; })
      .Case([](math::CeilOp) { return MathFunction::kCeil; })
      .Case([](math::TruncOp) { return MathFunction::kTrunc; })
      .Case([](math::RoundOp) { return MathFunction::kRound; })
      .Case([](math::RoundEvenOp) { return MathFunction::kRint; })
      .Case([](math::AbsFOp) { return MathFunction::kAbs; })
      .Case([](math::FmaOp) { return MathFunction::kFma; })
      .Default(Result());
}

llvm::Value* EmitClamp(llvm::IRBuilder<>& b, tt::ClampFOp clamp, Args a) {
  const bool keeps_nan = clamp.getPropagateNan() == tt::PropagateNan::kAll;
  const ID low = keeps_nan ? llvm::Intrinsic::maximum : llvm::Intrinsic::maxnum;
  const ID high =
      keeps_nan ? llvm::Intrinsic::minimum : llvm::Intrinsic::minnum;
  return b.CreateBinaryIntrinsic(high, b.CreateBinaryIntrinsic(low, a[0], a[1]),
                                 a[2]);
}

// Operations of f32 and f64; null if `op` is none.
llvm::Value* EmitFloat(EmitContext& c, mlir::Operation* op, Args a) {
  llvm::IRBuilder<>& b = c.b;
  using Result = llvm::Value*;
  auto binary = [&](ID id) -> Result {
    return b.CreateBinaryIntrinsic(id, a[0], a[1]);
  };
  if (const std::optional<MathFunction> function = FunctionOf(op)) {
    return EmitMath(b, *function, a, MathTarget{c.plan.target.avx512});
  }
  return llvm::TypeSwitch<mlir::Operation*, Result>(op)
      .Case([&](arith::AddFOp) { return b.CreateFAdd(a[0], a[1]); })
      .Case([&](arith::SubFOp) { return b.CreateFSub(a[0], a[1]); })
      .Case([&](arith::MulFOp) { return b.CreateFMul(a[0], a[1]); })
      .Case<arith::DivFOp, tt::PreciseDivFOp>(
          [&](auto) { return b.CreateFDiv(a[0], a[1]); })
      .Case([&](arith::RemFOp) { return EmitFloatRemainder(b, a[0], a[1]); })
      .Case([&](arith::NegFOp) { return b.CreateFNeg(a[0]); })
      .Case([&](arith::MaxNumFOp) { return binary(llvm::Intrinsic::maxnum); })
      .Case([&](arith::MinNumFOp) { return binary(llvm::Intrinsic::minnum); })
      .Case([&](arith::MaximumFOp) { return binary(llvm::Intrinsic::maximum); })
      .Case([&](arith::MinimumFOp) { return binary(llvm::Intrinsic::minimum); })
      .Case([&](arith::CmpFOp cmp) {
        return b.CreateFCmp(FloatPredicate(cmp.getPredicate()), a[0], a[1]);
      })
      .Case([&](tt::ClampFOp clamp) { return EmitClamp(b, clamp, a); })
      .Default(Result(nullptr));
}

bool IsNarrowFloat(mlir::Type type) {
  auto format = llvm::dyn_cast<mlir::FloatType>(type);
  return format && format.getWidth() < 32;
}

// Floats narrower than f32 are computed in f32 and rounded after each
// operation.
llvm::Value* EmitWidened(EmitContext& c, mlir::Operation* op, Args args) {
  mlir::Builder types(op->getContext());
  llvm::SmallVector<llvm::Value*, 4> wide;
  for (auto [arg, operand] : llvm::zip(args, op->getOperands())) {
    const mlir::Type element = ElementOf(operand);
    wide.push_back(IsNarrowFloat(element)
                       ? EmitConvert(c, arg, element, types.getF32Type())
                       : arg);
  }
  llvm::Value* result = EmitFloat(c, op, wide);
  const mlir::Type element = ElementOf(op->getResult(0));
  if (!result || !IsNarrowFloat(element)) return result;
  return EmitConvert(c, result, types.getF32Type(), element);
}

}  // namespace

llvm::Value* EmitFloatOperation(EmitContext& c, mlir::Operation* op,
                                Args args) {
  return EmitFloat(c, op, args);
}

llvm::Value* EmitElementwise(EmitContext& c, mlir::Operation* op, Args args) {
  llvm::Value* result = nullptr;
  if (auto call = llvm::dyn_cast<tt::ExternElementwiseOp>(op)) {
    result = EmitExternFunction(c, call, args);
  } else if (llvm::isa<arith::SelectOp>(op)) {
    result = c.b.CreateSelect(args[0], args[1], args[2]);
  } else if (IsCast(op)) {
    result = EmitCast(c, op, args[0]);
  } else {
    result = EmitInteger(c, op, args);
    if (!result) result = EmitWidened(c, op, args);
  }
  if (result) return result;
  c.Fail(op, "not supported");
  return llvm::PoisonValue::get(
      LanesOf(RegisterType(c.context(), ElementOf(op->getResult(0))),
              args.empty() ? 1 : WidthOf(args[0])));
}

llvm::Constant* EmitConstant(EmitContext& c, mlir::TypedAttr attribute) {
  llvm::Type* type = RegisterType(c.context(), attribute.getType());
  if (auto number = llvm::dyn_cast<mlir::FloatAttr>(attribute)) {
    const llvm::APFloat value = number.getValue();
    if (type->isIntegerTy()) {
      return llvm::ConstantInt::get(c.context(), value.bitcastToAPInt());
    }
    return llvm::ConstantFP::get(c.context(), value);
  }
  if (auto number = llvm::dyn_cast<mlir::IntegerAttr>(attribute)) {
    return llvm::ConstantInt::get(c.context(), number.getValue());
  }
  return llvm::PoisonValue::get(type);
}

}  // namespace quern
