// Tests of the launch signature against the IR.
#include "compiler/api/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "compiler/dialect/parse.h"
#include "mlir/IR/MLIRContext.h"

namespace quern {
namespace {

using ::testing::HasSubstr;

constexpr char kKernel[] = R"(
  tt.func public @scale(%x: !tt.ptr<f32> {tt.divisibility = 16 : i32},
                        %n: i32, %alpha: f32) {
    %p = tt.addptr %x, %n : !tt.ptr<f32>, i32
    tt.store %p, %alpha : !tt.ptr<f32>
    tt.return
  }
  tt.func private @helper() {
    tt.return
  })";

class SignatureTest : public ::testing::Test {
 protected:
  SignatureTest() : context_(mlir::MLIRContext::Threading::DISABLED) {
    LoadDialects(context_);
    module_ = *ParseTritonIr(context_, kKernel);
    function_ = *FindEntry(*module_, "");
  }

  absl::Status Apply(ArgumentSpec x, ArgumentSpec n, ArgumentSpec alpha) {
    return ApplySignature(function_, {x, n, alpha});
  }
  std::string Refusal(ArgumentSpec x, ArgumentSpec n, ArgumentSpec alpha) {
    const absl::Status status = Apply(x, n, alpha);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }
  std::string Text() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module_->print(stream);
    return text;
  }

  const ArgumentSpec x_ = {"*fp32"}, n_ = {"i32"}, alpha_ = {"fp32"};
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  tt::FuncOp function_;
};

TEST_F(SignatureTest, NothingGivenChangesNothing) {
  const std::string before = Text();
  EXPECT_TRUE(ApplySignature(function_, {}).ok());
  EXPECT_TRUE(Apply(x_, n_, alpha_).ok());
  EXPECT_EQ(Text(), before);
}

TEST_F(SignatureTest, DivisibilityIsAdded) {
  EXPECT_TRUE(Apply({"*fp32", 8}, {"i32", 64}, alpha_).ok());
  EXPECT_EQ(function_.getArgAttrOfType<mlir::IntegerAttr>(0, "tt.divisibility")
                .getInt(),
            16);
  EXPECT_EQ(function_.getArgAttrOfType<mlir::IntegerAttr>(1, "tt.divisibility")
                .getInt(),
            64);
}

TEST_F(SignatureTest, AConstantTakesTheArgumentsPlace) {
  EXPECT_TRUE(
      Apply(x_, {"i32", 1, 0xfffffffffffffff8}, {"fp32", 1, 0x3fc00000}).ok());
  EXPECT_THAT(Text(), HasSubstr("constant -8 : i32"));
  EXPECT_THAT(Text(), HasSubstr("constant 1.500000e+00 : f32"));
  EXPECT_TRUE(function_.getArgument(1).use_empty());
  EXPECT_EQ(function_.getNumArguments(), 3u);
}

TEST_F(SignatureTest, SpellingsOfOneTypeAgree) {
  EXPECT_TRUE(Apply({"*kfp32"}, {"u32"}, alpha_).ok());
}

TEST_F(SignatureTest, ContradictionsAreRefused) {
  EXPECT_THAT(Refusal({"*fp16"}, n_, alpha_), HasSubstr("'*fp32'"));
  EXPECT_THAT(Refusal(x_, {"i64"}, alpha_), HasSubstr("argument 1"));
  EXPECT_THAT(Refusal(x_, {""}, alpha_), HasSubstr("argument 1"));
  EXPECT_THAT(Refusal(x_, n_, {"i32"}), HasSubstr("argument 2"));
  EXPECT_FALSE(ApplySignature(function_, {x_, n_}).ok());
  EXPECT_FALSE(ApplySignature(function_, {x_, n_, alpha_, n_}).ok());
}

TEST_F(SignatureTest, WrongDivisibilityIsRefused) {
  EXPECT_THAT(Refusal(x_, {"i32", 12}, alpha_), HasSubstr("power of two"));
  EXPECT_THAT(Refusal(x_, {"i32", 1u << 31}, alpha_),
              HasSubstr("power of two"));
  EXPECT_TRUE(Apply(x_, {"i32", 1u << 30}, alpha_).ok());
}

TEST_F(SignatureTest, WrongConstantsAreRefused) {
  EXPECT_THAT(Refusal({"*fp32", 1, 0}, n_, alpha_), HasSubstr("number"));
  EXPECT_THAT(Refusal(x_, {"i32", 1, 0x100000000}, alpha_),
              HasSubstr("does not fit"));
  EXPECT_THAT(Refusal(x_, n_, {"fp32", 1, 0xffffffffbf800000}),
              HasSubstr("does not fit"));
  EXPECT_THAT(Refusal(x_, {"i32", 16, 24}, alpha_),
              HasSubstr("no multiple of 16"));
}

TEST_F(SignatureTest, TheEntryIsNamedOrTheOnlyPublicFunction) {
  EXPECT_TRUE(FindEntry(*module_, "scale").ok());
  EXPECT_FALSE(FindEntry(*module_, "helper").ok());
  EXPECT_FALSE(FindEntry(*module_, "absent").ok());
  auto two = ParseTritonIr(context_, R"(
      tt.func public @a() { tt.return }
      tt.func public @b() { tt.return })");
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_FALSE(FindEntry(**two, "").ok());
  EXPECT_TRUE(FindEntry(**two, "b").ok());
}

TEST_F(SignatureTest, ArgumentsAreLimited) {
  auto kernel = [&](int count) {
    std::string text = "tt.func public @many(%a: i32";
    for (int i = 1; i < count; ++i) {
      text += ", %a" + std::to_string(i) + ": i32";
    }
    return *ParseTritonIr(context_, text + ") { tt.return }");
  };
  const auto at_limit = kernel(128);
  EXPECT_TRUE(FindEntry(*at_limit, "").ok());
  const auto past_limit = kernel(129);
  EXPECT_EQ(FindEntry(*past_limit, "").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quern
