// The kernels of the benchmarks in plain C++.
#include "tests/bench/reference_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace quern {
namespace {

// exp as compiler/builtins computes it: x = n ln 2 + r, a polynomial in r,
// and 2^n in two factors.
inline float Exp(float x) {
  x = x > 90.0f ? 90.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float n = std::nearbyint(x * 0x1.715476p+0f);
  float r = x - n * 0x1.62e4p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  float q = 0x1.6a1b04p-10f;
  q = q * r + 0x1.123fc8p-7f;
  q = q * r + 0x1.555916p-5f;
  q = q * r + 0x1.55548ap-3f;
  q = q * r + 0x1.fffffcp-2f;
  const float p = r * r * q + r + 1.0f;
  const int32_t whole = static_cast<int32_t>(n);
  const int32_t half = whole >> 1;
  return p * std::bit_cast<float>((half + 127) << 23) *
         std::bit_cast<float>((whole - half + 127) << 23);
}

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

}  // namespace

void ReferenceAdd(const float* __restrict x, const float* __restrict y,
                  float* __restrict out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] + y[i];
}

void ReferenceSoftmax(const float* __restrict x, float* __restrict out,
                      int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* in = x + row * columns;
    float* to = out + row * columns;
    float highest = in[0];
    for (int64_t i = 0; i < columns; ++i) highest = std::max(highest, in[i]);
    float sum = 0;
    for (int64_t i = 0; i < columns; ++i) {
      to[i] = Exp(in[i] - highest);
      sum += to[i];
    }
    const float scale = 1.0f / sum;
    for (int64_t i = 0; i < columns; ++i) to[i] *= scale;
  }
}

void ReferenceLayerNorm(const float* __restrict x, float* __restrict out,
                        const float* __restrict weight,
                        const float* __restrict bias, float* __restrict mean,
                        float* __restrict rstd, int64_t rows, int64_t columns,
                        float epsilon) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* in = x + row * columns;
    float* to = out + row * columns;
    float sum = 0;
    for (int64_t i = 0; i < columns; ++i) sum += in[i];
    const float average = sum / columns;
    float squares = 0;
    for (int64_t i = 0; i < columns; ++i) {
      squares += (in[i] - average) * (in[i] - average);
    }
    const float scale = 1.0f / std::sqrt(squares / columns + epsilon);
    mean[row] = average;
    rstd[row] = scale;
    for (int64_t i = 0; i < columns; ++i) {
      to[i] = (in[i] - average) * scale * weight[i] + bias[i];
    }
  }
}

double ReferencePeak(int64_t rounds, float* sink) {
  constexpr int kSums = 16;
  Vector sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = Vector{} + static_cast<float>(i);
  Vector factor = Vector{} + sink[0];
  Vector addend = Vector{} + sink[1];
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * factor + addend;
    // Keeps the compiler from doing several rounds at once.
    asm volatile("" : "+m"(sink[0]));
  }
  Vector total = {};
  for (int i = 0; i < kSums; ++i) total += sums[i];
  for (int i = 0; i < kLanes; ++i) sink[2] += total[i];
  return 2.0 * kSums * kLanes * rounds;
}

}  // namespace quern
