// Conversions between floating-point formats.
#include "compiler/builtins/convert.h"

#include <cstdint>

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Intrinsics.h"

namespace quern {
namespace {

using llvm::Value;

// How an f8 format lays out its bits.
struct TinyFormat {
  unsigned mantissa_bits;
  int bias;
  uint32_t nan;        // Without the sign, if the sign is free.
  uint32_t largest;    // The largest finite value, sign 0.
  bool negative_zero;  // 0x80 is -0; else it is the NaN.
};

TinyFormat LayoutOf(FloatFormat format) {
  switch (format) {
    case FloatFormat::kF8E5M2:
      return {2, 15, 0x7f, 0x7b, true};
    case FloatFormat::kF8E4M3FN:
      return {3, 7, 0x7f, 0x7e, true};
    case FloatFormat::kF8E5M2FNUZ:
      return {2, 16, 0x80, 0x7f, false};
    default:
      return {3, 8, 0x80, 0x7f, false};
  }
}

bool IsTiny(FloatFormat format) { return format <= FloatFormat::kF8E4M3FNUZ; }

// Emits conversions of values with `like`'s number of elements.
class Converter final {
 public:
  Converter(llvm::IRBuilderBase& builder, llvm::Type* like)
      : builder_(builder), guard_(builder), like_(like) {
    builder_.clearFastMathFlags();
  }

  // The f32 value of any format but f64; exact.
  Value* Widen(Value* value, FloatFormat from);
  // f64 to f32 such that a second rounding, to a narrower format, gives what
  // one rounding would have given: inexact results get an odd last bit.
  Value* NarrowToOdd(Value* value);
  // f64 to f32, or f32 to f16, towards zero.
  Value* TruncateTowardZero(Value* value, llvm::Type* element);
  Value* ToBFloat(Value* value, FloatRounding rounding);
  Value* ToTiny(Value* value, FloatFormat to, FloatRounding rounding);

  llvm::Type* Type(llvm::Type* element) {
    return like_->getWithNewType(element);
  }
  llvm::IRBuilderBase& builder() { return builder_; }

 private:
  llvm::Type* Int(unsigned bits) { return Type(builder_.getIntNTy(bits)); }
  llvm::Type* Float() { return Type(builder_.getFloatTy()); }
  Value* I(unsigned bits, uint64_t constant) {
    return llvm::ConstantInt::get(Int(bits), constant);
  }
  Value* F(double constant) { return llvm::ConstantFP::get(Float(), constant); }
  Value* Bits(Value* value) {
    return builder_.CreateBitCast(value,
                                  Int(value->getType()->getScalarSizeInBits()));
  }
  Value* Magnitude(Value* value) {
    return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value);
  }
  Value* WidenTiny(Value* value, FloatFormat from);
  Value* TinyMagnitude(Value* bits, const TinyFormat& layout,
                       FloatRounding rounding);

  llvm::IRBuilderBase& builder_;
  llvm::IRBuilderBase::FastMathFlagGuard guard_;
  llvm::Type* like_;
};

Value* Converter::WidenTiny(Value* value, FloatFormat from) {
  if (from == FloatFormat::kF8E5M2) {
    // The upper half of an f16.
    Value* half =
        builder_.CreateShl(builder_.CreateZExt(value, Int(16)), I(16, 8));
    half = builder_.CreateBitCast(half, Type(builder_.getHalfTy()));
    return builder_.CreateFPExt(half, Float());
  }
  const TinyFormat layout = LayoutOf(from);
  Value* wide = builder_.CreateZExt(value, Int(32));
  Value* magnitude = builder_.CreateAnd(wide, I(32, 0x7f));
  const unsigned shift = 23 - layout.mantissa_bits;
  Value* normal =
      builder_.CreateAdd(builder_.CreateShl(magnitude, I(32, shift)),
                         I(32, static_cast<uint64_t>(127 - layout.bias) << 23));
  // Denormals by multiplication: the thread may flush those of f32.
  const double quantum =
      1.0 / static_cast<double>(1 << (layout.bias - 1 + layout.mantissa_bits));
  Value* denormal = Bits(builder_.CreateFMul(
      builder_.CreateSIToFP(magnitude, Float()), F(quantum)));
  Value* is_normal = builder_.CreateICmpUGE(
      magnitude, I(32, uint64_t{1} << layout.mantissa_bits));
  Value* result = builder_.CreateSelect(is_normal, normal, denormal);
  Value* code = layout.negative_zero ? magnitude : wide;
  Value* is_nan = builder_.CreateICmpEQ(code, I(32, layout.nan));
  result = builder_.CreateSelect(is_nan, I(32, 0x7fc00000), result);
  Value* sign =
      builder_.CreateShl(builder_.CreateAnd(wide, I(32, 0x80)), I(32, 24));
  return builder_.CreateBitCast(builder_.CreateOr(result, sign), Float());
}

Value* Converter::Widen(Value* value, FloatFormat from) {
  if (from == FloatFormat::kF32) return value;
  if (from == FloatFormat::kF16) return builder_.CreateFPExt(value, Float());
  if (from == FloatFormat::kBF16) {
    Value* bits = builder_.CreateZExt(value, Int(32));
    return builder_.CreateBitCast(builder_.CreateShl(bits, I(32, 16)), Float());
  }
  return WidenTiny(value, from);
}

Value* Converter::TruncateTowardZero(Value* value, llvm::Type* element) {
  llvm::Type* narrow = Type(element);
  Value* nearest = builder_.CreateFPTrunc(value, narrow);
  Value* back = builder_.CreateFPExt(nearest, value->getType());
  Value* away = builder_.CreateFCmpOGT(Magnitude(back), Magnitude(value));
  Value* bits = Bits(nearest);
  // One step down in magnitude, also from infinity to the largest value.
  bits = builder_.CreateAdd(bits, builder_.CreateSExt(away, bits->getType()));
  return builder_.CreateBitCast(bits, narrow);
}

Value* Converter::NarrowToOdd(Value* value) {
  Value* toward_zero = TruncateTowardZero(value, builder_.getFloatTy());
  Value* back = builder_.CreateFPExt(toward_zero, value->getType());
  Value* inexact = builder_.CreateFCmpONE(back, value);
  Value* bits = builder_.CreateOr(Bits(toward_zero),
                                  builder_.CreateZExt(inexact, Int(32)));
  return builder_.CreateBitCast(bits, Float());
}

Value* Converter::ToBFloat(Value* value, FloatRounding rounding) {
  Value* bits = Bits(value);
  Value* upper = builder_.CreateLShr(bits, I(32, 16));
  Value* rounded = upper;
  if (rounding == FloatRounding::kNearestEven) {
    Value* odd = builder_.CreateAnd(upper, I(32, 1));
    rounded = builder_.CreateAdd(builder_.CreateAdd(bits, I(32, 0x7fff)), odd);
    rounded = builder_.CreateLShr(rounded, I(32, 16));
  }
  // A NaN whose payload lies in the lower half must not become infinity.
  Value* quiet = builder_.CreateOr(upper, I(32, 0x40));
  Value* is_nan = builder_.CreateFCmpUNO(value, value);
  rounded = builder_.CreateSelect(is_nan, quiet, rounded);
  return builder_.CreateTrunc(rounded, Int(16));
}

Value* Converter::TinyMagnitude(Value* bits, const TinyFormat& layout,
                                FloatRounding rounding) {
  const bool nearest = rounding == FloatRounding::kNearestEven;
  const unsigned shift = 23 - layout.mantissa_bits;
  const uint64_t rebias = static_cast<uint64_t>(127 - layout.bias) << 23;
  // Values from the smallest normal up.
  Value* normal = builder_.CreateSub(bits, I(32, rebias));
  if (nearest) {
    Value* odd =
        builder_.CreateAnd(builder_.CreateLShr(normal, I(32, shift)), I(32, 1));
    normal = builder_.CreateAdd(
        builder_.CreateAdd(normal, I(32, (1u << (shift - 1)) - 1)), odd);
  }
  normal = builder_.CreateLShr(normal, I(32, shift));
  // Below it, counted in units of the smallest denormal, the addition of 2^23
  // rounds to an integer. The product is exact.
  const double units =
      static_cast<double>(1 << (layout.bias - 1 + layout.mantissa_bits));
  Value* count =
      builder_.CreateFMul(builder_.CreateBitCast(bits, Float()), F(units));
  Value* small = Bits(builder_.CreateFAdd(count, F(0x1p23)));
  small = builder_.CreateSub(small, I(32, 0x4b000000));
  if (!nearest) {
    Value* back = builder_.CreateSIToFP(small, Float());
    Value* above = builder_.CreateFCmpOGT(back, count);
    small = builder_.CreateAdd(small, builder_.CreateSExt(above, Int(32)));
  }
  Value* is_normal = builder_.CreateICmpUGE(
      bits, I(32, static_cast<uint64_t>(128 - layout.bias) << 23));
  return builder_.CreateSelect(is_normal, normal, small);
}

Value* Converter::ToTiny(Value* value, FloatFormat to, FloatRounding rounding) {
  const TinyFormat layout = LayoutOf(to);
  Value* bits = Bits(value);
  Value* magnitude = builder_.CreateAnd(bits, I(32, 0x7fffffff));
  const uint64_t exponent = layout.largest >> layout.mantissa_bits;
  const uint64_t fraction = layout.largest & ((1u << layout.mantissa_bits) - 1);
  const uint64_t largest = ((exponent + 127 - layout.bias) << 23) |
                           (fraction << (23 - layout.mantissa_bits));
  Value* bounded = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin,
                                                  magnitude, I(32, largest));
  Value* code = TinyMagnitude(bounded, layout, rounding);
  Value* sign =
      builder_.CreateAnd(builder_.CreateLShr(bits, I(32, 24)), I(32, 0x80));
  Value* is_nan = builder_.CreateFCmpUNO(value, value);
  if (layout.negative_zero) {
    code = builder_.CreateSelect(is_nan, I(32, layout.nan), code);
    code = builder_.CreateOr(code, sign);
  } else {
    Value* is_zero = builder_.CreateICmpEQ(code, I(32, 0));
    code = builder_.CreateSelect(is_zero, code, builder_.CreateOr(code, sign));
    code = builder_.CreateSelect(is_nan, I(32, layout.nan), code);
  }
  return builder_.CreateTrunc(code, Int(8));
}

// f64 as the f32 from which `to` is reached with one rounding in effect.
Value* FromDouble(Converter& converter, Value* value, FloatFormat to,
                  FloatRounding rounding) {
  if (to != FloatFormat::kF32) return converter.NarrowToOdd(value);
  llvm::IRBuilderBase& builder = converter.builder();
  if (rounding == FloatRounding::kTowardZero) {
    return converter.TruncateTowardZero(value, builder.getFloatTy());
  }
  return builder.CreateFPTrunc(value, converter.Type(builder.getFloatTy()));
}

}  // namespace

llvm::Type* ElementType(llvm::LLVMContext& context, FloatFormat format) {
  switch (format) {
    case FloatFormat::kF16:
      return llvm::Type::getHalfTy(context);
    case FloatFormat::kBF16:
      return llvm::Type::getInt16Ty(context);
    case FloatFormat::kF32:
      return llvm::Type::getFloatTy(context);
    case FloatFormat::kF64:
      return llvm::Type::getDoubleTy(context);
    default:
      return llvm::Type::getInt8Ty(context);
  }
}

llvm::Value* EmitFloatConvert(llvm::IRBuilderBase& builder, llvm::Value* value,
                              FloatFormat from, FloatFormat to,
                              FloatRounding rounding) {
  if (from == to) return value;
  Converter converter(builder, value->getType());
  Value* single = from == FloatFormat::kF64
                      ? FromDouble(converter, value, to, rounding)
                      : converter.Widen(value, from);
  if (IsTiny(to)) return converter.ToTiny(single, to, rounding);
  switch (to) {
    case FloatFormat::kF16:
      if (rounding == FloatRounding::kTowardZero) {
        return converter.TruncateTowardZero(single, builder.getHalfTy());
      }
      return builder.CreateFPTrunc(single, converter.Type(builder.getHalfTy()));
    case FloatFormat::kBF16:
      return converter.ToBFloat(single, rounding);
    case FloatFormat::kF64:
      return builder.CreateFPExt(single, converter.Type(builder.getDoubleTy()));
    default:
      return single;
  }
}

}  // namespace quern
