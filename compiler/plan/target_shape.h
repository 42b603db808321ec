// What lowering needs to know of the machine. Plain data: two equal shapes and
// one kernel give the same plan.
#ifndef QUERN_COMPILER_PLAN_TARGET_SHAPE_H_
#define QUERN_COMPILER_PLAN_TARGET_SHAPE_H_

#include <cstdint>

namespace quern {

enum class TargetArch : uint8_t { kX86_64, kAArch64 };

struct TargetShape {
  TargetArch arch = TargetArch::kX86_64;
  // The widest vector that is as fast as narrower ones: 16 for SSE and NEON,
  // 32 for AVX2, 64 for AVX-512.
  uint32_t vector_bytes = 16;
  // Vector registers that code can name: 16, or 32 for AVX-512 and NEON.
  uint32_t vector_registers = 16;

  // x86-64.
  bool avx512 = false;  // F, BW, DQ and VL together.
  bool avx2_fma = false;
  bool f16c = false;
  bool avx512_bf16 = false;
  bool vnni = false;

  // AArch64. SVE is not used: at 128 bits it is no faster than NEON.
  bool neon = false;
  bool dotprod = false;
  bool i8mm = false;
  bool bf16 = false;
  bool fp16 = false;  // Arithmetic, not only conversion.
};

// Whether a masked vector load or store of `bytes`-wide elements is one
// instruction. Elsewhere masked tails run lane by lane.
inline bool HasMaskedMemory(const TargetShape& target, uint32_t bytes) {
  if (target.avx512) return true;
  return target.avx2_fma && bytes >= 4;
}

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_TARGET_SHAPE_H_
