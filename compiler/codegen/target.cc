// Resolves a TargetSpec against what LLVM knows.
#include "compiler/codegen/target.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "compiler/codegen/target_features.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"
#include "proto/wire/image_format.h"
#include "proto/wire/status.h"

extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
void LLVMInitializeAArch64TargetInfo();
void LLVMInitializeAArch64Target();
void LLVMInitializeAArch64TargetMC();
void LLVMInitializeAArch64AsmPrinter();
}

namespace quern {
namespace {

constexpr size_t kFeaturesMax = 1024;

absl::StatusOr<llvm::Triple> ParseTriple(const std::string& text) {
  llvm::Triple triple(llvm::Triple::normalize(text));
  const bool known = triple.getArch() == llvm::Triple::x86_64 ||
                     triple.getArch() == llvm::Triple::aarch64;
  if (!known || !triple.isOSLinux() || !triple.isOSBinFormatELF() ||
      triple.isX32()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown target triple '", text,
        "': expected x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu"));
  }
  return triple;
}

absl::Status CheckFeature(const llvm::MCSubtargetInfo& subtarget,
                          const std::string& feature) {
  const bool is_signed =
      feature.size() > 1 && (feature[0] == '+' || feature[0] == '-');
  if (is_signed) {
    const llvm::StringRef name = llvm::StringRef(feature).drop_front();
    for (const auto& known : subtarget.getAllProcessorFeatures()) {
      if (name == known.Key) return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown feature '", feature, "': expected +NAME or -NAME"));
}

std::unique_ptr<llvm::TargetMachine> NewTargetMachine(
    const llvm::Target& target, const llvm::Triple& triple,
    const std::string& cpu, const std::string& features) {
  llvm::TargetOptions options;
  // Only what the IR marks may be fused.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  options.ExceptionModel = llvm::ExceptionHandling::None;
  return std::unique_ptr<llvm::TargetMachine>(target.createTargetMachine(
      triple.str(), cpu, features, options, llvm::Reloc::PIC_,
      llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

class FeatureSet final {
 public:
  explicit FeatureSet(const llvm::MCSubtargetInfo& subtarget)
      : subtarget_(subtarget) {}
  bool Has(const char* name) const {
    return subtarget_.checkFeatures(absl::StrCat("+", name));
  }

 private:
  const llvm::MCSubtargetInfo& subtarget_;
};

absl::Status FillX86(const FeatureSet& features, TargetShape& shape) {
  shape.arch = TargetArch::kX86_64;
  shape.avx2_fma = features.Has("avx2") && features.Has("fma");
  shape.f16c = features.Has("f16c");
  shape.avx512 = features.Has("avx512f") && features.Has("avx512bw") &&
                 features.Has("avx512dq") && features.Has("avx512vl");
  shape.avx512_bf16 = shape.avx512 && features.Has("avx512bf16");
  shape.vnni = shape.avx512 && features.Has("avx512vnni");
  shape.vector_bytes = shape.avx512 ? 64 : 32;
  shape.vector_registers = shape.avx512 ? 32 : 16;
  if (!shape.avx2_fma || !shape.f16c) {
    return absl::InvalidArgumentError(
        "the target lacks avx2, fma or f16c: x86-64-v3 is the least that "
        "kernels are compiled for");
  }
  return absl::OkStatus();
}

absl::Status FillAArch64(const FeatureSet& features, TargetShape& shape) {
  shape.arch = TargetArch::kAArch64;
  shape.neon = features.Has("neon");
  shape.dotprod = features.Has("dotprod");
  shape.i8mm = features.Has("i8mm");
  shape.bf16 = features.Has("bf16");
  shape.fp16 = features.Has("fullfp16");
  shape.vector_bytes = 16;
  shape.vector_registers = 32;
  if (!shape.neon) {
    return absl::InvalidArgumentError("the target lacks neon");
  }
  return absl::OkStatus();
}

}  // namespace

void InitializeTargets() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
  // Addresses are strength-reduced by construction; the pass would only cost
  // time. It has no other switch than this process-wide one.
  auto& options = llvm::cl::getRegisteredOptions();
  if (auto found = options.find("disable-lsr");
      found != options.end() && found->second->getNumOccurrences() == 0) {
    found->second->addOccurrence(0, "disable-lsr", "true");
  }
}

absl::StatusOr<Target> ResolveTarget(const TargetSpec& spec) {
  QUERN_ASSIGN_OR_RETURN(const llvm::Triple triple, ParseTriple(spec.triple));
  std::string error;
  const llvm::Target* registered =
      llvm::TargetRegistry::lookupTarget(triple.str(), error);
  if (registered == nullptr) return absl::InternalError(error);
  std::unique_ptr<llvm::MCSubtargetInfo> plain(
      registered->createMCSubtargetInfo(triple.str(), "", ""));
  const bool is_x86 = triple.getArch() == llvm::Triple::x86_64;
  const std::string cpu = !spec.cpu.empty() ? spec.cpu
                          : is_x86          ? "x86-64-v3"
                                            : "generic";
  if (!plain->isCPUStringValid(cpu)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown CPU '", cpu, "' for ", triple.str()));
  }
  if (spec.features.size() > kFeaturesMax) {
    return absl::InvalidArgumentError("more than 1024 features");
  }
  for (const std::string& feature : spec.features) {
    QUERN_RETURN_IF_ERROR(CheckFeature(*plain, feature));
  }
  Target target;
  target.machine_code = NewTargetMachine(*registered, triple, cpu,
                                         absl::StrJoin(spec.features, ","));
  const FeatureSet features(*target.machine_code->getMCSubtargetInfo());
  target.machine = is_x86 ? QUERN_MACHINE_X86_64 : QUERN_MACHINE_AARCH64;
  target.vector_length_bytes = spec.vector_length_bytes;
  QUERN_RETURN_IF_ERROR(is_x86 ? FillX86(features, target.shape)
                               : FillAArch64(features, target.shape));
  std::vector<const char*> names;
  for (const char* name : is_x86 ? X86Extensions() : AArch64Extensions()) {
    if (features.Has(name)) names.push_back(name);
  }
  target.features = absl::StrJoin(names, ",");
  return target;
}

}  // namespace quern
