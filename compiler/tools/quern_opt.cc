// quern-opt FILE...: checks that files of Triton IR parse and verify.
#include <cstdio>

#include "compiler/dialect/parse.h"
#include "llvm/Support/MemoryBuffer.h"

int main(int argc, char** argv) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  quern::LoadDialects(context);
  int failures = 0;
  for (int i = 1; i < argc; ++i) {
    auto file = llvm::MemoryBuffer::getFile(argv[i]);
    if (!file) return 2;
    auto module = quern::ParseTritonIr(
        context,
        std::string_view((*file)->getBufferStart(), (*file)->getBufferSize()));
    if (module.ok()) continue;
    ++failures;
    std::printf("%s:%s\n", argv[i], module.status().ToString().c_str());
  }
  std::printf("%d of %d files failed\n", failures, argc - 1);
  return failures != 0;
}
