// Machine code from LLVM IR, in memory.
#ifndef QUERN_COMPILER_CODEGEN_GENERATE_H_
#define QUERN_COMPILER_CODEGEN_GENERATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "compiler/codegen/target.h"
#include "llvm/IR/Module.h"

namespace quern {

enum class GeneratedForm { kObject, kAssembly };

// Generates an ELF object, or assembler text. Consumes what `module` holds: it
// may only be destroyed afterwards.
//
// ResourceExhausted: a frame is over 64 KiB.
// Unimplemented: LLVM cannot generate code for something in the module.
absl::StatusOr<std::string> Generate(llvm::Module& module, Target& target,
                                     GeneratedForm form);

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_GENERATE_H_
