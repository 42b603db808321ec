// Compiles files of Triton IR without a daemon: for tests and for a look.
//
//   quern-compile-file TARGET FORM IN OUT [IN OUT]...
//
// TARGET: host, or TRIPLE:CPU[:FEATURE,FEATURE...]. FORM: image, plan, llvm or
// asm. For each pair a line of JSON is printed: what a compile gave, or why it
// gave nothing.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "compiler/api/compiler.h"

namespace quern {
namespace {

TargetSpec ParseTargetName(const std::string& text) {
  if (text == "host") return HostTarget();
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  TargetSpec spec;
  spec.triple = parts[0];
  if (parts.size() > 1) spec.cpu = parts[1];
  if (parts.size() > 2) spec.features = absl::StrSplit(parts[2], ',');
  return spec;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + "\"";
}

std::string StepsAsJson(const CompileSteps& steps) {
  auto ms = [](absl::Duration duration) {
    return absl::ToDoubleMilliseconds(duration);
  };
  return absl::StrCat("\"parse_ms\": ", ms(steps.parse),
                      ", \"plan_ms\": ", ms(steps.plan),
                      ", \"emit_ms\": ", ms(steps.emit),
                      ", \"optimize_ms\": ", ms(steps.optimize),
                      ", \"generate_ms\": ", ms(steps.generate),
                      ", \"link_ms\": ", ms(steps.link),
                      ", \"ir_instructions\": ", steps.ir_instructions);
}

void CompileOne(Compiler& compiler, CompileSpec spec, CompileOutput output,
                const std::string& in, const std::string& out) {
  std::ifstream file(in, std::ios::binary);
  spec.source.assign(std::istreambuf_iterator<char>(file), {});
  const auto result =
      compiler.Compile(spec, KernelKey(), output, CompileLimits());
  std::string line = absl::StrCat("{\"file\": ", Quoted(in));
  if (result.ok()) {
    std::ofstream(out, std::ios::binary) << result->bytes;
    absl::StrAppend(&line, ", \"bytes\": ", result->bytes.size(), ", ",
                    StepsAsJson(result->steps));
  } else {
    absl::StrAppend(
        &line, ", \"code\": ", static_cast<int>(result.status().code()),
        ", \"error\": ", Quoted(std::string(result.status().message())));
  }
  std::printf("%s}\n", line.c_str());
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  const std::map<std::string, CompileOutput> forms = {
      {"image", CompileOutput::kImage},
      {"plan", CompileOutput::kPlan},
      {"llvm", CompileOutput::kLlvmIr},
      {"asm", CompileOutput::kAssembly}};
  if (argc < 5 || argc % 2 == 0 || forms.count(argv[2]) == 0) {
    std::fprintf(stderr,
                 "usage: quern-compile-file TARGET image|plan|llvm|asm "
                 "IN OUT [IN OUT]...\n");
    return 2;
  }
  const std::unique_ptr<Compiler> compiler = NewCompiler();
  CompileSpec spec;
  spec.target = ParseTargetName(argv[1]);
  for (int i = 3; i + 1 < argc; i += 2) {
    CompileOne(*compiler, spec, forms.at(argv[2]), argv[i], argv[i + 1]);
  }
  return 0;
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) { return quern::Main(argc, argv); }
