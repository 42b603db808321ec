// The kernels of the benchmarks in plain C++, compiled as a user would who
// wants speed: -O3 -march=native -ffast-math.
#ifndef QUERN_TESTS_BENCH_REFERENCE_KERNELS_H_
#define QUERN_TESTS_BENCH_REFERENCE_KERNELS_H_

#include <cstdint>

namespace quern {

void ReferenceAdd(const float* x, const float* y, float* out, int64_t count);

// Row by row; exp is the same polynomial as in compiler/builtins.
void ReferenceSoftmax(const float* x, float* out, int64_t rows,
                      int64_t columns);

void ReferenceLayerNorm(const float* x, float* out, const float* weight,
                        const float* bias, float* mean, float* rstd,
                        int64_t rows, int64_t columns, float epsilon);

// Runs `rounds` rounds of independent multiply-adds in all registers and
// returns how many floating-point operations those were.
double ReferencePeak(int64_t rounds, float* sink);

}  // namespace quern

#endif  // QUERN_TESTS_BENCH_REFERENCE_KERNELS_H_
