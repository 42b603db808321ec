// How fast compiled kernels are, against clang's best of the same in C++.
//
// Each benchmark compiles a kernel of tests/kernels in this process, then runs
// it and its reference by turns on the same buffers and reports the minimum of
// each in counters: quern_us, reference_us, ratio; for products gflops and the
// share of the multiply-add peak measured between them. Write JSON with
// --benchmark_format=json.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "compiler/api/compiler.h"
#include "tests/bench/reference_kernels.h"
#include "tests/execution/loaded_image.h"

namespace quern {
namespace {

constexpr int kTurns = 50;

std::string ReadKernel(const std::string& name) {
  std::ifstream file(std::string(QUERN_KERNELS) + "/3.6.0/" + name + ".ttir");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Compiler& TheCompiler() {
  static const std::unique_ptr<Compiler> compiler = NewCompiler();
  return *compiler;
}

CompileResult CompileKernel(const std::string& name) {
  CompileSpec spec;
  spec.source = ReadKernel(name);
  spec.target = HostTarget();
  auto result = TheCompiler().Compile(spec, KernelKey(), CompileOutput::kImage,
                                      CompileLimits());
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(),
                 result.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

// A loaded kernel with scratch that is kept from launch to launch, as the
// client's threads keep theirs.
class Kernel final {
 public:
  explicit Kernel(const char* name)
      : image_(CompileKernel(name).bytes),
        scratch_(std::aligned_alloc(
                     QUERN_SCRATCH_ALIGNMENT,
                     (image_.header().scratch_size_bytes / 4096 + 1) * 4096),
                 &std::free) {}

  void Launch(std::initializer_list<uint64_t> arguments, int64_t programs) {
    const quern_launch launch = {
        arguments.begin(), {static_cast<uint32_t>(programs), 1, 1}, 0, nullptr};
    image_.entry()(&launch, 0, programs, scratch_.get());
  }

 private:
  const LoadedImage image_;
  const std::unique_ptr<void, decltype(&std::free)> scratch_;
};

double MicrosecondsOf(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double, std::micro> taken =
      std::chrono::steady_clock::now() - start;
  return taken.count();
}

// The minimum of each over kTurns turns.
std::pair<double, double> ByTurns(const std::function<void()>& first,
                                  const std::function<void()>& second) {
  double first_us = INFINITY, second_us = INFINITY;
  for (int turn = 0; turn < kTurns; ++turn) {
    first_us = std::min(first_us, MicrosecondsOf(first));
    second_us = std::min(second_us, MicrosecondsOf(second));
  }
  return {first_us, second_us};
}

// Memory on a cache line, filled with numbers about 1.
std::shared_ptr<float> Floats(size_t count, float scale = 1) {
  const size_t bytes = (count * sizeof(float) + 4095) / 4096 * 4096;
  std::shared_ptr<float> data(
      static_cast<float*>(std::aligned_alloc(4096, bytes)), &std::free);
  for (size_t i = 0; i < count; ++i) {
    data.get()[i] = scale * static_cast<float>((i * 7919) % 1000) / 500 - scale;
  }
  return data;
}

uint64_t Address(const std::shared_ptr<float>& data) {
  return reinterpret_cast<uint64_t>(data.get());
}

uint64_t FloatBits(float value) { return std::bit_cast<uint32_t>(value); }

void Report(benchmark::State& state, std::pair<double, double> us) {
  for (auto _ : state) {
  }
  state.counters["quern_us"] = us.first;
  state.counters["reference_us"] = us.second;
  state.counters["ratio"] = us.first / us.second;
}

void CheckSame(const float* a, const float* b, size_t count, float tolerance) {
  for (size_t i = 0; i < count; ++i) {
    if (std::fabs(a[i] - b[i]) <= tolerance * (1 + std::fabs(b[i]))) continue;
    std::fprintf(stderr, "element %zu is %g, not %g\n", i, a[i], b[i]);
    std::exit(1);
  }
}

void BM_Add(benchmark::State& state) {
  const int64_t count = int64_t{1} << 20;
  auto x = Floats(count), y = Floats(count), out = Floats(count),
       want = Floats(count);
  Kernel image("add_f32");
  ReferenceAdd(x.get(), y.get(), want.get(), count);
  const auto us = ByTurns(
      [&] {
        image.Launch({Address(x), Address(y), Address(out),
                      static_cast<uint64_t>(count)},
                     count / 1024);
      },
      [&] { ReferenceAdd(x.get(), y.get(), want.get(), count); });
  CheckSame(out.get(), want.get(), count, 0);
  Report(state, us);
}
BENCHMARK(BM_Add)->Iterations(1);

void BM_Softmax(benchmark::State& state) {
  const int64_t rows = 4096, columns = 1024;
  auto x = Floats(rows * columns, 5), out = Floats(rows * columns),
       want = Floats(rows * columns);
  Kernel image("softmax_f32");
  const auto us = ByTurns(
      [&] {
        image.Launch({Address(x), Address(out), columns, columns, columns},
                     rows);
      },
      [&] { ReferenceSoftmax(x.get(), want.get(), rows, columns); });
  CheckSame(out.get(), want.get(), rows * columns, 1e-5f);
  Report(state, us);
}
BENCHMARK(BM_Softmax)->Iterations(1);

void BM_LayerNorm(benchmark::State& state) {
  const int64_t rows = 1024, columns = 1024;
  auto x = Floats(rows * columns, 2), out = Floats(rows * columns),
       want = Floats(rows * columns), weight = Floats(columns),
       bias = Floats(columns), mean = Floats(rows), rstd = Floats(rows);
  Kernel image("layer_norm_f32");
  const auto us = ByTurns(
      [&] {
        image.Launch(
            {Address(x), Address(out), Address(weight), Address(bias),
             Address(mean), Address(rstd), columns, columns, FloatBits(1e-5f)},
            rows);
      },
      [&] {
        ReferenceLayerNorm(x.get(), want.get(), weight.get(), bias.get(),
                           mean.get(), rstd.get(), rows, columns, 1e-5f);
      });
  CheckSame(out.get(), want.get(), rows * columns, 1e-4f);
  Report(state, us);
}
BENCHMARK(BM_LayerNorm)->Iterations(1);

// A square product, against the peak of multiply-adds measured by turns.
void Matmul(benchmark::State& state, const char* kernel, int64_t size,
            int64_t block_m, int64_t block_n) {
  // Of the widest type; the values of others do not matter for the time.
  auto a = Floats(size * size), b = Floats(size * size),
       c = Floats(size * size);
  std::fill_n(a.get(), size * size, 0.0f);
  std::fill_n(b.get(), size * size, 0.0f);
  Kernel image(kernel);
  const uint64_t n = size;
  auto sink = Floats(16, 0.5f);
  constexpr int64_t kRounds = 400000;
  double operations = 0;
  const auto us = ByTurns(
      [&] {
        image.Launch({Address(a), Address(b), Address(c), n, n, n, n, n, n},
                     ((size + block_m - 1) / block_m) *
                         ((size + block_n - 1) / block_n));
      },
      [&] { operations = ReferencePeak(kRounds, sink.get()); });
  for (auto _ : state) {
  }
  const double gflops = 2.0 * size * size * size / us.first / 1e3;
  const double peak = operations / us.second / 1e3;
  state.counters["quern_us"] = us.first;
  state.counters["gflops"] = gflops;
  state.counters["peak_gflops"] = peak;
  state.counters["share_of_peak"] = gflops / peak;
}
#define QUERN_MATMUL(kernel, size, m, n) \
  BENCHMARK_CAPTURE(Matmul, kernel##_##size, #kernel, size, m, n)->Iterations(1)
QUERN_MATMUL(matmul_f32, 512, 64, 64);
QUERN_MATMUL(matmul_f32_block32x32x32, 512, 32, 32);
QUERN_MATMUL(matmul_f32_block128x128x32, 512, 128, 128);
QUERN_MATMUL(matmul_f32_block16x128x64, 512, 16, 128);
QUERN_MATMUL(matmul_f32, 1024, 64, 64);
QUERN_MATMUL(matmul_f32, 1000, 64, 64);
QUERN_MATMUL(matmul_f32, 136, 64, 64);
QUERN_MATMUL(matmul_f16, 512, 64, 64);
QUERN_MATMUL(matmul_bf16, 512, 64, 64);
QUERN_MATMUL(matmul_i8, 512, 64, 64);

// A compile in a process that has compiled before: the minimum of 20.
void WarmCompile(benchmark::State& state, const char* kernel) {
  CompileResult best;
  double least_ms = INFINITY;
  for (int i = 0; i < 20; ++i) {
    CompileResult result;
    const double ms =
        MicrosecondsOf([&] { result = CompileKernel(kernel); }) / 1e3;
    if (ms < least_ms) {
      least_ms = ms;
      best = std::move(result);
    }
  }
  for (auto _ : state) {
  }
  const auto ms = [](absl::Duration d) {
    return absl::ToDoubleMilliseconds(d);
  };
  state.counters["compile_ms"] = least_ms;
  state.counters["parse_ms"] = ms(best.steps.parse);
  state.counters["plan_ms"] = ms(best.steps.plan);
  state.counters["emit_ms"] = ms(best.steps.emit);
  state.counters["optimize_ms"] = ms(best.steps.optimize);
  state.counters["generate_ms"] = ms(best.steps.generate);
  state.counters["link_ms"] = ms(best.steps.link);
  state.counters["ir_instructions"] = best.steps.ir_instructions;
}
#define QUERN_COMPILE(kernel) \
  BENCHMARK_CAPTURE(WarmCompile, kernel, #kernel)->Iterations(1)
QUERN_COMPILE(nothing);
QUERN_COMPILE(add_f32);
QUERN_COMPILE(add_f32_block65536);
QUERN_COMPILE(softmax_f32);
QUERN_COMPILE(softmax_f32_block65536);
QUERN_COMPILE(layer_norm_f32);
QUERN_COMPILE(matmul_f32);
QUERN_COMPILE(matmul_f16);
QUERN_COMPILE(matmul_i8);

}  // namespace
}  // namespace quern

BENCHMARK_MAIN();
