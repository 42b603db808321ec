// The compiler's stages, one at a time, on one file.
//
//   quern-opt [--target TRIPLE:CPU] [--print-plan | --print-llvm] FILE
//
// Without a stage, FILE is parsed and verified. `-` is the standard input. The
// target is x86_64-unknown-linux-gnu:x86-64-v4 unless another is named, so
// that output does not depend on the machine.
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/strings/str_split.h"
#include "compiler/api/compiler.h"
#include "compiler/dialect/parse.h"
#include "llvm/Support/MemoryBuffer.h"

namespace quern {
namespace {

enum class Stage { kParse, kPlan, kLlvm };

struct Arguments {
  Stage stage = Stage::kParse;
  std::string target = "x86_64-unknown-linux-gnu:x86-64-v4";
  std::string file;
};

// False if the arguments make no sense.
bool ParseArguments(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--print-plan") {
      arguments.stage = Stage::kPlan;
    } else if (argument == "--print-llvm") {
      arguments.stage = Stage::kLlvm;
    } else if (argument == "--target" && i + 1 < argc) {
      arguments.target = argv[++i];
    } else if (arguments.file.empty()) {
      arguments.file = argument;
    } else {
      return false;
    }
  }
  return !arguments.file.empty();
}

absl::Status Parse(const std::string& source) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  LoadDialects(context);
  return ParseTritonIr(context, source).status();
}

absl::StatusOr<std::string> Print(const Arguments& arguments,
                                  const std::string& source) {
  const std::vector<std::string> parts =
      absl::StrSplit(arguments.target, absl::MaxSplits(':', 1));
  CompileSpec spec;
  spec.source = source;
  spec.target.triple = parts[0];
  if (parts.size() > 1) spec.target.cpu = parts[1];
  const CompileOutput output = arguments.stage == Stage::kPlan
                                   ? CompileOutput::kPlan
                                   : CompileOutput::kLlvmIr;
  absl::StatusOr<CompileResult> result =
      NewCompiler()->Compile(spec, KernelKey(), output, CompileLimits());
  if (!result.ok()) return result.status();
  return std::move(result->bytes);
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!ParseArguments(argc, argv, arguments)) {
    std::fputs(
        "usage: quern-opt [--target TRIPLE:CPU] [--print-plan | --print-llvm] "
        "FILE\n",
        stderr);
    return 2;
  }
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(arguments.file);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", arguments.file.c_str());
    return 2;
  }
  const std::string source = (*file)->getBuffer().str();
  absl::Status status;
  if (arguments.stage == Stage::kParse) {
    status = Parse(source);
  } else {
    absl::StatusOr<std::string> text = Print(arguments, source);
    status = text.status();
    if (text.ok()) std::fputs(text->c_str(), stdout);
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", arguments.file.c_str(),
               status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) { return quern::Main(argc, argv); }
