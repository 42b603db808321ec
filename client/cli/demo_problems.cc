// Inputs and references of the demo's problems.
#include "client/cli/demo_problems.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "client/cli/sample_kernels.h"

namespace quern {
namespace {

constexpr uint32_t kBlock = 1024;

uint32_t BlocksFor(uint32_t count, uint32_t block) {
  return (count + block - 1) / block;
}

std::vector<float> Numbers(size_t count, uint32_t seed) {
  std::minstd_rand generator(seed);
  std::uniform_real_distribution<float> distribution(-2.0F, 2.0F);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = distribution(generator);
  return numbers;
}

std::vector<float> Unwritten(size_t count) {
  return std::vector<float>(count, std::numeric_limits<float>::quiet_NaN());
}

// Adds a pointer to every array, in order, as the first arguments.
void PointAtArrays(DemoProblem& problem) {
  for (std::vector<float>& array : problem.arrays) {
    problem.args.push_back(reinterpret_cast<uintptr_t>(array.data()));
  }
}

DemoProblem Add() {
  constexpr uint32_t kCount = 1'000'003;
  DemoProblem problem{.name = "vector add",
                      .source = kAddSource,
                      .grid = {BlocksFor(kCount, kBlock), 1, 1}};
  problem.arrays = {Numbers(kCount, 1), Numbers(kCount, 2), Unwritten(kCount)};
  problem.output = 2;
  PointAtArrays(problem);
  problem.args.push_back(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    problem.expected.push_back(problem.arrays[0][i] + problem.arrays[1][i]);
  }
  return problem;
}

DemoProblem Softmax() {
  constexpr uint32_t kRows = 512;
  constexpr uint32_t kColumns = 781;
  DemoProblem problem{.name = "softmax",
                      .source = kSoftmaxSource,
                      .grid = {kRows, 1, 1},
                      .tolerance = 1e-6};
  problem.arrays = {Numbers(kRows * kColumns, 3), Unwritten(kRows * kColumns)};
  problem.output = 1;
  PointAtArrays(problem);
  problem.args.insert(problem.args.end(), {kColumns, kColumns, kColumns});
  problem.expected.resize(kRows * kColumns);
  for (uint32_t row = 0; row < kRows; ++row) {
    const float* x = &problem.arrays[0][row * kColumns];
    double* y = &problem.expected[row * kColumns];
    const double largest = *std::max_element(x, x + kColumns);
    double sum = 0;
    for (uint32_t i = 0; i < kColumns; ++i) {
      sum += y[i] = std::exp(x[i] - largest);
    }
    for (uint32_t i = 0; i < kColumns; ++i) y[i] /= sum;
  }
  return problem;
}

DemoProblem LayerNorm() {
  constexpr uint32_t kRows = 512;
  constexpr uint32_t kColumns = 1151;
  constexpr float kEpsilon = 1e-5F;
  DemoProblem problem{.name = "layer norm",
                      .source = kLayerNormSource,
                      .grid = {kRows, 1, 1},
                      .tolerance = 1e-4};
  problem.arrays = {Numbers(kRows * kColumns, 4),
                    Unwritten(kRows * kColumns),
                    Numbers(kColumns, 5),
                    Numbers(kColumns, 6),
                    Unwritten(kRows),
                    Unwritten(kRows)};
  problem.output = 1;
  PointAtArrays(problem);
  problem.args.insert(problem.args.end(),
                      {kColumns, kColumns, std::bit_cast<uint32_t>(kEpsilon)});
  problem.expected.resize(kRows * kColumns);
  for (uint32_t row = 0; row < kRows; ++row) {
    const float* x = &problem.arrays[0][row * kColumns];
    double mean = 0;
    double variance = 0;
    for (uint32_t i = 0; i < kColumns; ++i) mean += x[i];
    mean /= kColumns;
    for (uint32_t i = 0; i < kColumns; ++i) {
      variance += (x[i] - mean) * (x[i] - mean);
    }
    const double scale = 1 / std::sqrt(variance / kColumns + kEpsilon);
    for (uint32_t i = 0; i < kColumns; ++i) {
      problem.expected[row * kColumns + i] =
          (x[i] - mean) * scale * problem.arrays[2][i] + problem.arrays[3][i];
    }
  }
  return problem;
}

DemoProblem Matmul() {
  constexpr uint32_t kM = 200;
  constexpr uint32_t kN = 136;
  constexpr uint32_t kK = 300;
  DemoProblem problem{.name = "matmul",
                      .source = kMatmulSource,
                      .grid = {BlocksFor(kM, 64) * BlocksFor(kN, 64), 1, 1},
                      .tolerance = 1e-3};
  problem.arrays = {Numbers(kM * kK, 7), Numbers(kK * kN, 8),
                    Unwritten(kM * kN)};
  problem.output = 2;
  PointAtArrays(problem);
  problem.args.insert(problem.args.end(), {kM, kN, kK, kK, kN, kN});
  problem.expected.resize(kM * kN);
  for (uint32_t m = 0; m < kM; ++m) {
    for (uint32_t k = 0; k < kK; ++k) {
      const double a = problem.arrays[0][m * kK + k];
      for (uint32_t n = 0; n < kN; ++n) {
        problem.expected[m * kN + n] += a * problem.arrays[1][k * kN + n];
      }
    }
  }
  return problem;
}

}  // namespace

double DemoProblem::LargestError() const {
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(arrays[output][i] - expected[i]);
    if (!(error <= largest)) {
      largest =
          std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    }
  }
  return largest;
}

std::vector<DemoProblem> DemoProblems() {
  std::vector<DemoProblem> problems;
  problems.push_back(Add());
  problems.push_back(Softmax());
  problems.push_back(LayerNorm());
  problems.push_back(Matmul());
  return problems;
}

}  // namespace quern
