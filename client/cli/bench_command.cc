// bench: compiles, look-ups and launches, measured through this client.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/nanoseconds.h"
#include "client/cli/sample_kernels.h"
#include "client/cli/served_launcher.h"
#include "client/cli/session.h"
#include "client/rpc/pause.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint32_t kBatchSize = 10'000;

struct CompileCost {
  double total_ms = std::numeric_limits<double>::infinity();
  double child_cpu_ms = std::numeric_limits<double>::infinity();
};

absl::StatusOr<CompileCost> LeastCompileCost(Client& client,
                                             std::string_view source,
                                             uint32_t repeat) {
  CompileCost least;
  for (uint32_t i = 0; i < repeat; ++i) {
    CompileSpec spec;
    spec.source = Unseen(source);
    const Stopwatch stopwatch;
    QUERN_ASSIGN_OR_RETURN(const Compiled compiled,
                           client.Compile(spec, kCallTimeout));
    const absl::Duration total = stopwatch.elapsed();
    const auto& cpu = compiled.response.timings().child_cpu();
    least.total_ms =
        std::min(least.total_ms, absl::ToDoubleMilliseconds(total));
    least.child_cpu_ms =
        std::min(least.child_cpu_ms,
                 static_cast<double>(cpu.seconds()) * 1e3 + cpu.nanos() * 1e-6);
  }
  return least;
}

absl::StatusOr<JsonObject> BenchCompile(Client& client, uint32_t repeat) {
  JsonObject json;
  for (const auto& [name, source] :
       {std::pair("add", kAddSource), std::pair("softmax", kSoftmaxSource),
        std::pair("layer_norm", kLayerNormSource),
        std::pair("matmul", kMatmulSource),
        std::pair("nothing", kNothingSource)}) {
    QUERN_ASSIGN_OR_RETURN(const CompileCost cost,
                           LeastCompileCost(client, source, repeat));
    json.Add(absl::StrCat(name, "_total_ms_min"), cost.total_ms)
        .Add(absl::StrCat(name, "_child_cpu_ms_min"), cost.child_cpu_ms);
  }
  return json;
}

absl::StatusOr<Compiled> CompileNothing(Client& client) {
  CompileSpec spec;
  spec.source = std::string(kNothingSource);
  return client.Compile(spec, kCallTimeout);
}

absl::StatusOr<JsonObject> BenchLookup(Client& client, uint32_t repeat) {
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled, CompileNothing(client));
  bool found = true;
  const double lookup_ns = LeastNanoseconds(
      repeat, kBatchSize, [&] { found &= client.Lookup(compiled.key).ok(); });
  if (!found) return absl::InternalError("a look-up failed");
  v1::LookupRequest request;
  request.set_key(compiled.key.bytes.data(), compiled.key.bytes.size());
  absl::Status status;
  v1::LookupResponse response;
  const double rpc_ns = LeastNanoseconds(repeat, 20, [&] {
    status.Update(client.Call("quern.v1.KernelService/Lookup", request,
                              kCallTimeout, response));
  });
  QUERN_RETURN_IF_ERROR(status);
  return JsonObject()
      .Add("lookup_ns_min", lookup_ns)
      .Add("lookup_rpc_ns_min", rpc_ns);
}

absl::StatusOr<JsonObject> BenchLaunch(Client& client, uint32_t repeat) {
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled, CompileNothing(client));
  const LoadedKernel& kernel = *compiled.kernel;
  const uint64_t args[] = {0};
  const quern_launch launch = {
      .args = args, .grid = {1, 1, 1}, .flags = 0, .services = nullptr};
  // Read anew for each call, as a caller that has just a handle does.
  const quern_entry volatile entry = kernel.entry;
  int32_t failures = 0;
  const double call_ns = LeastNanoseconds(
      repeat, kBatchSize, [&] { failures |= entry(&launch, 0, 1, nullptr); });
  absl::Status status;
  const double launch_ns = LeastNanoseconds(repeat, kBatchSize, [&] {
    status.Update(client.Launch(kernel, {1, 1, 1}, args, 1));
  });
  const double parallel_ns = LeastNanoseconds(repeat, 100, [&] {
    status.Update(client.Launch(kernel, {1000, 1, 1}, args, 2));
  });
  QUERN_RETURN_IF_ERROR(status);
  if (failures != 0) return absl::InternalError("a launch failed");
  return JsonObject()
      .Add("call_ns_min", call_ns)
      .Add("launch_ns_min", launch_ns)
      .Add("launch_2_threads_1000_programs_ns_min", parallel_ns);
}

// Round trips of an empty kernel through a ring: while both sides spin, and
// after pauses in which the executor has gone to sleep.
absl::StatusOr<JsonObject> BenchServed(Client& client, uint32_t repeat) {
  constexpr uint32_t kPauses = 200;
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled, CompileNothing(client));
  QUERN_ASSIGN_OR_RETURN(
      const auto launcher,
      ServedLauncher::Open(client, compiled.key, {1, 1, 1}, {0}, {}));
  absl::Status status;
  const auto launch = [&] { status.Update(launcher->Launch()); };
  const std::vector<double> spinning =
      Nanoseconds(repeat * 1000, launch, [] {});
  const std::vector<double> sleeping =
      Nanoseconds(kPauses, launch, [] { Pause(absl::Milliseconds(1)); });
  const double batched_ns = LeastNanoseconds(
      repeat, 1, [&] { status.Update(launcher->LaunchMany(kBatchSize)); });
  QUERN_RETURN_IF_ERROR(status);
  return JsonObject()
      .Add("served_ns_min", spinning.front())
      .Add("served_ns_p50", spinning[spinning.size() / 2])
      .Add("served_sleeping_ns_p50", sleeping[sleeping.size() / 2])
      .Add("served_batched_ns_min", batched_ns / kBatchSize);
}

absl::StatusOr<JsonObject> Bench(const std::string& what, Client& client,
                                 uint32_t repeat) {
  if (what == "compile") return BenchCompile(client, repeat);
  if (what == "lookup") return BenchLookup(client, repeat);
  if (what == "launch") return BenchLaunch(client, repeat);
  if (what == "served") return BenchServed(client, repeat);
  return absl::InvalidArgumentError(
      absl::StrCat("bench compile, lookup, launch or served, not ", what));
}

}  // namespace

absl::Status RunBench(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(
      const Arguments arguments,
      Arguments::Parse(words, {.positionals = {"compile|lookup|launch|served"},
                               .options = {"repeat"}}));
  QUERN_ASSIGN_OR_RETURN(const uint32_t repeat,
                         arguments.GetCount("repeat", 20));
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kIfNeeded));
  QUERN_ASSIGN_OR_RETURN(const JsonObject json,
                         Bench(arguments.positional(0), *client, repeat));
  PrintLine(json.ToString());
  return absl::OkStatus();
}

}  // namespace quern
