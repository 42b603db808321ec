// The LLVM pipeline between emission and code generation.
#include "compiler/codegen/optimize.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Operator.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/InstSimplifyPass.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"

namespace quern {
namespace {

// Frames above this are refused: nothing probes the stack's guard page.
constexpr const char* kFrameBytesMax = "65536";

void SetAttributes(llvm::Function& function) {
  function.addFnAttr(llvm::Attribute::NoUnwind);
  function.removeFnAttr(llvm::Attribute::UWTable);
  function.addFnAttr("no-builtins");
  function.addFnAttr("frame-pointer", "all");
  function.addFnAttr("warn-stack-size", kFrameBytesMax);
  function.addFnAttr("no-trapping-math", "true");
}

void ForbidContraction(llvm::Function& function) {
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    if (llvm::isa<llvm::FPMathOperator>(instruction)) {
      instruction.setHasAllowContract(false);
    }
  }
}

absl::Status Verify(const llvm::Module& module) {
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(module, &stream)) {
    return absl::InternalError(
        absl::StrCat("emitted code does not verify: ", message));
  }
  return absl::OkStatus();
}

// The five passes that measurably pay (compile time against run time); the
// rest of LLVM's pipelines re-does what emission has decided.
llvm::FunctionPassManager Pipeline() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(llvm::InstSimplifyPass());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(
      llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  passes.addPass(llvm::ADCEPass());
  return passes;
}

}  // namespace

absl::StatusOr<uint32_t> OptimizeModule(llvm::Module& module,
                                        const Target& target,
                                        bool fp_contract) {
  module.setTargetTriple(target.machine_code->getTargetTriple().str());
  module.setDataLayout(target.machine_code->createDataLayout());
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    SetAttributes(function);
    if (!fp_contract) ForbidContraction(function);
  }
  if (absl::Status status = Verify(module); !status.ok()) return status;

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(target.machine_code.get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(Pipeline()));
  passes.run(module, modules);
  return module.getInstructionCount();
}

}  // namespace quern
