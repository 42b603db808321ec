// Compile specs: every field counts, and canonical bytes are unambiguous.
#include "proto/wire/compile_spec.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"

namespace quern {
namespace {

CompileSpec BaseSpec() {
  CompileSpec spec;
  spec.source = "module {}";
  spec.entry = "add";
  spec.signature = {{.type = "*fp32", .divisibility = 16}};
  spec.target = {.triple = "x86_64-unknown-linux-gnu",
                 .cpu = "znver4",
                 .features = {"+avx2", "-sse4a"}};
  return spec;
}

struct FieldChange {
  std::string name;
  std::function<void(CompileSpec&)> change;
};

class FieldTest : public testing::TestWithParam<FieldChange> {};

TEST_P(FieldTest, ChangingAnyFieldChangesTheKey) {
  CompileSpec spec = BaseSpec();
  GetParam().change(spec);
  EXPECT_NE(KeyOf(spec, BuildId{}), KeyOf(BaseSpec(), BuildId{}));
}

// A new field changes a size, and its author comes by here: add a row below.
static_assert(sizeof(CompileSpec) == 200);
static_assert(sizeof(TargetSpec) == 96);
static_assert(sizeof(ArgumentSpec) == 56);
static_assert(sizeof(CompileOptions) == 1);

INSTANTIATE_TEST_SUITE_P(
    EveryField, FieldTest,
    testing::ValuesIn<FieldChange>({
        {"Format", [](CompileSpec& s) { s.format = SourceFormat::kLlvmIr; }},
        {"Source", [](CompileSpec& s) { s.source += " "; }},
        {"Entry", [](CompileSpec& s) { s.entry = "sub"; }},
        {"SignatureType",
         [](CompileSpec& s) { s.signature[0].type = "*fp16"; }},
        {"SignatureDivisibility",
         [](CompileSpec& s) { s.signature[0].divisibility = 8; }},
        {"SignatureConstant",
         [](CompileSpec& s) { s.signature[0].constant = 1; }},
        {"SignatureConstantZeroIsNotAbsent",
         [](CompileSpec& s) { s.signature[0].constant = 0; }},
        {"SignatureLength", [](CompileSpec& s) { s.signature.clear(); }},
        {"Triple", [](CompileSpec& s) { s.target.triple = "aarch64"; }},
        {"Cpu", [](CompileSpec& s) { s.target.cpu = "znver3"; }},
        {"Features", [](CompileSpec& s) { s.target.features.pop_back(); }},
        {"FeatureSign", [](CompileSpec& s) { s.target.features[0] = "-avx2"; }},
        {"VectorLength",
         [](CompileSpec& s) { s.target.vector_length_bytes = 16; }},
        {"FpContract", [](CompileSpec& s) { s.options.fp_contract = false; }},
    }),
    [](const auto& info) { return info.param.name; });

TEST(CompileSpecTest, TheBuildIdIsPartOfTheKey) {
  BuildId other{};
  other[31] = 1;
  EXPECT_NE(KeyOf(BaseSpec(), BuildId{}), KeyOf(BaseSpec(), other));
}

TEST(CompileSpecTest, MovingBytesBetweenFieldsChangesTheKey) {
  CompileSpec left = BaseSpec();
  left.source = "ab";
  left.entry = "c";
  CompileSpec right = BaseSpec();
  right.source = "a";
  right.entry = "bc";
  EXPECT_NE(CanonicalBytes(left), CanonicalBytes(right));
}

TEST(CompileSpecTest, TheKeyOfAGivenSpecNeverMoves) {
  EXPECT_EQ(KernelKey{Sha256(CanonicalBytes(BaseSpec()))}.ToHex(),
            "f5c60c31ffae2cf05e57f43ebcc0016857fc46aae6c552af8e5463ddd6fafc80");
}

TEST(CompileSpecTest, ParseTargetInvertsCanonicalBytes) {
  const TargetSpec target = BaseSpec().target;
  const absl::StatusOr<TargetSpec> parsed = ParseTarget(CanonicalBytes(target));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, target);
}

TEST(CompileSpecTest, ParseSpecInvertsCanonicalBytes) {
  CompileSpec spec = BaseSpec();
  spec.signature.push_back({.type = "i32", .constant = 0});
  spec.options.fp_contract = false;
  for (const CompileSpec& each : {BaseSpec(), spec, CompileSpec()}) {
    const absl::StatusOr<CompileSpec> parsed = ParseSpec(CanonicalBytes(each));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, each);
  }
}

TEST(CompileSpecTest, ACutSpecIsInvalidAtEveryLength) {
  const std::string bytes = CanonicalBytes(BaseSpec());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        ParseSpec(bytes.substr(0, size)).status()))
        << size;
  }
  EXPECT_FALSE(ParseSpec(bytes + "x").ok());
}

TEST(CompileSpecTest, WhatParsesHasTheBytesThatItWasParsedFrom) {
  const std::string bytes = CanonicalBytes(BaseSpec());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const absl::StatusOr<CompileSpec> parsed = ParseSpec(changed);
    if (parsed.ok()) EXPECT_EQ(CanonicalBytes(*parsed), changed) << i;
  }
}

TEST(CompileSpecTest, ACutTargetIsInvalidAtEveryLength) {
  const std::string bytes = CanonicalBytes(BaseSpec().target);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ParseTarget(bytes.substr(0, size)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST(CompileSpecTest, ATargetWithBytesBehindItIsInvalid) {
  const std::string bytes = CanonicalBytes(BaseSpec().target) + "x";
  EXPECT_FALSE(ParseTarget(bytes).ok());
}

TEST(CompileSpecTest, ATargetThatClaimsHugeLengthsIsInvalid) {
  std::string bytes(8, '\xff');
  EXPECT_FALSE(ParseTarget(bytes).ok());
}

}  // namespace
}  // namespace quern
