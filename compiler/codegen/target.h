// What code is generated for: a TargetSpec checked and made ready for LLVM.
//
// InitializeTargets first. All functions here are pure after it.
#ifndef QUERN_COMPILER_CODEGEN_TARGET_H_
#define QUERN_COMPILER_CODEGEN_TARGET_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "compiler/plan/target_shape.h"
#include "llvm/Target/TargetMachine.h"
#include "proto/wire/compile_spec.h"

namespace quern {

struct Target {
  TargetShape shape;
  uint32_t machine = 0;  // QUERN_MACHINE_...
  // What code for it may use, for the image's header: "avx2,fma,...".
  std::string features;
  uint32_t vector_length_bytes = 0;
  // Owned: generates position-independent code in the small code model.
  std::unique_ptr<llvm::TargetMachine> machine_code;
};

// Registers the two targets and settles LLVM's process-wide choices. Call it
// once, before anything else of this folder, from one thread.
void InitializeTargets();

// Checks `spec` and makes its code generator. Without a CPU, code is made for
// the least that is supported: x86-64-v3, or Armv8.0 with NEON.
//
// InvalidArgument: unknown triple, CPU or feature; or a processor below
//   x86-64-v3 (AVX2, FMA, F16C) or without NEON.
absl::StatusOr<Target> ResolveTarget(const TargetSpec& spec);

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_TARGET_H_
