// The launch signature: what a spec says of arguments, against what the IR
// says.
#ifndef QUERN_COMPILER_API_SIGNATURE_H_
#define QUERN_COMPILER_API_SIGNATURE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/dialect/dialect.h"
#include "proto/wire/compile_spec.h"

namespace quern {

// The function called `entry` or, if that is empty, the only public one.
//
// InvalidArgument: there is none, or several, or it is not public, has results
//   or has more than QUERN_ARGUMENTS_MAX arguments.
absl::StatusOr<tt::FuncOp> FindEntry(mlir::ModuleOp module,
                                     const std::string& entry);

// Checks `signature` against the function's arguments and writes what it adds
// into the function: divisibility as attributes, constants in place of the
// arguments, which then are still passed but not read. Nothing to do if
// `signature` is empty.
//
// InvalidArgument: another number of arguments, another type, a divisibility
//   that is no power of two, or a constant that does not fit.
absl::Status ApplySignature(tt::FuncOp function,
                            absl::Span<const ArgumentSpec> signature);

// Triton's spelling of a type, "*fp32"; empty if it has none.
std::string TritonSpelling(mlir::Type type);

}  // namespace quern

#endif  // QUERN_COMPILER_API_SIGNATURE_H_
