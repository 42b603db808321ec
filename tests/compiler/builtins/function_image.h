// Builtins made callable: an image that applies one of them to arrays.
#ifndef QUERN_TESTS_COMPILER_BUILTINS_FUNCTION_IMAGE_H_
#define QUERN_TESTS_COMPILER_BUILTINS_FUNCTION_IMAGE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "llvm/IR/IRBuilder.h"
#include "proto/wire/compile_spec.h"

namespace quern {

// Emits the result of one vector (or scalar) of each argument.
using EmitBody = std::function<llvm::Value*(llvm::IRBuilderBase&,
                                            llvm::ArrayRef<llvm::Value*>)>;

struct FunctionShape {
  llvm::Type* (*in)(llvm::LLVMContext&);
  llvm::Type* (*out)(llvm::LLVMContext&);
  unsigned arguments = 1;
  unsigned lanes = 1;  // 1: scalars.
};

// An image whose launch arguments are the `shape.arguments` input arrays and
// the output array, and whose grid is the number of elements, a multiple of
// the lanes.
absl::StatusOr<std::string> FunctionImage(const FunctionShape& shape,
                                          const EmitBody& body,
                                          const TargetSpec& target);

}  // namespace quern

#endif  // QUERN_TESTS_COMPILER_BUILTINS_FUNCTION_IMAGE_H_
