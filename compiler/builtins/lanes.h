// Short names for the IR that the builtins are made of, for one element type
// and one number of lanes. Not for use outside this folder.
#ifndef QUERN_COMPILER_BUILTINS_LANES_H_
#define QUERN_COMPILER_BUILTINS_LANES_H_

#include <cstdint>

#include "compiler/builtins/math.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/IR/IRBuilder.h"

namespace quern {

// Emits at a builder, without fast-math flags while it lives. All values are
// of `like`'s type, of the integer type of the same width, or masks.
class Lanes final {
 public:
  using Value = llvm::Value*;

  Lanes(llvm::IRBuilderBase& builder, llvm::Type* like,
        const MathTarget& target);
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  bool is_double() const { return is_double_; }
  const MathTarget& target() const { return target_; }
  llvm::IRBuilderBase& builder() const { return builder_; }
  // The same number of lanes of f64; of `type()` for f64.
  llvm::Type* double_type() const;
  llvm::Type* type() const { return type_; }
  llvm::Type* int_type() const { return int_type_; }
  // 0 for a scalar.
  unsigned vector_size() const;

  Value F(double constant) const;
  Value I(uint64_t constant) const;

  Value Add(Value a, Value b) const { return builder_.CreateFAdd(a, b); }
  Value Sub(Value a, Value b) const { return builder_.CreateFSub(a, b); }
  Value Mul(Value a, Value b) const { return builder_.CreateFMul(a, b); }
  Value Div(Value a, Value b) const { return builder_.CreateFDiv(a, b); }
  Value Neg(Value a) const { return builder_.CreateFNeg(a); }
  Value Fma(Value a, Value b, Value c) const;
  Value Unary(llvm::Intrinsic::ID id, Value a) const;
  Value Abs(Value a) const { return Unary(llvm::Intrinsic::fabs, a); }
  Value CopySign(Value magnitude, Value sign) const;
  Value Sqrt(Value a) const { return Unary(llvm::Intrinsic::sqrt, a); }
  Value Select(Value mask, Value a, Value b) const {
    return builder_.CreateSelect(mask, a, b);
  }
  Value Less(Value a, Value b) const { return builder_.CreateFCmpOLT(a, b); }
  Value Greater(Value a, Value b) const { return builder_.CreateFCmpOGT(a, b); }
  Value Equal(Value a, Value b) const { return builder_.CreateFCmpOEQ(a, b); }
  Value IsNan(Value a) const { return builder_.CreateFCmpUNO(a, a); }

  Value Bits(Value a) const { return builder_.CreateBitCast(a, int_type_); }
  Value FromBits(Value a) const { return builder_.CreateBitCast(a, type_); }

  // `a` held within [low, high]; NaN stays NaN.
  Value Clamp(Value a, double low, double high) const;

  // c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule.
  Value Polynomial(Value x, llvm::ArrayRef<double> coefficients) const;

  // `a` rounded to an integer, as a float and as bits whose low end is that
  // integer (two's complement). Requires |a| < 2^21, or NaN.
  struct Rounded {
    Value value;
    Value integer;
  };
  Rounded RoundToInteger(Value a) const;

  // `p` times 2^n, rounded once, for integral |n| < 2000 (f32: 250) and |p|
  // within [2^-2, 2^2].
  Value Scale(Value p, const Rounded& n) const;

 private:
  llvm::IRBuilderBase& builder_;
  llvm::IRBuilderBase::FastMathFlagGuard guard_;
  MathTarget target_;
  llvm::Type* type_;
  llvm::Type* int_type_;
  bool is_double_;
};

}  // namespace quern

#endif  // QUERN_COMPILER_BUILTINS_LANES_H_
