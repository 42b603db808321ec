// quern-opt [--print-plan] FILE...: checks that files of Triton IR parse, and
// prints the plans of their kernels.
#include <cstdio>
#include <string_view>

#include "compiler/dialect/parse.h"
#include "compiler/plan/plan.h"
#include "llvm/Support/MemoryBuffer.h"

namespace {

absl::Status PrintPlans(mlir::ModuleOp module) {
  quern::TargetShape target;
  target.vector_bytes = 64;
  target.vector_registers = 32;
  target.avx512 = target.avx2_fma = target.f16c = true;
  for (auto function : module.getOps<quern::tt::FuncOp>()) {
    if (!function.isPublic()) continue;
    absl::StatusOr<quern::Plan> plan = quern::BuildPlan(function, target);
    if (!plan.ok()) return plan.status();
    std::fputs(quern::PrintPlan(*plan).c_str(), stdout);
  }
  return absl::OkStatus();
}

absl::Status Run(mlir::MLIRContext& context, std::string_view source,
                 bool print_plan) {
  auto module = quern::ParseTritonIr(context, source);
  if (!module.ok()) return module.status();
  return print_plan ? PrintPlans(**module) : absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  quern::LoadDialects(context);
  int failures = 0;
  bool print_plan = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--print-plan") {
      print_plan = true;
      continue;
    }
    auto file = llvm::MemoryBuffer::getFile(argv[i]);
    if (!file) {
      std::fprintf(stderr, "%s: cannot be read\n", argv[i]);
      return 2;
    }
    const absl::Status status = Run(
        context,
        std::string_view((*file)->getBufferStart(), (*file)->getBufferSize()),
        print_plan);
    if (status.ok()) continue;
    ++failures;
    std::fprintf(stderr, "%s: %s\n", argv[i], status.ToString().c_str());
  }
  return failures != 0;
}
