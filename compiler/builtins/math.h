// Mathematical functions as LLVM IR, for scalars and vectors of f32 and f64.
//
// Everything is written out in arithmetic that both targets have: no call of a
// library is left behind, whatever the code generator does. The functions are
// polynomials of our own; the bounds below are tested over the bit patterns.
//
// Stateless and thread-safe as far as the builder is.
#ifndef QUERN_COMPILER_BUILTINS_MATH_H_
#define QUERN_COMPILER_BUILTINS_MATH_H_

#include "llvm/ADT/ArrayRef.h"
#include "llvm/IR/IRBuilder.h"

namespace quern {

// What can be emitted, with the number of arguments where it is not one, and
// the largest error in units of the last place, f32 / f64.
enum class MathFunction {
  kExp,        // 1 / 1
  kExp2,       // 1 / 1
  kExpm1,      // 2 / 2
  kLog,        // 1 / 1
  kLog2,       // 1 / 2
  kLog10,      // 2 / 2
  kLog1p,      // 2 / 2
  kSin,        // 1 / 1; any finite argument.
  kCos,        // 1 / 1; any finite argument.
  kTan,        // 3 / 3; any finite argument.
  kAsin,       // 3 / 3
  kAcos,       // 2 / 2
  kAtan,       // 2 / 2
  kAtan2,      // Two arguments: y, x. 2 / 2
  kSinh,       // 3 / 3
  kCosh,       // 2 / 2
  kTanh,       // 3 / 3
  kErf,        // 2 / 2
  kErfc,       // 4 / 8
  kPow,        // Two arguments: base, exponent. 1 / 16
  kExp10,      // 1 / 16
  kAsinh,      // 1 / 4
  kAcosh,      // 1 / 4
  kAtanh,      // 1 / 4
  kSinpi,      // sin(pi x). 1 / 3
  kCospi,      // cos(pi x). 1 / 3
  kErfcx,      // exp(x^2) erfc(x). 1 / 16
  kErfinv,     // 1 / 16
  kLgamma,     // log|gamma(x)|. 1 / 8, and 1e-13 near the zeros below 0.
  kCbrt,       // 1 / 1
  kHypot,      // Two arguments. 1 / 2
  kLdexp,      // Two arguments: x, n, for x 2^n; n is integral. Rounded once.
  kNextafter,  // Two arguments: from, toward. Exact.
  kSqrt,       // Correctly rounded.
  kRsqrt,      // 2 / 2: a division by the correctly rounded root.
  kFloor,      // Exact, like all below.
  kCeil,
  kTrunc,
  kRint,   // To nearest, ties to even.
  kRound,  // To nearest, ties away from zero.
  kAbs,
  kFma,  // Three arguments; rounded once.
};

// What the emitted code may use beyond x86-64-v3 or Armv8.0.
struct MathTarget {
  bool has_avx512 = false;  // AVX-512 F, DQ and VL.
};

// Emits `function` of `arguments` at `builder`'s place and returns its value.
// All arguments have the same type: float, double, or a fixed vector of them,
// of any power-of-two length up to 64 elements.
//
// NaN gives NaN, denormal arguments and results are kept, infinities and
// signed zeros follow C's Annex F. No fast-math flag of `builder` is used, and
// its flags are as before afterwards. No basic block is added.
//
// Requires: as many arguments as the function takes.
llvm::Value* EmitMath(llvm::IRBuilderBase& builder, MathFunction function,
                      llvm::ArrayRef<llvm::Value*> arguments,
                      const MathTarget& target = {});

}  // namespace quern

#endif  // QUERN_COMPILER_BUILTINS_MATH_H_
