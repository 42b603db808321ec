// How long a compile takes as a client sees it, and what of that is the
// compiler.
//
// Starts a daemon of its own. For each kernel, in turns: a compile by the
// daemon of a source that no cache has seen, and a warm compile of the same in
// this process. Counters are minima over the turns: total_ms (RPC included),
// child_cpu_ms, in_process_cpu_ms, and the ratio of the last two. Then one
// lookup of a cached key by RPC (its median) and in this process.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "client/library/client.h"
#include "client/library/daemon_program.h"
#include "client/runtime/stopwatch.h"
#include "compiler/api/compiler.h"

namespace quern {
namespace {

constexpr int kTurns = 20;
constexpr int kLookups = 1000;

std::string ReadKernel(const std::string& name) {
  std::ifstream file(std::string(QUERN_KERNELS) + "/3.6.0/" + name + ".ttir");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// CPU time of this process, in milliseconds.
double CpuMilliseconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-3;
}

// The daemon, its client, and a compiler in this process.
class Setup final {
 public:
  Setup() : compiler_(NewCompiler()), host_(HostTarget()) {
    char folder[] = "/tmp/quern-bench-XXXXXX";
    folder_ = ::mkdtemp(folder);
    const auto program = FindDaemonProgram();
    if (!program.ok() ||
        !EnsureDaemon(folder_, {.program = *program, .cache_folder = ""},
                      absl::Seconds(20))
             .ok()) {
      std::fprintf(stderr, "the daemon does not start\n");
      std::exit(1);
    }
    ClientOptions options;
    options.sockets = SocketsIn(folder_);
    client_ = *Client::Create(std::move(options));
  }
  ~Setup() {
    client_.reset();
    const absl::Status stopped = StopDaemon(folder_, absl::Seconds(20));
    if (!stopped.ok())
      std::fprintf(stderr, "%s\n", std::string(stopped.message()).c_str());
    std::filesystem::remove_all(folder_);
  }

  Client& client() { return *client_; }

  Compiled CompileByDaemon(const std::string& source) {
    CompileSpec spec;
    spec.source = source;
    auto compiled = client_->Compile(spec, absl::Minutes(1));
    if (!compiled.ok()) Fail(compiled.status());
    return *std::move(compiled);
  }

  void CompileHere(const std::string& source) {
    CompileSpec spec;
    spec.source = source;
    spec.target = host_;
    const auto result = compiler_->Compile(
        spec, KernelKey(), CompileOutput::kImage, CompileLimits());
    if (!result.ok()) Fail(result.status());
  }

  [[noreturn]] static void Fail(const absl::Status& status) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }

 private:
  std::unique_ptr<Compiler> compiler_;
  TargetSpec host_;
  std::string folder_;
  std::unique_ptr<Client> client_;
};

// The source that turn `turn` compiles: the same but for a comment.
std::string Variant(const std::string& text, int turn) {
  return "// turn " + std::to_string(turn) + "\n" + text;
}

void ColdCompile(benchmark::State& state, Setup& setup,
                 const std::string& name) {
  const std::string text = ReadKernel(name);
  double total_ms = 1e9;
  double child_ms = 1e9;
  double here_ms = 1e9;
  for (auto _ : state) {
    for (int turn = 0; turn < kTurns; ++turn) {
      const std::string source = Variant(text, turn);
      const Stopwatch stopwatch;
      const Compiled compiled = setup.CompileByDaemon(source);
      total_ms =
          std::min(total_ms, absl::ToDoubleMilliseconds(stopwatch.elapsed()));
      const auto& cpu = compiled.response.timings().child_cpu();
      child_ms = std::min(child_ms, cpu.seconds() * 1e3 + cpu.nanos() * 1e-6);
      const double before = CpuMilliseconds();
      setup.CompileHere(source);
      here_ms = std::min(here_ms, CpuMilliseconds() - before);
    }
  }
  state.counters["total_ms"] = total_ms;
  state.counters["child_cpu_ms"] = child_ms;
  state.counters["in_process_cpu_ms"] = here_ms;
  state.counters["child_to_in_process"] = child_ms / here_ms;
}

void Lookup(benchmark::State& state, Setup& setup) {
  const Compiled compiled = setup.CompileByDaemon(ReadKernel("nothing"));
  v1::LookupRequest request;
  request.set_key(compiled.key.bytes.data(), compiled.key.bytes.size());
  std::vector<double> times_us;
  for (auto _ : state) {
    for (int i = 0; i < kLookups; ++i) {
      v1::LookupResponse response;
      const Stopwatch stopwatch;
      const absl::Status status =
          setup.client().Call("quern.v1.KernelService/Lookup", request,
                              absl::Seconds(10), response);
      if (!status.ok()) Setup::Fail(status);
      times_us.push_back(absl::ToDoubleMicroseconds(stopwatch.elapsed()));
    }
  }
  std::sort(times_us.begin(), times_us.end());
  state.counters["rpc_p50_us"] = times_us[times_us.size() / 2];
  state.counters["rpc_min_us"] = times_us.front();
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) {
  quern::Setup setup;
  for (const char* name :
       {"nothing", "add_f32", "softmax_f32", "layer_norm_f32", "matmul_f32",
        "add_f32_block128", "add_f32_block65536", "softmax_f32_block128",
        "softmax_f32_block65536"}) {
    benchmark::RegisterBenchmark((std::string("cold_compile/") + name).c_str(),
                                 [&setup, name](benchmark::State& state) {
                                   quern::ColdCompile(state, setup, name);
                                 })
        ->Iterations(1);
  }
  benchmark::RegisterBenchmark("lookup", [&setup](benchmark::State& state) {
    quern::Lookup(state, setup);
  })->Iterations(1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
