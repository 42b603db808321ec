// Tests of whole compiles, over the project's own printed kernels.
#include "compiler/api/compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "llvm/Support/ErrorHandling.h"
#include "proto/wire/image.h"

namespace quern {
namespace {

using ::testing::HasSubstr;

Compiler& TheCompiler() {
  static const std::unique_ptr<Compiler> compiler = NewCompiler();
  return *compiler;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string Kernel(const std::string& name) {
  return ReadFile(std::string(QUERN_KERNELS) + "/3.9.0/" + name + ".ttir");
}

std::vector<std::filesystem::path> KernelFiles(const char* version) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::string(QUERN_KERNELS) + "/" + version)) {
    files.push_back(entry.path());
  }
  return files;
}

CompileSpec SpecOf(std::string source) {
  CompileSpec spec;
  spec.source = std::move(source);
  spec.target = HostTarget();
  return spec;
}

absl::StatusOr<CompileResult> Compile(
    const CompileSpec& spec, CompileOutput output = CompileOutput::kImage) {
  return TheCompiler().Compile(spec, KernelKey(), output, CompileLimits());
}

absl::StatusCode CodeOf(const CompileSpec& spec) {
  return Compile(spec).status().code();
}

// The image that another process makes of `spec`.
std::string ImageOfChild(const CompileSpec& spec) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    // Work that the parent has not done, so that addresses differ.
    std::vector<std::unique_ptr<int>> noise;
    for (int i = 0; i < 1000; ++i) noise.push_back(std::make_unique<int>(i));
    static_cast<void>(Compile(SpecOf(Kernel("gelu_f32"))));
    const auto result = NewCompiler()->Compile(
        spec, KernelKey(), CompileOutput::kImage, CompileLimits());
    const std::string bytes = result.ok() ? result->bytes : "";
    static_cast<void>(!write(ends[1], bytes.data(), bytes.size()));
    _exit(0);
  }
  close(ends[1]);
  std::string bytes;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    bytes.append(buffer, got);
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return bytes;
}

TEST(CompilerTest, EveryKernelCompilesForEveryTarget) {
  const TargetSpec targets[] = {
      HostTarget(),
      {"x86_64-unknown-linux-gnu", "x86-64-v3", {}, 0},
      {"aarch64-unknown-linux-gnu", "neoverse-n1", {}, 0},
      {"aarch64-unknown-linux-gnu", "neoverse-v2", {}, 0}};
  for (const auto& file : KernelFiles("3.9.0")) {
    for (const TargetSpec& target : targets) {
      CompileSpec spec = SpecOf(ReadFile(file));
      spec.target = target;
      const auto result = Compile(spec);
      ASSERT_TRUE(result.ok())
          << file << " for " << target.cpu << ": " << result.status();
      EXPECT_TRUE(VerifyImage(result->bytes).ok()) << file;
    }
  }
}

TEST(CompilerTest, EqualSpecsGiveEqualBytesInEveryProcess) {
  for (const char* name : {"add_f32", "softmax_f32", "layer_norm_bf16",
                           "matmul_f16", "sin_f32", "argmax_fp32"}) {
    const CompileSpec spec = SpecOf(Kernel(name));
    const auto once = Compile(spec);
    ASSERT_TRUE(once.ok()) << once.status();
    const auto again = Compile(spec);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(once->bytes, again->bytes) << name;
    EXPECT_EQ(once->bytes, ImageOfChild(spec)) << name;
  }
}

TEST(CompilerTest, TheHeaderSaysWhatTheKernelIs) {
  KernelKey key;
  key.bytes.fill(9);
  const auto result = TheCompiler().Compile(SpecOf(Kernel("softmax_f32")), key,
                                            CompileOutput::kImage, {});
  ASSERT_TRUE(result.ok()) << result.status();
  const auto header = VerifyImage(result->bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(KeyOfImage(*header), key);
  EXPECT_EQ(RangeOf(result->bytes, header->name), "softmax");
  ASSERT_EQ(header->argument_count, 5u);
  EXPECT_EQ(header->argument_kinds[0], QUERN_ARGUMENT_POINTER);
  EXPECT_EQ(header->argument_kinds[2], QUERN_ARGUMENT_I32);
}

TEST(CompilerTest, StepsAreTimedAndInstructionsCounted) {
  const auto result = Compile(SpecOf(Kernel("softmax_f32")));
  ASSERT_TRUE(result.ok()) << result.status();
  const CompileSteps& steps = result->steps;
  for (absl::Duration step : {steps.parse, steps.plan, steps.emit,
                              steps.optimize, steps.generate, steps.link}) {
    EXPECT_GT(step, absl::ZeroDuration());
  }
  EXPECT_GT(steps.ir_instructions, 100u);
}

// About 30 us of code generation an instruction: a kernel that outgrows its
// gate outgrows its time.
TEST(CompilerTest, KernelsKeepToTheirInstructions) {
  for (const auto& [name, most] : std::vector<std::pair<const char*, uint32_t>>{
           {"nothing", 15},
           {"add_f32", 100},
           {"add_f32_block65536", 100},
           {"softmax_f32", 350},
           {"softmax_f32_block65536", 350},
           {"layer_norm_f32", 400},
           {"matmul_f32", 700}}) {
    CompileSpec spec = SpecOf(Kernel(name));
    spec.target = {"x86_64-unknown-linux-gnu", "znver4", {}, 0};
    const auto result = Compile(spec);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_LE(result->steps.ir_instructions, most) << name;
  }
}

TEST(CompilerTest, TextsAreGivenWithoutTheStepsAfterThem) {
  const CompileSpec spec = SpecOf(Kernel("add_f32"));
  const auto plan = Compile(spec, CompileOutput::kPlan);
  const auto ir = Compile(spec, CompileOutput::kLlvmIr);
  const auto assembly = Compile(spec, CompileOutput::kAssembly);
  ASSERT_TRUE(plan.ok() && ir.ok() && assembly.ok());
  EXPECT_THAT(plan->bytes, HasSubstr("plan @add"));
  EXPECT_EQ(plan->steps.emit, absl::ZeroDuration());
  EXPECT_THAT(ir->bytes, HasSubstr("define i32 @quern_entry"));
  EXPECT_THAT(assembly->bytes, HasSubstr("quern_entry:"));
  EXPECT_EQ(assembly->steps.link, absl::ZeroDuration());
}

TEST(CompilerTest, ConstantsOfTheSignatureChangeTheCode) {
  CompileSpec spec = SpecOf(Kernel("add_f32"));
  const auto plain = Compile(spec);
  spec.signature = {{"*fp32"}, {"*fp32"}, {"*fp32"}, {"i32", 1, 4096}};
  const auto constant = Compile(spec);
  ASSERT_TRUE(plain.ok() && constant.ok());
  EXPECT_NE(plain->bytes, constant->bytes);
  spec.signature[3].type = "i64";
  EXPECT_EQ(CodeOf(spec), absl::StatusCode::kInvalidArgument);
}

TEST(CompilerTest, ContractionCanBeForbidden) {
  CompileSpec spec = SpecOf(Kernel("scale_add_f32"));
  spec.target = {"x86_64-unknown-linux-gnu", "x86-64-v3", {}, 0};
  const auto fused = Compile(spec, CompileOutput::kAssembly);
  spec.options.fp_contract = false;
  const auto separate = Compile(spec, CompileOutput::kAssembly);
  ASSERT_TRUE(fused.ok() && separate.ok());
  EXPECT_THAT(fused->bytes, HasSubstr("vfmadd"));
  EXPECT_THAT(separate->bytes, ::testing::Not(HasSubstr("vfmadd")));
}

TEST(CompilerTest, BadInputHasTheDocumentedCode) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(CodeOf(SpecOf("")), kInvalid);
  EXPECT_EQ(CodeOf(SpecOf("not IR at all")), kInvalid);
  EXPECT_EQ(CodeOf(SpecOf(std::string("\0\1\2\xff", 4))), kInvalid);
  CompileSpec spec = SpecOf(Kernel("add_f32"));
  spec.entry = "subtract";
  EXPECT_EQ(CodeOf(spec), kInvalid);
  spec = SpecOf(Kernel("add_f32"));
  spec.target.cpu = "quantum-9000";
  EXPECT_EQ(CodeOf(spec), kInvalid);
  spec = SpecOf(Kernel("add_f32"));
  spec.format = SourceFormat::kLlvmIr;
  EXPECT_EQ(CodeOf(spec), absl::StatusCode::kUnimplemented);
}

TEST(CompilerTest, ErrorsCarryTheirPlace) {
  const auto result = Compile(
      SpecOf("module {\n  tt.func public @k() {\n    tt.nonsense\n  }\n}\n"));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("3:"));
}

TEST(CompilerTest, NestingIsLimited) {
  CompileLimits limits;
  limits.nesting_max = 3;
  const auto result = TheCompiler().Compile(
      SpecOf(Kernel("matmul_f32")), KernelKey(), CompileOutput::kPlan, limits);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CompilerDeathTest, AFatalErrorHasAnExitCodeOfItsOwn) {
  TheCompiler();
  EXPECT_EXIT(llvm::report_bad_alloc_error("no memory is left"),
              ::testing::ExitedWithCode(kCompilerFatalErrorExit),
              "LLVM ERROR: no memory is left");
}

TEST(CompilerTest, TheBuildIdIsStable) {
  const auto one = CompilerBuildId();
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(*one, *CompilerBuildId());
  EXPECT_NE(*one, BuildId());
}

}  // namespace
}  // namespace quern
