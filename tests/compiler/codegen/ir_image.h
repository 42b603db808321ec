// From LLVM IR text to bytes, through every step of compiler/codegen.
#ifndef QUERN_TESTS_COMPILER_CODEGEN_IR_IMAGE_H_
#define QUERN_TESTS_COMPILER_CODEGEN_IR_IMAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/codegen/image_builder.h"
#include "compiler/codegen/link.h"
#include "compiler/codegen/target.h"
#include "llvm/IR/Module.h"
#include "proto/wire/compile_spec.h"

namespace quern {

// Processors that tests compile for.
TargetSpec X86Spec(std::string cpu = "x86-64-v3",
                   std::vector<std::string> features = {});
TargetSpec Arm64Spec(std::string cpu = "neoverse-n1",
                     std::vector<std::string> features = {});

// Initialises LLVM's targets, the first time.
void InitializeTargetsOnce();

// The object of `module`, or of `ir`, optimised and generated.
absl::StatusOr<std::string> ObjectOf(llvm::Module& module,
                                     const TargetSpec& spec);
absl::StatusOr<std::string> ObjectOfIr(std::string_view ir,
                                       const TargetSpec& spec);

// The image of `module`, without arguments or scratch.
absl::StatusOr<std::string> ImageOf(llvm::Module& module,
                                    const TargetSpec& spec,
                                    uint64_t base = uint64_t{1} << 32);

}  // namespace quern

#endif  // QUERN_TESTS_COMPILER_CODEGEN_IR_IMAGE_H_
