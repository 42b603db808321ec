// MLIR's diagnostics as one message, and locations as text.
#ifndef QUERN_COMPILER_DIALECT_DIAGNOSTICS_H_
#define QUERN_COMPILER_DIALECT_DIAGNOSTICS_H_

#include <string>

#include "absl/status/status.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace quern {

// `LINE:COLUMN` of a place in the source text or, where the text carries debug
// locations, of the place in the kernel's own file that it names. `0:0` if
// nothing is known.
std::string LocationText(mlir::Location location);

// Unimplemented, at `op`: `LINE:COLUMN: tt.name: WHAT`.
absl::Status UnimplementedAt(mlir::Operation* op, std::string_view what);

// Collects the first error while it lives; later ones and warnings are dropped.
class DiagnosticCollector {
 public:
  explicit DiagnosticCollector(mlir::MLIRContext& context);

  // `LINE:COLUMN: TEXT`, with the first note if there is one. Empty: no error.
  const std::string& message() const { return message_; }

 private:
  std::string message_;
  mlir::ScopedDiagnosticHandler handler_;
};

}  // namespace quern

#endif  // QUERN_COMPILER_DIALECT_DIAGNOSTICS_H_
