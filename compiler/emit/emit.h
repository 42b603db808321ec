// Plan to LLVM IR.
#ifndef QUERN_COMPILER_EMIT_EMIT_H_
#define QUERN_COMPILER_EMIT_EMIT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/plan/plan.h"
#include "llvm/IR/Module.h"

namespace quern {

// What an argument slot of a launch holds.
enum class ArgumentType : uint8_t {
  kI1,
  kI8,
  kI16,
  kI32,
  kI64,
  kF16,
  kBF16,
  kF32,
  kF64,
  kPointer,
};

struct EmittedKernel {
  // Holds one external function, `quern_entry`, of the type of the same name
  // in proto/wire/kernel_abi.h, and declares none but intrinsics. It has
  // neither a triple nor a data layout yet.
  std::unique_ptr<llvm::Module> module;
  uint64_t scratch_bytes = 0;
  // The message of device assert i + 1.
  std::vector<std::string> assert_messages;
  std::vector<ArgumentType> arguments;
};

// Emits `plan` into `context`.
//
// Unimplemented: an operation that is not lowered, with location and name.
// Internal: the IR does not verify.
absl::StatusOr<EmittedKernel> Emit(const Plan& plan,
                                   llvm::LLVMContext& context);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_EMIT_H_
