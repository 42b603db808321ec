// How much a daemon does for 1 to 16 clients at a time: compiles of sources
// that nobody has compiled, and launches of a kernel that does nothing, direct
// and served.
//
// Starts a daemon of its own, without a disk. Each client has a connection and
// a session of its own, and a thread of this process. --benchmark_format=json
// for programs that read the numbers.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/library/client.h"
#include "client/library/daemon_program.h"
#include "client/runtime/served_client.h"

namespace quern {
namespace {

constexpr int kClients[] = {1, 2, 4, 8, 16};

// Of all clients together.
constexpr int kCompiles = 240;
constexpr int kDirectLaunches = 16'000'000;
constexpr int kServedLaunches = 800'000;

constexpr uint32_t kSlots = 1024;
constexpr uint64_t kBatch = 32;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  std::exit(1);
}

void Must(const absl::Status& status) {
  if (!status.ok()) Fail(status);
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status());
  return *std::move(value);
}

std::string Source(const std::string& name) {
  std::ifstream file(std::string(QUERN_KERNELS "/3.6.0/") + name + ".ttir");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::unique_ptr<Client> Connect(const DaemonSockets& sockets) {
  ClientOptions options;
  options.sockets = sockets;
  options.thread_count = 1;
  return Must(Client::Create(options));
}

Compiled Compile(Client& client, const std::string& source) {
  CompileSpec spec;
  spec.source = source;
  return Must(client.Compile(spec, absl::Seconds(120)));
}

// Runs work(0), work(1) and so on in threads.
void InThreads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

void SetRate(benchmark::State& state, int count) {
  state.counters["per_second"] = benchmark::Counter(
      static_cast<double>(count), benchmark::Counter::kIsRate);
}

void Compiles(benchmark::State& state, const DaemonSockets& sockets,
              int count) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < count; ++i) clients.push_back(Connect(sockets));
  const std::string text = Source("add_f32");
  const int each = kCompiles / count;
  for (auto _ : state) {
    InThreads(count, [&](int client) {
      for (int i = 0; i < each; ++i) {
        // A comment makes it a source that the daemon has not seen.
        const Compiled compiled = Compile(*clients[static_cast<size_t>(client)],
                                          "// " + std::to_string(count) + " " +
                                              std::to_string(client) + " " +
                                              std::to_string(i) + "\n" + text);
        if (compiled.cached) Fail(absl::InternalError("it was cached"));
      }
    });
  }
  SetRate(state, each * count);
}

void Direct(benchmark::State& state, const DaemonSockets& sockets, int count) {
  const std::string text = Source("nothing");
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Compiled> kernels;
  for (int i = 0; i < count; ++i) {
    clients.push_back(Connect(sockets));
    kernels.push_back(Compile(*clients.back(), text));
  }
  const std::vector<uint64_t> arguments(
      kernels.front().kernel->header.argument_count);
  const int each = kDirectLaunches / count;
  for (auto _ : state) {
    InThreads(count, [&](int client) {
      const size_t at = static_cast<size_t>(client);
      for (int i = 0; i < each; ++i) {
        Must(clients[at]->Launch(*kernels[at].kernel, {1, 1, 1}, arguments, 1));
      }
    });
  }
  SetRate(state, each * count);
}

struct ServedSide {
  std::unique_ptr<Client> client;
  std::unique_ptr<ServedClient> served;
  std::unique_ptr<ServedRing> ring;
  uint32_t kernel = 0;
  std::vector<uint64_t> arguments;
};

ServedSide ServedBy(const DaemonSockets& sockets, const std::string& text) {
  ServedSide side;
  side.client = Connect(sockets);
  const Compiled compiled = Compile(*side.client, text);
  side.arguments.resize(compiled.kernel->header.argument_count);
  side.served = Must(side.client->NewServedClient());
  side.kernel = Must(side.served->LoadKernel(compiled.key));
  side.ring = Must(side.served->OpenRing(kSlots));
  return side;
}

// Keeps the ring full until `count` launches are through.
void Stream(ServedSide& side, uint64_t count) {
  std::vector<RingLaunch> launches(
      kBatch, {.kernel = side.kernel, .arguments = side.arguments});
  std::vector<quern_ring_completion> done(2 * kBatch);
  uint64_t submitted = 0;
  for (uint64_t taken = 0; taken < count;) {
    submitted += Must(side.ring->Submit(
        {launches.data(), std::min(kBatch, count - submitted)}));
    const size_t more = Must(side.ring->Wait(done, absl::Seconds(60)));
    for (size_t i = 0; i < more; ++i) {
      if (done[i].status != QUERN_RING_OK) {
        Fail(absl::InternalError("a launch failed"));
      }
    }
    taken += more;
  }
}

void Served(benchmark::State& state, const DaemonSockets& sockets, int count) {
  const std::string text = Source("nothing");
  std::vector<ServedSide> sides;
  for (int i = 0; i < count; ++i) sides.push_back(ServedBy(sockets, text));
  const int each = kServedLaunches / count;
  for (auto _ : state) {
    InThreads(count, [&](int client) {
      Stream(sides[static_cast<size_t>(client)], static_cast<uint64_t>(each));
    });
  }
  SetRate(state, each * count);
}

using Measured = void(benchmark::State&, const DaemonSockets&, int);

void Register(const std::string& name, Measured* measured,
              const DaemonSockets& sockets) {
  for (const int clients : kClients) {
    benchmark::RegisterBenchmark(
        (name + "/clients_" + std::to_string(clients)).c_str(),
        [measured, sockets, clients](benchmark::State& state) {
          measured(state, sockets, clients);
        })
        ->Iterations(1)
        ->UseRealTime();
  }
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) {
  char folder[] = "/tmp/quern-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 1;
  const auto program = quern::FindDaemonProgram();
  if (!program.ok()) quern::Fail(program.status());
  quern::Must(quern::EnsureDaemon(
      folder, {.program = *program, .cache_folder = ""}, absl::Seconds(20)));
  const quern::DaemonSockets sockets = quern::SocketsIn(folder);
  quern::Register("compiles", quern::Compiles, sockets);
  quern::Register("launches_direct", quern::Direct, sockets);
  quern::Register("launches_served", quern::Served, sockets);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  quern::StopDaemon(folder, absl::Seconds(20)).IgnoreError();
  std::filesystem::remove_all(folder);
  return 0;
}
