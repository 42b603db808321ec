// The commands of the fake compiler.
#include "tests/fakes/fake_compiler.h"

#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "proto/wire/image_format.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

[[noreturn]] void Spin() {
  // Volatile: a loop without effect may be assumed to end.
  for (volatile uint64_t i = 0;; i = i + 1) {
  }
}

[[noreturn]] void Allocate() {
  std::vector<std::unique_ptr<std::string>> blocks;
  while (true) {
    blocks.push_back(std::make_unique<std::string>(kBlockBytes, 'x'));
  }
}

// Uses the frame after the call, so that it cannot become a loop.
int Recurse(int depth) {
  volatile char frame[512];
  std::memset(const_cast<char*>(frame), depth, sizeof(frame));
  if (depth < 0) return 0;
  return Recurse(depth + 1) + frame[static_cast<size_t>(depth) % 512];
}

void Sleep(absl::Duration duration) {
  const absl::Time end = absl::Now() + duration;
  while (absl::Now() < end) {
  }
}

uint32_t MachineOf(const TargetSpec& target) {
  return target.triple.rfind("aarch64", 0) == 0 ? QUERN_MACHINE_AARCH64
                                                : QUERN_MACHINE_X86_64;
}

// Does what ends the process, or nothing.
void ObeyDeadly(const std::string& command) {
  if (command == "crash") {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  }
  if (command == "abort") std::abort();
  if (command == "spin") Spin();
  if (command == "allocate") Allocate();
  if (command == "recurse") Recurse(0);
  if (command == "syscall") ::socket(AF_UNIX, SOCK_STREAM, 0);
}

class FakeCompiler final : public Compiler {
 public:
  absl::StatusOr<CompileResult> Compile(const CompileSpec& spec,
                                        const KernelKey& key,
                                        CompileOutput output,
                                        const CompileLimits&) override {
    std::istringstream words(spec.source);
    std::string command;
    std::string argument;
    words >> command >> argument;
    ObeyDeadly(command);
    CompileResult result;
    result.steps.parse = absl::Microseconds(1);
    result.steps.ir_instructions = 2;
    const uint32_t machine = MachineOf(spec.target);
    int64_t number = 0;
    const bool is_number = absl::SimpleAtoi(argument, &number);
    if (command == "ok" && output != CompileOutput::kImage) {
      result.bytes = "text of " + argument;
    } else if (command == "ok") {
      result.bytes = FakeImage(key, argument, machine);
    } else if (command == "size" && is_number) {
      result.bytes =
          FakeImage(key, "sized", machine, static_cast<uint64_t>(number));
    } else if (command == "sleep_ms" && is_number) {
      Sleep(absl::Milliseconds(number));
      result.bytes = FakeImage(key, "slept", machine);
    } else if (command == "garbage") {
      result.bytes = "not an image";
    } else if (command == "wrong_key") {
      result.bytes = FakeImage(FakeKey(0xee), "wrong", machine);
    } else if (command == "unimplemented") {
      return absl::UnimplementedError("1:1: unsupported operation 'tt.fake'");
    } else {
      return absl::InvalidArgumentError("1:1: expected an operation");
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Compiler> NewFakeCompiler() {
  return std::make_unique<FakeCompiler>();
}

BuildId FakeBuildId() { return Sha256("the fake compiler"); }

TargetSpec FakeHostTarget() {
  TargetSpec host;
  host.triple = FakeHostMachine() == QUERN_MACHINE_AARCH64
                    ? "aarch64-unknown-linux-gnu"
                    : "x86_64-unknown-linux-gnu";
  host.cpu = "fake";
  return host;
}

}  // namespace quern
