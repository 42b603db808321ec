// From LLVM IR text to bytes, through every step of compiler/codegen.
#include "tests/compiler/codegen/ir_image.h"

#include <memory>
#include <utility>

#include "compiler/codegen/generate.h"
#include "compiler/codegen/optimize.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Support/SourceMgr.h"
#include "proto/wire/status.h"

namespace quern {

TargetSpec X86Spec(std::string cpu, std::vector<std::string> features) {
  return {"x86_64-unknown-linux-gnu", std::move(cpu), std::move(features)};
}

TargetSpec Arm64Spec(std::string cpu, std::vector<std::string> features) {
  return {"aarch64-unknown-linux-gnu", std::move(cpu), std::move(features)};
}

void InitializeTargetsOnce() {
  static const bool done = [] {
    InitializeTargets();
    return true;
  }();
  static_cast<void>(done);
}

absl::StatusOr<std::string> ObjectOf(llvm::Module& module,
                                     const TargetSpec& spec) {
  InitializeTargetsOnce();
  QUERN_ASSIGN_OR_RETURN(Target target, ResolveTarget(spec));
  if (auto count = OptimizeModule(module, target); !count.ok()) {
    return count.status();
  }
  return Generate(module, target, GeneratedForm::kObject);
}

absl::StatusOr<std::string> ObjectOfIr(std::string_view ir,
                                       const TargetSpec& spec) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic error;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(
      llvm::StringRef(ir.data(), ir.size()), error, context);
  if (module == nullptr) {
    return absl::InvalidArgumentError(error.getMessage().str());
  }
  return ObjectOf(*module, spec);
}

absl::StatusOr<std::string> ImageOf(llvm::Module& module,
                                    const TargetSpec& spec, uint64_t base) {
  QUERN_ASSIGN_OR_RETURN(const std::string object, ObjectOf(module, spec));
  QUERN_ASSIGN_OR_RETURN(LinkedCode code, LinkObject(object, base));
  QUERN_ASSIGN_OR_RETURN(const Target target, ResolveTarget(spec));
  ImageDescription description;
  description.name = "test";
  description.machine = target.machine;
  description.features = target.features;
  return BuildImage(std::move(code), description);
}

}  // namespace quern
