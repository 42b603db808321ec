// Tests of target resolution.
#include "compiler/codegen/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/codegen/host.h"
#include "proto/wire/image_format.h"
#include "tests/compiler/codegen/ir_image.h"

namespace quern {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class TargetTest : public ::testing::Test {
 protected:
  void SetUp() override { InitializeTargetsOnce(); }

  static absl::StatusCode CodeOf(const TargetSpec& spec) {
    return ResolveTarget(spec).status().code();
  }
};

TEST_F(TargetTest, Avx512ProcessorsHaveWideVectors) {
  auto target = ResolveTarget(X86Spec("znver4"));
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->shape.vector_bytes, 64u);
  EXPECT_EQ(target->shape.vector_registers, 32u);
  EXPECT_TRUE(target->shape.avx512_bf16);
  EXPECT_TRUE(target->shape.vnni);
  EXPECT_EQ(target->machine, QUERN_MACHINE_X86_64);
  EXPECT_THAT(target->features, HasSubstr("avx512vnni"));
}

TEST_F(TargetTest, FeaturesChangeTheProcessor) {
  auto target = ResolveTarget(X86Spec("znver4", {"-avx512f"}));
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->shape.vector_bytes, 32u);
  EXPECT_FALSE(target->shape.avx512);
  EXPECT_THAT(target->features, Not(HasSubstr("avx512")));
}

TEST_F(TargetTest, ArmProcessorsDifferInTheirDotProducts) {
  auto old = ResolveTarget(Arm64Spec("cortex-a72"));
  auto middle = ResolveTarget(Arm64Spec("neoverse-n1"));
  auto recent = ResolveTarget(Arm64Spec("cortex-a720"));
  ASSERT_TRUE(old.ok() && middle.ok() && recent.ok());
  EXPECT_FALSE(old->shape.dotprod);
  EXPECT_TRUE(middle->shape.dotprod);
  EXPECT_FALSE(middle->shape.i8mm);
  EXPECT_TRUE(recent->shape.i8mm && recent->shape.bf16 && recent->shape.fp16);
  EXPECT_EQ(recent->machine, QUERN_MACHINE_AARCH64);
  EXPECT_EQ(recent->shape.vector_bytes, 16u);
}

TEST_F(TargetTest, WhatIsUnknownIsRefused) {
  constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(CodeOf({"", "znver4"}), kRefused);
  EXPECT_EQ(CodeOf({"riscv64-unknown-linux-gnu", "generic"}), kRefused);
  EXPECT_EQ(CodeOf({"x86_64-pc-windows-msvc", "znver4"}), kRefused);
  EXPECT_EQ(CodeOf({"x86_64-apple-darwin", "znver4"}), kRefused);
  EXPECT_EQ(CodeOf(X86Spec("neoverse-n1")), kRefused);
  EXPECT_EQ(CodeOf(X86Spec("znver4", {"avx2"})), kRefused);
  EXPECT_EQ(CodeOf(X86Spec("znver4", {"+warp-drive"})), kRefused);
  EXPECT_EQ(CodeOf(X86Spec("znver4", {"+"})), kRefused);
  EXPECT_EQ(CodeOf(Arm64Spec("neoverse-n1", {"+avx2"})), kRefused);
}

TEST_F(TargetTest, WithoutACpuTheBaselineIsMeant) {
  auto x86 = ResolveTarget(X86Spec(""));
  ASSERT_TRUE(x86.ok()) << x86.status();
  EXPECT_TRUE(x86->shape.avx2_fma && !x86->shape.avx512);
  auto arm = ResolveTarget(Arm64Spec(""));
  ASSERT_TRUE(arm.ok()) << arm.status();
  EXPECT_TRUE(arm->shape.neon && !arm->shape.dotprod);
}

TEST_F(TargetTest, ProcessorsBelowTheBaselineAreRefused) {
  EXPECT_EQ(CodeOf(X86Spec("x86-64-v2")), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(ResolveTarget(X86Spec("x86-64-v3")).ok());
  EXPECT_EQ(CodeOf(Arm64Spec("generic", {"-neon"})),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TargetTest, TheHostIsATargetWithSortedFeatures) {
  const TargetSpec host = DetectHost();
  EXPECT_FALSE(host.IsHost());
  EXPECT_TRUE(std::is_sorted(host.features.begin(), host.features.end()));
  auto target = ResolveTarget(host);
  EXPECT_TRUE(target.ok()) << target.status();
}

TEST_F(TargetTest, AnArmHostIsReadFromTheAuxiliaryVector) {
  // A Raspberry Pi 5: Cortex-A76 with the dot product, without SVE.
  const uint64_t hwcap = 0x119fff & ~(uint64_t{1} << 22);
  const uint64_t a76 = 0x414fd0b1;
  const TargetSpec spec = Arm64Target(hwcap, 0, {a76, a76});
  EXPECT_EQ(spec.cpu, "cortex-a76");
  EXPECT_THAT(spec.features, Contains("+dotprod"));
  EXPECT_THAT(spec.features, Contains("-sve"));
  EXPECT_THAT(spec.features, Contains("-i8mm"));
  auto target = ResolveTarget(spec);
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_TRUE(target->shape.dotprod && target->shape.fp16);
}

TEST_F(TargetTest, CoresOfTwoKindsAreNamedByTheHigherPart) {
  const uint64_t a520 = 0x411fd800;
  const uint64_t a720 = 0x411fd810;
  EXPECT_EQ(Arm64Target(3, 0, {a520, a720}).cpu, "cortex-a720");
  EXPECT_EQ(Arm64Target(3, 0, {a720, a520}).cpu, "cortex-a720");
  EXPECT_EQ(Arm64Target(3, 0, {}).cpu, "generic");
}

TEST_F(TargetTest, EveryNameOfAnArmHostIsKnownToLlvm) {
  for (uint64_t part = 0; part < 4096; ++part) {
    for (uint64_t implementer : {0x41, 0x46, 0x48, 0xc0}) {
      const uint64_t midr = implementer << 24 | part << 4;
      const TargetSpec spec = Arm64Target(3, 0, {midr});
      if (spec.cpu == "generic") continue;
      EXPECT_TRUE(ResolveTarget({spec.triple, spec.cpu, {}}).ok()) << spec.cpu;
    }
  }
  EXPECT_TRUE(ResolveTarget(Arm64Target(~uint64_t{0}, ~uint64_t{0}, {})).ok());
}

}  // namespace
}  // namespace quern
