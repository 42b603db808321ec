// The IR that the builtins are made of.
#include "compiler/builtins/lanes.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/IntrinsicsX86.h"

namespace quern {
namespace {

// Adding and subtracting 1.5 x 2^(mantissa bits) rounds to an integer.
constexpr double kRoundFloat = 0x1.8p23;
constexpr double kRoundDouble = 0x1.8p52;

// The scalef instruction of a vector type, or not_intrinsic.
llvm::Intrinsic::ID ScalefOf(unsigned lanes, bool is_double) {
  switch (lanes * (is_double ? 2 : 1)) {
    case 4:
      return is_double ? llvm::Intrinsic::x86_avx512_mask_scalef_pd_128
                       : llvm::Intrinsic::x86_avx512_mask_scalef_ps_128;
    case 8:
      return is_double ? llvm::Intrinsic::x86_avx512_mask_scalef_pd_256
                       : llvm::Intrinsic::x86_avx512_mask_scalef_ps_256;
    case 16:
      return is_double ? llvm::Intrinsic::x86_avx512_mask_scalef_pd_512
                       : llvm::Intrinsic::x86_avx512_mask_scalef_ps_512;
    default:
      return llvm::Intrinsic::not_intrinsic;
  }
}

}  // namespace

Lanes::Lanes(llvm::IRBuilderBase& builder, llvm::Type* like,
             const MathTarget& target)
    : builder_(builder),
      guard_(builder),
      target_(target),
      type_(like),
      int_type_(like->getWithNewBitWidth(like->getScalarSizeInBits())),
      is_double_(like->getScalarType()->isDoubleTy()) {
  builder_.clearFastMathFlags();
  llvm::Type* bits = builder_.getIntNTy(like->getScalarSizeInBits());
  int_type_ = like->getWithNewType(bits);
}

llvm::Type* Lanes::double_type() const {
  return type_->getWithNewType(builder_.getDoubleTy());
}

unsigned Lanes::vector_size() const {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type_);
  return vector == nullptr ? 0 : vector->getNumElements();
}

Lanes::Value Lanes::F(double constant) const {
  return llvm::ConstantFP::get(type_, constant);
}

Lanes::Value Lanes::I(uint64_t constant) const {
  return llvm::ConstantInt::get(int_type_, constant);
}

Lanes::Value Lanes::Fma(Value a, Value b, Value c) const {
  return builder_.CreateIntrinsic(llvm::Intrinsic::fma, {type_}, {a, b, c});
}

Lanes::Value Lanes::Unary(llvm::Intrinsic::ID id, Value a) const {
  return builder_.CreateUnaryIntrinsic(id, a);
}

Lanes::Value Lanes::CopySign(Value magnitude, Value sign) const {
  return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, magnitude,
                                        sign);
}

Lanes::Value Lanes::Clamp(Value a, double low, double high) const {
  // Ordered compares that choose the bound, so that NaN passes through; each
  // is one min or max instruction on x86.
  a = Select(Greater(a, F(high)), F(high), a);
  return Select(Less(a, F(low)), F(low), a);
}

Lanes::Value Lanes::Polynomial(Value x,
                               llvm::ArrayRef<double> coefficients) const {
  Value sum = F(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back())) {
    sum = Fma(sum, x, F(coefficient));
  }
  return sum;
}

Lanes::Rounded Lanes::RoundToInteger(Value a) const {
  const double shift = is_double_ ? kRoundDouble : kRoundFloat;
  if (target_.has_avx512) {
    Value value = Unary(llvm::Intrinsic::roundeven, a);
    return {value, Bits(Add(value, F(shift)))};
  }
  Value shifted = Add(a, F(shift));
  return {Sub(shifted, F(shift)), Bits(shifted)};
}

Lanes::Value Lanes::Scale(Value p, const Rounded& n) const {
  const llvm::Intrinsic::ID scalef = ScalefOf(vector_size(), is_double_);
  if (target_.has_avx512 && scalef != llvm::Intrinsic::not_intrinsic) {
    const unsigned mask_bits = vector_size() < 8 ? 8 : vector_size();
    llvm::SmallVector<Value, 5> arguments = {
        p, n.value, llvm::PoisonValue::get(type_),
        llvm::Constant::getAllOnesValue(builder_.getIntNTy(mask_bits))};
    if (vector_size() * type_->getScalarSizeInBits() == 512) {
      arguments.push_back(builder_.getInt32(4));  // The thread's rounding.
    }
    return builder_.CreateIntrinsic(scalef, {}, arguments);
  }
  // Two factors, so that results down to the smallest denormal are reached
  // with one rounding.
  const unsigned mantissa = is_double_ ? 52 : 23;
  const uint64_t bias = is_double_ ? 1023 : 127;
  Value whole = builder_.CreateSub(
      n.integer, Bits(F(is_double_ ? kRoundDouble : kRoundFloat)));
  Value half = builder_.CreateAShr(whole, I(1));
  Value rest = builder_.CreateSub(whole, half);
  auto power = [&](Value exponent) {
    return FromBits(
        builder_.CreateShl(builder_.CreateAdd(exponent, I(bias)), I(mantissa)));
  };
  return Mul(Mul(p, power(half)), power(rest));
}

}  // namespace quern
