// What a served launch costs, against what the cache lines themselves cost.
//
// Starts a daemon of its own. Round trips are of a kernel that does nothing,
// the client on one core and its executor on another; the ping-pong is one
// cache line that goes there and one that comes back, between the same two
// cores in the same run. Times are medians of batches, so that reading the
// clock does not count. Two cores that are one core's threads are a pair of
// their own, where the machine has them.
#include <benchmark/benchmark.h>
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/library/client.h"
#include "client/library/daemon_program.h"
#include "client/runtime/served_client.h"

namespace quern {
namespace {

constexpr int kBatch = 32;
constexpr int kBatches = 4000;
constexpr int kSleeps = 300;
constexpr uint64_t kThroughputLaunches = 200'000;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status());
  return *std::move(value);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void Pin(pid_t thread, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (::sched_setaffinity(thread, sizeof(set), &set) != 0) {
    Fail(absl::InternalError("cannot choose a core"));
  }
}

void UnpinThisThread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t cpu = 0; cpu < std::thread::hardware_concurrency(); ++cpu) {
    CPU_SET(cpu, &set);
  }
  ::sched_setaffinity(0, sizeof(set), &set);
}

std::set<pid_t> Executors() {
  std::set<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos &&
        ReadFile(entry.path() / "comm") == "quern-executor\n") {
      found.insert(std::stoi(name));
    }
  }
  return found;
}

// Nanoseconds of one of the `kBatch` calls of a batch: the median over batches.
double MedianNanoseconds(const std::function<void()>& call) {
  std::vector<double> times;
  for (int batch = 0; batch < kBatches; ++batch) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kBatch; ++i) call();
    const std::chrono::duration<double, std::nano> time =
        std::chrono::steady_clock::now() - begin;
    times.push_back(time.count() / kBatch);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

double PingPong(int here, int there) {
  alignas(64) std::atomic<uint64_t> ping = 0;
  alignas(64) std::atomic<uint64_t> pong = 0;
  std::thread other([&] {
    Pin(0, there);
    uint64_t seen = 0;
    while (seen != UINT64_MAX) {
      const uint64_t now = ping.load(std::memory_order_acquire);
      if (now == seen) continue;
      seen = now;
      pong.store(seen, std::memory_order_release);
    }
  });
  Pin(0, here);
  uint64_t count = 0;
  const double time = MedianNanoseconds([&] {
    ping.store(++count, std::memory_order_release);
    while (pong.load(std::memory_order_acquire) != count) {
    }
  });
  ping.store(UINT64_MAX, std::memory_order_release);
  other.join();
  return time;
}

// A client with a session, the kernel and a ring.
class Served final {
 public:
  explicit Served(const DaemonSockets& sockets, uint32_t slots = 64) {
    const std::set<pid_t> before = Executors();
    ClientOptions options;
    options.sockets = sockets;
    client_ = Must(Client::Create(options));
    CompileSpec spec;
    spec.source = ReadFile(QUERN_KERNELS "/3.6.0/nothing.ttir");
    const Compiled compiled = Must(client_->Compile(spec, absl::Seconds(60)));
    arguments_.resize(compiled.kernel->header.argument_count);
    served_ = Must(client_->NewServedClient());
    kernel_ = Must(served_->LoadKernel(compiled.key));
    ring_ = Must(served_->OpenRing(slots));
    for (const pid_t pid : Executors()) {
      if (!before.contains(pid)) executor_ = pid;
    }
  }

  void PinExecutor(int cpu) const {
    const std::string tasks = "/proc/" + std::to_string(executor_) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      Pin(std::stoi(task.path().filename()), cpu);
    }
  }

  void RoundTrip() {
    Submit(1);
    quern_ring_completion done;
    if (Must(ring_->Wait({&done, 1}, absl::Seconds(10))) != 1 ||
        done.status != QUERN_RING_OK) {
      Fail(absl::InternalError("a launch failed"));
    }
  }

  // Keeps the ring full until `count` launches are through.
  void Stream(uint64_t count) {
    uint64_t submitted = 0;
    for (uint64_t taken = 0; taken < count;) {
      submitted += Submit(std::min<uint64_t>(32, count - submitted));
      quern_ring_completion done[64];
      taken += Must(ring_->Wait(done, absl::Seconds(10)));
    }
  }

 private:
  size_t Submit(uint64_t count) {
    RingLaunch launches[32];
    for (uint64_t i = 0; i < count; ++i) {
      launches[i] = {.tag = i, .kernel = kernel_, .arguments = arguments_};
    }
    return Must(ring_->Submit({launches, count}));
  }

  std::unique_ptr<Client> client_;
  std::unique_ptr<ServedClient> served_;
  std::unique_ptr<ServedRing> ring_;
  std::vector<uint64_t> arguments_;
  uint32_t kernel_ = 0;
  pid_t executor_ = 0;
};

void RoundTrips(benchmark::State& state, const DaemonSockets& sockets, int here,
                int there) {
  Served served(sockets);
  served.PinExecutor(there);
  double ping_pong = 0;
  double round_trip = 0;
  for (auto _ : state) {
    // The better of three each, taken in turns: others use the cores too.
    ping_pong = round_trip = 1e9;
    for (int turn = 0; turn < 3; ++turn) {
      ping_pong = std::min(ping_pong, PingPong(here, there));
      Pin(0, here);
      round_trip =
          std::min(round_trip, MedianNanoseconds([&] { served.RoundTrip(); }));
    }
  }
  UnpinThisThread();
  state.counters["ping_pong_ns"] = ping_pong;
  state.counters["round_trip_ns"] = round_trip;
  state.counters["ratio"] = round_trip / ping_pong;
}

// The executor sleeps before each launch, and the client may while it wakes.
void Sleeping(benchmark::State& state, const DaemonSockets& sockets) {
  Served served(sockets);
  std::vector<double> times;
  for (auto _ : state) {
    for (int i = 0; i < kSleeps; ++i) {
      ::poll(nullptr, 0, 2);
      const auto begin = std::chrono::steady_clock::now();
      served.RoundTrip();
      const std::chrono::duration<double, std::micro> time =
          std::chrono::steady_clock::now() - begin;
      times.push_back(time.count());
    }
  }
  std::sort(times.begin(), times.end());
  state.counters["p50_us"] = times[times.size() / 2];
  state.counters["p99_us"] = times[times.size() * 99 / 100];
}

void Throughput(benchmark::State& state, const DaemonSockets& sockets,
                int clients) {
  std::vector<std::unique_ptr<Served>> served;
  for (int i = 0; i < clients; ++i) {
    served.push_back(std::make_unique<Served>(sockets, 1024));
  }
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (auto& each : served) {
      threads.emplace_back([&each] { each->Stream(kThroughputLaunches); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  state.counters["launches_per_second"] =
      benchmark::Counter(static_cast<double>(clients) * kThroughputLaunches,
                         benchmark::Counter::kIsIterationInvariantRate);
}

// The first core that is, or is not, another thread of core 0; -1: none is.
int Partner(bool sibling) {
  const int count = static_cast<int>(std::thread::hardware_concurrency());
  const std::string core = "/topology/core_id";
  const std::string package = "/topology/physical_package_id";
  const auto read = [](int cpu, const std::string& what) {
    return ReadFile("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + what);
  };
  for (int cpu = 1; cpu < count; ++cpu) {
    const bool same = read(cpu, core) == read(0, core) &&
                      read(cpu, package) == read(0, package);
    if (same == sibling) return cpu;
  }
  return -1;
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) {
  char folder[] = "/tmp/quern-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 1;
  const auto program = quern::FindDaemonProgram();
  if (!program.ok()) quern::Fail(program.status());
  const absl::Status started = quern::EnsureDaemon(
      folder, {.program = *program, .cache_folder = ""}, absl::Seconds(20));
  if (!started.ok()) quern::Fail(started);
  const quern::DaemonSockets sockets = quern::SocketsIn(folder);
  for (const bool sibling : {false, true}) {
    const int there = quern::Partner(sibling);
    if (there < 0) continue;
    benchmark::RegisterBenchmark(
        sibling ? "round_trip/one_core" : "round_trip/two_cores",
        [sockets, there](benchmark::State& state) {
          quern::RoundTrips(state, sockets, 0, there);
        })
        ->Iterations(1);
  }
  benchmark::RegisterBenchmark(
      "round_trip/sleeping",
      [sockets](benchmark::State& state) { quern::Sleeping(state, sockets); })
      ->Iterations(1);
  for (const int clients : {1, 2, 4}) {
    benchmark::RegisterBenchmark(
        ("throughput/clients_" + std::to_string(clients)).c_str(),
        [sockets, clients](benchmark::State& state) {
          quern::Throughput(state, sockets, clients);
        })
        ->Iterations(1)
        ->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  quern::StopDaemon(folder, absl::Seconds(20)).IgnoreError();
  std::filesystem::remove_all(folder);
  return 0;
}
