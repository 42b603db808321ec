// Conversions between floating-point formats as LLVM IR, without library calls.
//
// LLVM itself calls __truncsfbf2, __truncdfhf2 and their like on some targets;
// an image may import nothing, so every narrowing conversion is emitted here.
#ifndef QUERN_COMPILER_BUILTINS_CONVERT_H_
#define QUERN_COMPILER_BUILTINS_CONVERT_H_

#include "llvm/IR/IRBuilder.h"

namespace quern {

// Formats, with the LLVM element type that a value of it has: f8 formats are
// i8, bf16 is i16, the others are half, float and double. LLVM's own bfloat is
// not used: merely choosing between two of them calls __truncsfbf2 where the
// target has no such type.
enum class FloatFormat {
  kF8E5M2,      // Infinities and NaNs as in IEEE 754.
  kF8E4M3FN,    // No infinity; NaN is 0x7f or 0xff; largest 448.
  kF8E5M2FNUZ,  // No infinity, no -0; NaN is 0x80; largest 57344.
  kF8E4M3FNUZ,  // No infinity, no -0; NaN is 0x80; largest 240.
  kF16,
  kBF16,
  kF32,
  kF64,
};

enum class FloatRounding { kNearestEven, kTowardZero };

// The LLVM type of one value of `format`.
llvm::Type* ElementType(llvm::LLVMContext& context, FloatFormat format);

// Converts `value`, a scalar or a fixed vector, element by element. Every
// result is the source's value rounded once. NaN stays NaN; denormals are kept
// on both sides.
//
// A value beyond the largest of an f8 format, an infinity too, becomes that
// largest value with its sign (what GPUs with f8 conversions do); beyond the
// largest of f16 or bf16 it becomes infinity (kNearestEven).
llvm::Value* EmitFloatConvert(llvm::IRBuilderBase& builder, llvm::Value* value,
                              FloatFormat from, FloatFormat to,
                              FloatRounding rounding);

}  // namespace quern

#endif  // QUERN_COMPILER_BUILTINS_CONVERT_H_
