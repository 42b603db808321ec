// Compiles specs to kernel images. No type of LLVM or MLIR is named here.
//
// Compiling is a pure function of the spec and of this build of the compiler:
// equal specs give equal bytes, in every process and on every machine.
//
// A Compiler is expensive to create (it registers dialects and targets) and is
// meant to be created once, before a process forks. It is not thread-safe, and
// it starts no threads.
#ifndef QUERN_COMPILER_API_COMPILER_H_
#define QUERN_COMPILER_API_COMPILER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// What to make of a spec.
enum class CompileOutput {
  kImage,     // A kernel image (proto/wire/IMAGE.md).
  kPlan,      // Text: loops, groups and buffers.
  kLlvmIr,    // Text, after optimisation.
  kAssembly,  // Text, in the target's assembler syntax.
};

// Bounds on what a source may ask for.
struct CompileLimits {
  uint32_t nesting_max = 256;  // Of regions and brackets.
};

// Wall time of each step; zero for steps that the output did not need.
struct CompileSteps {
  absl::Duration parse;
  absl::Duration plan;
  absl::Duration emit;
  absl::Duration optimize;
  absl::Duration generate;
  absl::Duration link;
  uint32_t ir_instructions = 0;  // LLVM instructions after optimisation.
};

struct CompileResult {
  std::string bytes;  // The image, or the text.
  CompileSteps steps;
};

class Compiler {
 public:
  virtual ~Compiler() = default;

  // Compiles `spec`, whose target is resolved (not the host). `key` goes into
  // the image's header.
  //
  // InvalidArgument: does not parse or verify ("line:column: ..."), no such
  //   entry, the signature contradicts the source, unknown triple, CPU or
  //   feature.
  // Unimplemented: uses what is not supported ("line:column: ... 'tt.op'").
  // ResourceExhausted: the image, its scratch or a frame is over its limit.
  // Internal: a broken invariant of the compiler itself.
  virtual absl::StatusOr<CompileResult> Compile(
      const CompileSpec& spec, const KernelKey& key, CompileOutput output,
      const CompileLimits& limits) = 0;
};

// What a process exits with when LLVM meets an error that it cannot report
// otherwise, or has no memory left; a line on the standard error says which.
inline constexpr int kCompilerFatalErrorExit = 70;

// Returns a compiler with all its targets and dialects ready. One a process:
// it installs LLVM's handlers of fatal errors, which exit with
// kCompilerFatalErrorExit. A stack overflow or a crash of LLVM's still ends
// the process by a signal, so compile what is not trusted in a child.
std::unique_ptr<Compiler> NewCompiler();

// The processor that this process runs on: triple, CPU name, and every
// feature that it has or lacks, signed and sorted. Reads files on AArch64: call
// it before a sandbox closes.
TargetSpec HostTarget();

// SHA-256 over the GNU build ids of this program, libMLIR and libLLVM.
//
// FailedPrecondition: one of them was linked without a build id.
absl::StatusOr<BuildId> CompilerBuildId();

}  // namespace quern

#endif  // QUERN_COMPILER_API_COMPILER_H_
