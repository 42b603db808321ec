// A client process for system tests, in roles:
//
//   test-client compile-all FOLDER KERNELS: compiles every file of the folder
//     KERNELS (vector adds of f32 with block 128), runs each, prints "N right",
//     and waits for a line on standard input.
//   test-client time-all FOLDER KERNELS: compiles every file of the folder
//     KERNELS (as above), one after the other on one connection; prints for
//     each how many microseconds that took, and whether a cache held it.
//   test-client launch-on FOLDER FILE: compiles FILE (a vector add), prints
//     "ready", and launches it until a line comes on standard input; prints
//     "N launches, right", and then compiles a variant by the daemon of then.
//   test-client launch-gaps FOLDER FILE: compiles FILE (a vector add), prints
//     "ready", and launches it without a pause until its input ends. For each
//     line of that it prints of the time since the one before: how many
//     launches, the longest time in nanoseconds from one to the next, and how
//     often the thread waited for anything.
//   test-client lookup FOLDER FILE N: compiles FILE and looks its key up N
//     times.
//   test-client fork FOLDER FILE: compiles FILE, forks, and in the child
//     launches it, compiles a variant and launches that.
//   test-client call-into FOLDER FILE: compiles FILE, whose kernel never ends,
//     prints "calling", and calls it.
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "client/library/client.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(120);
constexpr uint32_t kCount = 1000;
constexpr uint32_t kBlock = 128;

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

absl::StatusOr<std::unique_ptr<Client>> Connect(const std::string& folder) {
  ClientOptions options;
  options.sockets = SocketsIn(folder);
  options.start_private_daemon = false;
  return Client::Create(std::move(options));
}

absl::StatusOr<Compiled> Compile(Client& client, const std::string& source) {
  CompileSpec spec;
  spec.source = source;
  return client.Compile(spec, kTimeout);
}

// Launches a vector add and checks what it wrote.
absl::Status Add(Client& client, const LoadedKernel& kernel) {
  std::vector<float> x(kCount, 1.5F);
  std::vector<float> y(kCount, 2.0F);
  std::vector<float> z(kCount, 0.0F);
  const uint64_t args[] = {reinterpret_cast<uintptr_t>(x.data()),
                           reinterpret_cast<uintptr_t>(y.data()),
                           reinterpret_cast<uintptr_t>(z.data()), kCount};
  const Grid grid = {(kCount + kBlock - 1) / kBlock, 1, 1};
  QUERN_RETURN_IF_ERROR(client.Launch(kernel, grid, args, 0));
  if (z != std::vector<float>(kCount, 3.5F)) {
    return absl::DataLossError("a wrong sum");
  }
  return absl::OkStatus();
}

absl::Status CompileAll(const std::string& folder, const std::string& kernels) {
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  int right = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kernels)) {
    QUERN_ASSIGN_OR_RETURN(const Compiled compiled,
                           Compile(*client, Contents(entry.path())));
    QUERN_RETURN_IF_ERROR(Add(*client, *compiled.kernel));
    ++right;
  }
  std::printf("%d right\n", right);
  std::fflush(stdout);
  std::string line;
  std::getline(std::cin, line);
  return absl::OkStatus();
}

absl::Status TimeAll(const std::string& folder, const std::string& kernels) {
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  std::vector<std::string> sources;
  for (const auto& entry : std::filesystem::directory_iterator(kernels)) {
    sources.push_back(Contents(entry.path()));
  }
  std::vector<std::pair<absl::Duration, Compiled>> results;
  for (const std::string& source : sources) {
    const Stopwatch stopwatch;
    QUERN_ASSIGN_OR_RETURN(Compiled compiled, Compile(*client, source));
    results.emplace_back(stopwatch.elapsed(), std::move(compiled));
  }
  for (const auto& [time, compiled] : results) {
    QUERN_RETURN_IF_ERROR(Add(*client, *compiled.kernel));
    std::printf("%.1f %d\n", absl::ToDoubleMicroseconds(time),
                compiled.cached ? 1 : 0);
  }
  return absl::OkStatus();
}

bool InputIsReady() {
  pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) == 1;
}

absl::Status LaunchOn(const std::string& folder, const std::string& file) {
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  const std::string source = Contents(file);
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled, Compile(*client, source));
  std::printf("ready\n");
  std::fflush(stdout);
  int launches = 0;
  while (!InputIsReady()) {
    QUERN_RETURN_IF_ERROR(Add(*client, *compiled.kernel));
    QUERN_RETURN_IF_ERROR(client->Lookup(compiled.key).status());
    ++launches;
  }
  std::printf("%d launches, right\n", launches);
  std::fflush(stdout);
  QUERN_ASSIGN_OR_RETURN(const Compiled variant,
                         Compile(*client, "// variant\n" + source));
  QUERN_RETURN_IF_ERROR(Add(*client, *variant.kernel));
  std::printf("attached again\n");
  return absl::OkStatus();
}

// How often this thread gave its core away to wait for something.
long WaitsOfThread() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

absl::Status LaunchGaps(const std::string& folder, const std::string& file) {
  using Clock = std::chrono::steady_clock;
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled,
                         Compile(*client, Contents(file)));
  std::vector<float> memory(kBlock);
  const auto vector = reinterpret_cast<uintptr_t>(memory.data());
  const uint64_t args[] = {vector, vector, vector, kBlock};
  std::printf("ready\n");
  std::fflush(stdout);
  for (std::string line; !std::cin.eof();) {
    int64_t launches = 0;
    Clock::duration longest{0};
    const long waits = WaitsOfThread();
    for (Clock::time_point last = Clock::now(); !InputIsReady();) {
      for (int i = 0; i < 1000; ++i, ++launches) {
        QUERN_RETURN_IF_ERROR(
            client->Launch(*compiled.kernel, {1, 1, 1}, args, 1));
        const Clock::time_point now = Clock::now();
        longest = std::max(longest, now - last);
        last = now;
      }
    }
    std::printf("%lld %lld %ld\n", static_cast<long long>(launches),
                static_cast<long long>(longest / std::chrono::nanoseconds(1)),
                WaitsOfThread() - waits);
    std::fflush(stdout);
    std::getline(std::cin, line);
  }
  return absl::OkStatus();
}

absl::Status LookUp(const std::string& folder, const std::string& file,
                    int count) {
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled,
                         Compile(*client, Contents(file)));
  for (int i = 0; i < count; ++i) {
    QUERN_RETURN_IF_ERROR(client->Lookup(compiled.key).status());
  }
  return absl::OkStatus();
}

absl::Status Fork(const std::string& folder, const std::string& file) {
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  const std::string source = Contents(file);
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled, Compile(*client, source));
  QUERN_RETURN_IF_ERROR(Add(*client, *compiled.kernel));
  const pid_t child = ::fork();
  if (child == 0) {
    absl::Status status = Add(*client, *compiled.kernel);
    const absl::StatusOr<Compiled> variant =
        Compile(*client, "// in the child\n" + source);
    status.Update(variant.status());
    if (status.ok()) status = Add(*client, *variant->kernel);
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    ::_exit(status.ok() ? 0 : 1);
  }
  int exit_status = -1;
  ::waitpid(child, &exit_status, 0);
  if (exit_status != 0) return absl::InternalError("the child failed");
  QUERN_ASSIGN_OR_RETURN(const Compiled after,
                         Compile(*client, "// in the parent\n" + source));
  return Add(*client, *after.kernel);
}

absl::Status CallInto(const std::string& folder, const std::string& file) {
  QUERN_ASSIGN_OR_RETURN(const auto client, Connect(folder));
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled,
                         Compile(*client, Contents(file)));
  std::printf("calling\n");
  std::fflush(stdout);
  std::vector<uint64_t> memory(4096);
  std::vector<uint64_t> args(compiled.kernel->header.argument_count,
                             reinterpret_cast<uintptr_t>(memory.data()));
  return client->Launch(*compiled.kernel, {1, 1, 1}, args, 1);
}

absl::Status Run(const std::vector<std::string>& words) {
  if (words.size() < 3) return absl::InvalidArgumentError("too few words");
  if (words[0] == "compile-all") return CompileAll(words[1], words[2]);
  if (words[0] == "time-all") return TimeAll(words[1], words[2]);
  if (words[0] == "launch-on") return LaunchOn(words[1], words[2]);
  if (words[0] == "launch-gaps") return LaunchGaps(words[1], words[2]);
  if (words[0] == "lookup" && words.size() == 4) {
    return LookUp(words[1], words[2], std::stoi(words[3]));
  }
  if (words[0] == "fork") return Fork(words[1], words[2]);
  if (words[0] == "call-into") return CallInto(words[1], words[2]);
  return absl::InvalidArgumentError("unknown role");
}

}  // namespace
}  // namespace quern

int main(int argument_count, char** arguments) {
  const absl::Status status =
      quern::Run({arguments + 1, arguments + argument_count});
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
