// MLIR's diagnostics as one message, and locations as text.
#include "compiler/dialect/diagnostics.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mlir/IR/Location.h"

namespace quern {
namespace {

// The first line of a diagnostic. Some go on to print a whole operation, which
// adds nothing to a line and a column.
std::string Headline(const mlir::Diagnostic& diagnostic) {
  std::string text = diagnostic.str();
  text.resize(std::min(text.find('\n'), text.size()));
  return std::string(absl::StripSuffix(text, ", has "));
}

}  // namespace

std::string LocationText(mlir::Location location) {
  std::string text = "0:0";
  location->walk([&](mlir::Location part) {
    if (auto place = llvm::dyn_cast<mlir::FileLineColLoc>(part)) {
      text = absl::StrCat(place.getLine(), ":", place.getColumn());
      return mlir::WalkResult::interrupt();
    }
    return mlir::WalkResult::advance();
  });
  return text;
}

absl::Status UnimplementedAt(mlir::Operation* op, std::string_view what) {
  const llvm::StringRef name = op->getName().getStringRef();
  return absl::UnimplementedError(
      absl::StrCat(LocationText(op->getLoc()), ": ",
                   absl::string_view(name.data(), name.size()), ": ",
                   absl::string_view(what.data(), what.size())));
}

DiagnosticCollector::DiagnosticCollector(mlir::MLIRContext& context)
    : handler_(&context, [this](mlir::Diagnostic& diagnostic) {
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error ||
            !message_.empty()) {
          return mlir::success();
        }
        message_ = absl::StrCat(LocationText(diagnostic.getLocation()), ": ",
                                Headline(diagnostic));
        for (mlir::Diagnostic& note : diagnostic.getNotes()) {
          const std::string text = Headline(note);
          if (text.find("see current operation") != std::string::npos) continue;
          absl::StrAppend(&message_, " (", LocationText(note.getLocation()),
                          ": ", text, ")");
          break;
        }
        return mlir::success();
      }) {}

}  // namespace quern
