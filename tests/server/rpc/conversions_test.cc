// Tests of the validation of requests and of the conversions.
#include "server/rpc/conversions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "proto/wire/image_format.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::CompileRequest Request() {
  v1::CompileRequest request;
  request.set_format(v1::SOURCE_FORMAT_TRITON_IR);
  request.set_source("module {}");
  return request;
}

TEST(ConversionsTest, ARequestBecomesASpec) {
  v1::CompileRequest request = Request();
  request.set_entry("kernel");
  v1::Argument& argument = *request.add_signature();
  argument.set_type("*fp32");
  argument.set_divisibility(16);
  argument.set_constant(0);
  request.add_signature()->set_type("i32");
  request.mutable_target()->set_triple("aarch64-unknown-linux-gnu");
  request.mutable_target()->set_cpu("neoverse-n1");
  request.mutable_target()->add_features("+dotprod");
  request.mutable_options()->set_disable_fp_contract(true);
  const CompileSpec spec = *FromProto(request, {});
  EXPECT_EQ(spec.format, SourceFormat::kTritonIr);
  EXPECT_EQ(spec.source, "module {}");
  EXPECT_EQ(spec.entry, "kernel");
  EXPECT_THAT(
      spec.signature,
      ElementsAre(
          ArgumentSpec{.type = "*fp32", .divisibility = 16, .constant = 0},
          ArgumentSpec{.type = "i32", .divisibility = 1, .constant = {}}));
  EXPECT_EQ(spec.target.triple, "aarch64-unknown-linux-gnu");
  EXPECT_EQ(spec.target.cpu, "neoverse-n1");
  EXPECT_THAT(spec.target.features, ElementsAre("+dotprod"));
  EXPECT_FALSE(spec.options.fp_contract);
}

TEST(ConversionsTest, WhatIsLeftOutHasItsDefault) {
  const CompileSpec spec = *FromProto(Request(), {});
  EXPECT_TRUE(spec.target.IsHost());
  EXPECT_TRUE(spec.signature.empty());
  EXPECT_TRUE(spec.options.fp_contract);
}

struct BadRequest {
  std::string name;
  std::string field;
  std::function<void(v1::CompileRequest&)> change;
};

class BadRequestTest : public testing::TestWithParam<BadRequest> {};

TEST_P(BadRequestTest, IsInvalidAndItsFieldIsNamed) {
  v1::CompileRequest request = Request();
  GetParam().change(request);
  const absl::Status status = FromProto(request, {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    Requests, BadRequestTest,
    testing::Values(
        BadRequest{"NoFormat", "format", [](auto& r) { r.clear_format(); }},
        BadRequest{
            "UnknownFormat", "format",
            [](auto& r) { r.set_format(static_cast<v1::SourceFormat>(9)); }},
        BadRequest{"NoSource", "source", [](auto& r) { r.clear_source(); }},
        BadRequest{"LongEntry", "entry",
                   [](auto& r) { r.set_entry(std::string(1025, 'x')); }},
        BadRequest{"NoType", "signature", [](auto& r) { r.add_signature(); }},
        BadRequest{
            "LongType", "signature",
            [](auto& r) { r.add_signature()->set_type(std::string(65, 'x')); }},
        BadRequest{"OddDivisibility", "divisibility",
                   [](auto& r) {
                     v1::Argument& argument = *r.add_signature();
                     argument.set_type("i32");
                     argument.set_divisibility(12);
                   }},
        BadRequest{"LongTriple", "target",
                   [](auto& r) {
                     r.mutable_target()->set_triple(std::string(129, 'x'));
                   }},
        BadRequest{"LongFeature", "target",
                   [](auto& r) {
                     r.mutable_target()->add_features(std::string(129, 'x'));
                   }},
        BadRequest{"ManyFeatures", "target",
                   [](auto& r) {
                     for (int i = 0; i < 513; ++i) {
                       r.mutable_target()->add_features("+x");
                     }
                   }}),
    [](const auto& info) { return info.param.name; });

TEST(ConversionsTest, ASourceAtTheLimitIsTakenAndALongerIsNot) {
  v1::CompileRequest request = Request();
  request.set_source(std::string(16 << 20, 'x'));
  EXPECT_TRUE(FromProto(request, {}).ok());
  request.mutable_source()->push_back('x');
  EXPECT_TRUE(absl::IsInvalidArgument(FromProto(request, {}).status()));
}

TEST(ConversionsTest, TheLastArgumentIsTakenAndOneMoreIsNot) {
  v1::CompileRequest request = Request();
  for (int i = 0; i < 128; ++i) request.add_signature()->set_type("i32");
  EXPECT_TRUE(FromProto(request, {}).ok());
  request.add_signature()->set_type("i32");
  EXPECT_TRUE(absl::IsInvalidArgument(FromProto(request, {}).status()));
}

TEST(ConversionsTest, APageHasAtMostAThousandKernels) {
  v1::ListKernelsRequest request;
  EXPECT_EQ(FromProto(request)->size, 1000u);
  request.set_page_size(1000);
  EXPECT_EQ(FromProto(request)->size, 1000u);
  request.set_page_size(1001);
  EXPECT_TRUE(absl::IsInvalidArgument(FromProto(request).status()));
}

TEST(ConversionsTest, APageTokenIsAKey) {
  v1::ListKernelsRequest request;
  request.set_page_token(std::string(32, '\7'));
  EXPECT_EQ(FromProto(request)->after, FakeKey(7, 7));
  request.set_page_token("no");
  EXPECT_TRUE(absl::IsInvalidArgument(FromProto(request).status()));
}

TEST(ConversionsTest, ASessionTokenIsThirtyTwoLowerCaseDigits) {
  const SessionToken token =
      *ParseSessionToken("000102030405060708090a0b0c0d0eff");
  EXPECT_EQ(token[10], 10);
  EXPECT_EQ(token[15], 255);
  for (const char* text : {"", "00", "000102030405060708090A0B0C0D0EFF",
                           "000102030405060708090a0b0c0d0eff0",
                           "g00102030405060708090a0b0c0d0eff"}) {
    EXPECT_FALSE(ParseSessionToken(text).ok()) << text;
  }
}

TEST(ConversionsTest, AViewIsCompiledOrNot) {
  EXPECT_EQ(*OutputOf(v1::KERNEL_VIEW_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(*OutputOf(v1::KERNEL_VIEW_SOURCE), std::nullopt);
  EXPECT_EQ(*OutputOf(v1::KERNEL_VIEW_ASSEMBLY), CompileOutput::kAssembly);
  EXPECT_TRUE(absl::IsInvalidArgument(
      OutputOf(static_cast<v1::KernelView>(99)).status()));
}

TEST(ConversionsTest, AKernelIsDescribed) {
  CompiledKernel kernel;
  kernel.info.key = FakeKey(1);
  kernel.info.name = "kernel";
  kernel.info.place = {.slab = 3, .page = 2};
  kernel.info.image_size_bytes = 999;
  kernel.info.argument_kinds = {QUERN_ARGUMENT_POINTER, QUERN_ARGUMENT_I32,
                                QUERN_ARGUMENT_BF16};
  kernel.timings.emit = absl::Milliseconds(1500);
  const v1::CompileResponse response = ToProto(kernel, 42);
  EXPECT_EQ(response.kernel().slab(), 3u);
  EXPECT_EQ(response.kernel().offset_bytes(), 8192u);
  EXPECT_EQ(response.kernel().incarnation(), 42u);
  EXPECT_THAT(response.kernel().arguments(), ElementsAre("*", "i32", "bf16"));
  EXPECT_EQ(response.timings().emit().seconds(), 1);
  EXPECT_EQ(response.timings().emit().nanos(), 500000000);
  EXPECT_TRUE(response.image().empty());
}

TEST(ConversionsTest, ACachedKernelHasNoTimings) {
  CompiledKernel kernel;
  kernel.cached = true;
  EXPECT_FALSE(ToProto(kernel, 1).has_timings());
}

}  // namespace
}  // namespace quern
