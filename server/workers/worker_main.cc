// quern-compile-worker: the compile zygote's program.
#include <llvm/Support/ErrorHandling.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/api/compiler.h"
#include "server/sandbox/outcome.h"
#include "server/workers/zygote.h"

namespace quern {
namespace {

// Reads, adds and writes a block: what most kernels do.
constexpr char kWarmUpSource[] = R"(module {
  tt.func public @warm_up(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
    %c64 = arith.constant 64 : i32
    %pid = tt.get_program_id x : i32
    %start = arith.muli %pid, %c64 : i32
    %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
    %base = tt.splat %start : i32 -> tensor<64xi32>
    %at = arith.addi %base, %range : tensor<64xi32>
    %bound = tt.splat %n : i32 -> tensor<64xi32>
    %mask = arith.cmpi slt, %at, %bound : tensor<64xi32>
    %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
    %xp = tt.addptr %xs, %at : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
    %v = tt.load %xp, %mask : tensor<64x!tt.ptr<f32>>
    %sum = arith.addf %v, %v : tensor<64xf32>
    %ys = tt.splat %y : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
    %yp = tt.addptr %ys, %at : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
    tt.store %yp, %sum, %mask : tensor<64x!tt.ptr<f32>>
    tt.return
  }
}
)";

// LLVM allocates past operator new in places; those end like the others.
void ReportOutOfMemory(void*, const char*, bool) { ::_exit(kExitOutOfMemory); }

int Main() {
  const absl::StatusOr<BuildId> build_id = CompilerBuildId();
  if (!build_id.ok()) {
    std::cerr << "quern-compile-worker: " << build_id.status().message()
              << "\n";
    return EXIT_FAILURE;
  }
  const std::unique_ptr<Compiler> compiler = NewCompiler();
  llvm::remove_bad_alloc_error_handler();
  llvm::install_bad_alloc_error_handler(ReportOutOfMemory);
  ZygoteOptions options;
  options.build_id = *build_id;
  options.host = HostTarget();
  options.warm_up.source = kWarmUpSource;
  options.warm_up.target = options.host;
  const absl::Status status = RunZygote(kControlFd, *compiler, options);
  // The daemon's end is the normal end.
  if (absl::IsOutOfRange(status)) return EXIT_SUCCESS;
  std::cerr << "quern-compile-worker: " << status.message() << "\n";
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace quern

int main() { return quern::Main(); }
