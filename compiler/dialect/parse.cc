// Triton IR text to a verified module.
#include "compiler/dialect/parse.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "compiler/dialect/diagnostics.h"
#include "compiler/dialect/dialect.h"
#include "compiler/dialect/source_scan.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

namespace quern {
namespace {

// Checks what no operation's verifier does: the tensors' sizes, and how many
// operations there are.
class ModuleCheck {
 public:
  explicit ModuleCheck(const ParseLimits& limits) : limits_(limits) {}

  absl::Status Run(mlir::ModuleOp module) {
    module.walk([&](mlir::Operation* op) {
      if (++operations_ > limits_.operations_max) {
        status_ = absl::InvalidArgumentError(
            absl::StrCat(LocationText(op->getLoc()), ": more than ",
                         limits_.operations_max, " operations"));
        return mlir::WalkResult::interrupt();
      }
      if (!op->isRegistered()) {
        status_ = UnimplementedAt(op, "unknown operation");
        return mlir::WalkResult::interrupt();
      }
      for (mlir::Type type : op->getResultTypes()) CheckType(op, type);
      for (mlir::Region& region : op->getRegions()) {
        for (mlir::Block& block : region) {
          for (mlir::Type type : block.getArgumentTypes()) CheckType(op, type);
        }
      }
      return status_.ok() ? mlir::WalkResult::advance()
                          : mlir::WalkResult::interrupt();
    });
    return status_;
  }

 private:
  void CheckType(mlir::Operation* op, mlir::Type type) {
    if (type == last_good_) return;
    if (auto pointer = llvm::dyn_cast<tt::PointerType>(type)) {
      type = pointer.getPointeeType();
    }
    if (auto descriptor = llvm::dyn_cast<tt::TensorDescriptorType>(type)) {
      type = descriptor.getBlockType();
    }
    auto tensor = llvm::dyn_cast<mlir::TensorType>(type);
    if (!tensor) return;
    bool good = tensor.hasStaticShape();
    int64_t elements = 1;
    for (int64_t size :
         tensor.hasRank() ? tensor.getShape() : llvm::ArrayRef<int64_t>()) {
      good = good && size > 0 && (size & (size - 1)) == 0 &&
             size <= limits_.tensor_elements_max;
      if (good) elements *= size;
      good = good && elements <= limits_.tensor_elements_max;
    }
    if (good) {
      last_good_ = type;
      return;
    }
    std::string text;
    llvm::raw_string_ostream(text) << type;
    status_ = absl::InvalidArgumentError(absl::StrCat(
        LocationText(op->getLoc()), ": ", text,
        ": sizes must be powers of two, and their product at most ",
        limits_.tensor_elements_max));
  }

  const ParseLimits limits_;
  uint64_t operations_ = 0;
  mlir::Type last_good_;
  absl::Status status_;
};

// Longer than the name of any operation, and than an error should quote.
constexpr size_t kOperationNameSizeMax = 100;

// Whether `message` complains of an operation that no dialect here has. A word
// without a dialect before it is no operation, but text that is no IR.
bool IsUnknownOperation(llvm::StringRef message) {
  const auto [before, rest] = message.split("op '");
  const auto [name, after] = rest.split('\'');
  return name.contains('.') && !name.starts_with("builtin.") &&
         name.size() <= kOperationNameSizeMax &&
         after.starts_with(" is unknown");
}

absl::Status ParseError(const std::string& message) {
  if (message.empty()) {
    return absl::InvalidArgumentError("0:0: the source does not parse");
  }
  if (IsUnknownOperation(message)) return absl::UnimplementedError(message);
  return absl::InvalidArgumentError(message);
}

}  // namespace

void LoadDialects(mlir::MLIRContext& context) {
  context.loadDialect<tt::TritonDialect, ttg::TritonGpuDialect,
                      mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                      mlir::gpu::GPUDialect, mlir::LLVM::LLVMDialect,
                      mlir::math::MathDialect, mlir::scf::SCFDialect,
                      mlir::ub::UBDialect>();
  // Other dialects' attributes occur on loops. Their operations do not pass.
  context.allowUnregisteredDialects();
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> ParseTritonIr(
    mlir::MLIRContext& context, std::string_view source,
    const ParseLimits& limits) {
  absl::StatusOr<std::string> text = ScanSource(source, limits.nesting_max);
  if (!text.ok()) return text.status();
  DiagnosticCollector diagnostics(context);
  const mlir::ParserConfig config(&context, /*verifyAfterParse=*/true);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(*text, config, "source");
  if (!module) return ParseError(diagnostics.message());
  absl::Status status = ModuleCheck(limits).Run(*module);
  if (!status.ok()) return status;
  return module;
}

}  // namespace quern
