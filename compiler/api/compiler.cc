// The order of the steps of a compile.
#include "compiler/api/compiler.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "compiler/api/signature.h"
#include "compiler/codegen/generate.h"
#include "compiler/codegen/host.h"
#include "compiler/codegen/image_builder.h"
#include "compiler/codegen/link.h"
#include "compiler/codegen/optimize.h"
#include "compiler/codegen/target.h"
#include "compiler/dialect/parse.h"
#include "compiler/emit/emit.h"
#include "compiler/plan/plan.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/MLIRContext.h"
#include "proto/wire/image.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

// Images do not depend on where they were linked; any page will do.
constexpr uint64_t kLinkBase = uint64_t{1} << 32;

// Measures one step after another.
class Stopwatch final {
 public:
  // The time since the last call, or since the start.
  absl::Duration Lap() {
    const absl::Time now = absl::Now();
    return now - std::exchange(last_, now);
  }

 private:
  absl::Time last_ = absl::Now();
};

quern_argument_kind KindOf(ArgumentType type) {
  switch (type) {
    case ArgumentType::kI1:
      return QUERN_ARGUMENT_I1;
    case ArgumentType::kI8:
      return QUERN_ARGUMENT_I8;
    case ArgumentType::kI16:
      return QUERN_ARGUMENT_I16;
    case ArgumentType::kI32:
      return QUERN_ARGUMENT_I32;
    case ArgumentType::kI64:
      return QUERN_ARGUMENT_I64;
    case ArgumentType::kF16:
      return QUERN_ARGUMENT_F16;
    case ArgumentType::kBF16:
      return QUERN_ARGUMENT_BF16;
    case ArgumentType::kF32:
      return QUERN_ARGUMENT_F32;
    case ArgumentType::kF64:
      return QUERN_ARGUMENT_F64;
    case ArgumentType::kPointer:
      return QUERN_ARGUMENT_POINTER;
  }
  return QUERN_ARGUMENT_NONE;
}

[[noreturn]] void ExitOnFatalError(void*, const char* reason, bool) {
  const std::string line = absl::StrCat("LLVM ERROR: ", reason, "\n");
  // The process ends; a message that cannot be written has no other reader.
  static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
  _exit(kCompilerFatalErrorExit);
}

std::string Print(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

// One compile, step by step; each step needs the one before.
class Compilation final {
 public:
  Compilation(mlir::MLIRContext& context, const CompileSpec& spec,
              CompileSteps& steps)
      : context_(context), spec_(spec), steps_(steps) {}

  absl::StatusOr<std::string> Run(const KernelKey& key, CompileOutput output,
                                  const CompileLimits& limits) {
    QUERN_ASSIGN_OR_RETURN(target_, ResolveTarget(spec_.target));
    QUERN_RETURN_IF_ERROR(Parse(limits));
    QUERN_ASSIGN_OR_RETURN(const Plan plan,
                           BuildPlan(function_, target_.shape));
    steps_.plan = watch_.Lap();
    if (output == CompileOutput::kPlan) return PrintPlan(plan);
    QUERN_ASSIGN_OR_RETURN(kernel_, Emit(plan, llvm_context_));
    steps_.emit = watch_.Lap();
    QUERN_ASSIGN_OR_RETURN(
        steps_.ir_instructions,
        OptimizeModule(*kernel_.module, target_, spec_.options.fp_contract));
    steps_.optimize = watch_.Lap();
    if (output == CompileOutput::kLlvmIr) return Print(*kernel_.module);
    const bool assembly = output == CompileOutput::kAssembly;
    QUERN_ASSIGN_OR_RETURN(
        std::string code,
        Generate(*kernel_.module, target_,
                 assembly ? GeneratedForm::kAssembly : GeneratedForm::kObject));
    steps_.generate = watch_.Lap();
    if (assembly) return code;
    return Link(code, key);
  }

 private:
  absl::Status Parse(const CompileLimits& limits) {
    ParseLimits parse_limits;
    parse_limits.nesting_max = limits.nesting_max;
    QUERN_ASSIGN_OR_RETURN(module_,
                           ParseTritonIr(context_, spec_.source, parse_limits));
    QUERN_ASSIGN_OR_RETURN(function_, FindEntry(*module_, spec_.entry));
    QUERN_RETURN_IF_ERROR(ApplySignature(function_, spec_.signature));
    steps_.parse = watch_.Lap();
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Link(const std::string& object,
                                   const KernelKey& key) {
    QUERN_ASSIGN_OR_RETURN(LinkedCode code, LinkObject(object, kLinkBase));
    ImageDescription description;
    description.key = key;
    description.name = function_.getSymName().str();
    description.features = target_.features;
    description.machine = target_.machine;
    description.vector_length_bytes = target_.vector_length_bytes;
    description.scratch_size_bytes = kernel_.scratch_bytes;
    description.asserts = kernel_.assert_messages;
    for (ArgumentType type : kernel_.arguments) {
      description.argument_kinds.push_back(KindOf(type));
    }
    QUERN_ASSIGN_OR_RETURN(std::string image,
                           BuildImage(std::move(code), description));
    if (absl::Status status = VerifyImage(image).status(); !status.ok()) {
      return absl::InternalError(
          absl::StrCat("built a wrong image: ", std::string(status.message())));
    }
    steps_.link = watch_.Lap();
    return image;
  }

  mlir::MLIRContext& context_;
  const CompileSpec& spec_;
  CompileSteps& steps_;
  Stopwatch watch_;
  Target target_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  tt::FuncOp function_;
  llvm::LLVMContext llvm_context_;
  EmittedKernel kernel_;
};

class TritonCompiler final : public Compiler {
 public:
  TritonCompiler() : context_(mlir::MLIRContext::Threading::DISABLED) {
    LoadDialects(context_);
  }

  absl::StatusOr<CompileResult> Compile(const CompileSpec& spec,
                                        const KernelKey& key,
                                        CompileOutput output,
                                        const CompileLimits& limits) override {
    if (spec.format != SourceFormat::kTritonIr) {
      return absl::UnimplementedError("only sources in Triton IR are compiled");
    }
    CompileResult result;
    Compilation compilation(context_, spec, result.steps);
    QUERN_ASSIGN_OR_RETURN(result.bytes, compilation.Run(key, output, limits));
    return result;
  }

 private:
  mlir::MLIRContext context_;
};

}  // namespace

std::unique_ptr<Compiler> NewCompiler() {
  InitializeTargets();
  llvm::install_fatal_error_handler(ExitOnFatalError);
  llvm::install_bad_alloc_error_handler(ExitOnFatalError);
  return std::make_unique<TritonCompiler>();
}

TargetSpec HostTarget() { return DetectHost(); }

}  // namespace quern
