// Tests of a kernel service with an archive of kernels.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/core/kernel_service_fixture.h"

namespace quern {
namespace {

class KernelServiceArchiveTest : public KernelServiceTest {};

TEST_F(KernelServiceArchiveTest, AKernelInTheArchiveIsNotCompiled) {
  OpenGate();
  const KernelKey key = Archive(Spec("a"));
  const uint64_t call = Compile(Spec("a"));
  ASSERT_TRUE(Result(call).ok());
  EXPECT_TRUE(Result(call)->cached);
  EXPECT_NE(Result(call)->info.place.slab, 0u);
  EXPECT_EQ(pool_.started(), 1u);
  EXPECT_EQ(service_->GetStats().compiles, 1u);
  EXPECT_TRUE(Lookup(key).ok());
}

TEST_F(KernelServiceArchiveTest, AKernelOfAnotherTargetComesFromTheArchiveToo) {
  OpenGate();
  CompileSpec spec = Spec("a");
  spec.target = FakeHostTarget();
  spec.target.cpu = "another";
  Archive(spec);
  const uint64_t call = Compile(spec);
  EXPECT_TRUE(Result(call)->cached);
  EXPECT_NE(Result(call)->image, nullptr);
  EXPECT_EQ(pool_.started(), 1u);
}

TEST_F(KernelServiceArchiveTest, CallsShareOneLookIntoTheArchive) {
  OpenGate();
  Archive(Spec("a"));
  archive_.held = true;
  archive_.finds = 0;
  std::vector<uint64_t> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(Compile(Spec("a")));
  EXPECT_EQ(archive_.finds, 1);
  archive_.Release();
  for (const uint64_t call : calls) EXPECT_TRUE(Result(call)->cached);
}

TEST_F(KernelServiceArchiveTest, WhatTheArchiveDoesNotGiveIsCompiled) {
  OpenGate();
  Archive(Spec("a"));
  archive_.fault = absl::UnavailableError("slow");
  const uint64_t call = Compile(Spec("a"));
  pool_.Succeed(2);
  EXPECT_FALSE(Result(call)->cached);
}

TEST_F(KernelServiceArchiveTest, AnArchivedImageForAnotherMachineIsNotServed) {
  OpenGate();
  const KernelKey key = Archive(Spec("a"));
  const uint32_t machine = FakeHostMachine() == QUERN_MACHINE_X86_64
                               ? QUERN_MACHINE_AARCH64
                               : QUERN_MACHINE_X86_64;
  archive_.kept[key].image =
      std::make_shared<const std::string>(FakeImage(key, "kernel", machine));
  const uint64_t call = Compile(Spec("a"));
  pool_.Succeed(2);
  EXPECT_FALSE(Result(call)->cached);
}

TEST_F(KernelServiceArchiveTest,
       WhoLeavesDuringALookIntoTheArchiveCompilesNothing) {
  OpenGate();
  archive_.held = true;
  const uint64_t call = Compile(Spec("a"));
  service_->Cancel(call);
  EXPECT_TRUE(absl::IsCancelled(Result(call).status()));
  archive_.Release();
  EXPECT_EQ(pool_.started(), 0u);
}

TEST_F(KernelServiceArchiveTest, ALookupBringsAKernelBack) {
  OpenGate();
  const KernelKey key = Archive(Spec("a"));
  const absl::StatusOr<CompiledKernel> kernel = Lookup(key);
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_NE(kernel->info.place.slab, 0u);
  EXPECT_TRUE(Result(Compile(Spec("a")))->cached);
  EXPECT_EQ(pool_.started(), 1u);
}

TEST_F(KernelServiceArchiveTest, ALookupFindsAKernelOfAnotherTarget) {
  OpenGate();
  CompileSpec spec = Spec("a");
  spec.target = FakeHostTarget();
  spec.target.cpu = "another";
  const absl::StatusOr<CompiledKernel> kernel = Lookup(Archive(spec));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->info.place.slab, 0u);
}

TEST_F(KernelServiceArchiveTest, ALookupSaysWhyThereIsNothing) {
  OpenGate();
  EXPECT_TRUE(absl::IsNotFound(Lookup(FakeKey(1)).status()));
  const KernelKey key = Archive(Spec("a"));
  archive_.fault = absl::UnavailableError("slow");
  EXPECT_TRUE(absl::IsUnavailable(Lookup(key).status()));
  archive_.fault = absl::OkStatus();
  service_->Drain();
  EXPECT_TRUE(absl::IsUnavailable(Lookup(key).status()));
}

TEST_F(KernelServiceArchiveTest, ALookupOfNothingNeedsNoCompiler) {
  gate_->Fail(absl::FailedPreconditionError("none"));
  EXPECT_TRUE(absl::IsNotFound(Lookup(FakeKey(1)).status()));
  archive_.kept[FakeKey(1)] = {nullptr, std::make_shared<CompileSpec>()};
  EXPECT_TRUE(absl::IsFailedPrecondition(Lookup(FakeKey(1)).status()));
}

TEST_F(KernelServiceArchiveTest, ALookupCancelledDuringItsSearchEndsSo) {
  OpenGate();
  const KernelKey key = Archive(Spec("a"));
  archive_.held = true;
  const uint64_t call = service_->NewCall();
  service_->Lookup({.call = call, .session = "s"}, key, Keep(call));
  service_->Cancel(call);
  archive_.Release();
  EXPECT_TRUE(absl::IsCancelled(Result(call).status()));
}

TEST_F(KernelServiceArchiveTest, AFailureIsNotArchived) {
  OpenGate();
  Compile(Spec("a"));
  pool_.Fail(1, absl::InvalidArgumentError("1:1: no"));
  CompileOutcome garbage;
  garbage.bytes = "garbage";
  Compile(Spec("b"));
  pool_.Finish(2, garbage);
  EXPECT_TRUE(archive_.kept.empty());
}

TEST_F(KernelServiceArchiveTest,
       TheSourceOfAKernelComesFromTheArchiveWhenForgotten) {
  OpenGate();
  EXPECT_TRUE(absl::IsNotFound(Source(FakeKey(1)).status()));
  auto spec = std::make_shared<CompileSpec>(Spec("kept"));
  archive_.kept[FakeKey(1)] = {nullptr, spec};
  EXPECT_EQ((*Source(FakeKey(1)))->source, "kept");
  archive_.fault = absl::UnavailableError("slow");
  EXPECT_TRUE(absl::IsUnavailable(Source(FakeKey(1)).status()));
}

TEST_F(KernelServiceArchiveTest, EvictRemovesFromTheArchiveToo) {
  OpenGate();
  const KernelKey key = Archive(Spec("a"));
  EXPECT_TRUE(Evict(key).ok());
  EXPECT_TRUE(absl::IsNotFound(Evict(key)));
  Compile(Spec("a"));
  EXPECT_EQ(pool_.started(), 2u);
}

TEST_F(KernelServiceArchiveTest, AnEvictionThatTheDiskDoesNotConfirmIsAnError) {
  OpenGate();
  const uint64_t call = Compile(Spec("a"));
  pool_.Succeed(1);
  archive_.fault = absl::UnavailableError("slow");
  EXPECT_TRUE(absl::IsUnavailable(Evict(Result(call)->info.key)));
}

TEST_F(KernelServiceArchiveTest, AViewCancelledWhileItsSourceIsSoughtEndsSo) {
  OpenGate();
  // Too large to be kept in memory.
  const uint64_t compile = Compile(Spec(std::string(1 << 20, 'a')));
  pool_.Succeed(1);
  const KernelKey key = Result(compile)->info.key;
  archive_.held = true;
  const uint64_t view = service_->NewCall();
  service_->View({.call = view, .session = "s"}, key, CompileOutput::kAssembly,
                 Keep(view));
  service_->Cancel(view);
  archive_.Release();
  EXPECT_TRUE(absl::IsCancelled(Result(view).status()));
  EXPECT_EQ(pool_.running(), 0u);
}

}  // namespace
}  // namespace quern
