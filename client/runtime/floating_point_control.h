// The floating-point control of a thread: rounding, denormals, traps.
//
// A kernel runs under its caller's, on every thread of the pool.
#ifndef QUERN_CLIENT_RUNTIME_FLOATING_POINT_CONTROL_H_
#define QUERN_CLIENT_RUNTIME_FLOATING_POINT_CONTROL_H_

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace quern {

// MXCSR on x86-64, FPCR on AArch64.
inline uint64_t ReadFloatingPointControl() {
#if defined(__x86_64__)
  return _mm_getcsr();
#else
  uint64_t value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
#endif
}

inline void WriteFloatingPointControl(uint64_t value) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(value));
#else
  asm volatile("msr fpcr, %0" : : "r"(value));
#endif
}

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_FLOATING_POINT_CONTROL_H_
