// Machine code from LLVM IR, in memory.
#include "compiler/codegen/generate.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/raw_ostream.h"

namespace quern {
namespace {

// Keeps the first complaint of the code generator as a status.
class Complaints final : public llvm::DiagnosticHandler {
 public:
  explicit Complaints(absl::Status& status) : status_(status) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (!status_.ok()) return true;
    if (const auto* frame =
            llvm::dyn_cast<llvm::DiagnosticInfoStackSize>(&info)) {
      status_ = absl::ResourceExhaustedError(absl::StrCat(
          "the kernel needs a stack frame of ", frame->getResourceSize(),
          " bytes; the limit is ", frame->getResourceLimit()));
    } else if (info.getSeverity() == llvm::DS_Error) {
      std::string text;
      llvm::raw_string_ostream stream(text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
      status_ = absl::UnimplementedError(
          absl::StrCat("code generation failed: ", text));
    }
    return true;
  }

 private:
  absl::Status& status_;
};

}  // namespace

absl::StatusOr<std::string> Generate(llvm::Module& module, Target& target,
                                     GeneratedForm form) {
  llvm::LLVMContext& context = module.getContext();
  absl::Status complaint;
  std::unique_ptr<llvm::DiagnosticHandler> previous =
      context.getDiagnosticHandler();
  context.setDiagnosticHandler(std::make_unique<Complaints>(complaint));

  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  const bool failed = target.machine_code->addPassesToEmitFile(
      passes, stream, nullptr,
      form == GeneratedForm::kObject ? llvm::CodeGenFileType::ObjectFile
                                     : llvm::CodeGenFileType::AssemblyFile,
      /*DisableVerify=*/true);
  if (!failed) passes.run(module);
  context.setDiagnosticHandler(std::move(previous));
  if (failed) return absl::InternalError("the target emits no such file");
  if (!complaint.ok()) return complaint;
  return std::string(bytes);
}

}  // namespace quern
