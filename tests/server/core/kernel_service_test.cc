// Tests of the life of a compile.
#include "server/core/kernel_service.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/core/kernel_service_fixture.h"

namespace quern {
namespace {

TEST_F(KernelServiceTest, ACompiledKernelIsPublishedAndFoundAgain) {
  OpenGate();
  const uint64_t first = Compile(Spec("a"));
  ASSERT_EQ(pool_.running(), 1u);
  EXPECT_EQ(pool_.JobOf(1).spec->target, FakeHostTarget());
  pool_.Succeed(1);
  const CompiledKernel kernel = *Result(first);
  EXPECT_FALSE(kernel.cached);
  EXPECT_NE(kernel.info.place.slab, 0u);
  EXPECT_EQ(kernel.image, nullptr);

  const uint64_t second = Compile(Spec("a"));
  EXPECT_TRUE(Result(second)->cached);
  EXPECT_EQ(Result(second)->info.place, kernel.info.place);
  EXPECT_EQ(pool_.started(), 1u);
  EXPECT_EQ(Lookup(kernel.info.key)->info.name, "kernel");
  EXPECT_EQ((*Source(kernel.info.key))->source, "a");
  const KernelServiceStats stats = service_->GetStats();
  EXPECT_EQ(stats.compiles, 1u);
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 1u);
}

TEST_F(KernelServiceTest, EqualCallsAtOneTimeShareOneCompile) {
  OpenGate();
  std::vector<uint64_t> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(Compile(Spec("a")));
  EXPECT_EQ(pool_.started(), 1u);
  pool_.Succeed(1);
  for (const uint64_t call : calls) EXPECT_TRUE(Result(call).ok());
  EXPECT_EQ(service_->GetStats().joined, 7u);
}

TEST_F(KernelServiceTest, ACallWaitsForTheCompilerToStart) {
  const uint64_t call = Compile(Spec("a"));
  EXPECT_EQ(pool_.started(), 0u);
  OpenGate();
  EXPECT_EQ(pool_.started(), 1u);
  pool_.Succeed(1);
  EXPECT_TRUE(Result(call).ok());
}

TEST_F(KernelServiceTest, ACallThatWaitsForTheCompilerCanBeCancelled) {
  const uint64_t call = Compile(Spec("a"));
  service_->Cancel(call);
  EXPECT_TRUE(absl::IsCancelled(Result(call).status()));
  OpenGate();
  EXPECT_EQ(pool_.started(), 0u);
}

TEST_F(KernelServiceTest, WithoutACompilerACallIsUnavailable) {
  gate_->Fail(absl::UnavailableError("no compiler"));
  EXPECT_TRUE(absl::IsUnavailable(Result(Compile(Spec("a"))).status()));
}

TEST_F(KernelServiceTest, OneCallerMayLeaveAndTheOtherGetsTheKernel) {
  OpenGate();
  const uint64_t leaver = Compile(Spec("a"));
  const uint64_t stayer = Compile(Spec("a"));
  service_->Cancel(leaver);
  EXPECT_TRUE(absl::IsCancelled(Result(leaver).status()));
  EXPECT_TRUE(pool_.cancelled().empty());
  pool_.Succeed(1);
  EXPECT_TRUE(Result(stayer).ok());
}

TEST_F(KernelServiceTest, TheLastCallerToLeaveEndsTheCompile) {
  OpenGate();
  const uint64_t call = Compile(Spec("a"));
  service_->Cancel(call);
  EXPECT_EQ(pool_.cancelled(), std::vector<uint64_t>{1});
  service_->Cancel(call);
  EXPECT_TRUE(absl::IsCancelled(Result(call).status()));
  pool_.Fail(1, absl::CancelledError("cancelled"));
  EXPECT_TRUE(absl::IsCancelled(Result(call).status()));
}

TEST_F(KernelServiceTest, TheCompileMayRunToTheLatestDeadlineOfItsCallers) {
  OpenGate();
  Compile(Spec("a"), clock_.Now() + absl::Seconds(1));
  Compile(Spec("a"), clock_.Now() + absl::Seconds(5));
  EXPECT_EQ(pool_.DeadlineOf(1), clock_.Now() + absl::Seconds(5));
}

TEST_F(KernelServiceTest, AFullQueueIsSaidAtOnce) {
  OpenGate();
  for (int i = 0; i < 5; ++i) Compile(Spec("source " + std::to_string(i)));
  const uint64_t call = Compile(Spec("one too many"));
  EXPECT_TRUE(absl::IsResourceExhausted(Result(call).status()));
}

TEST_F(KernelServiceTest, AFailureIsNotKept) {
  OpenGate();
  const uint64_t call = Compile(Spec("a"));
  pool_.Fail(1, absl::InvalidArgumentError("1:1: no"));
  EXPECT_EQ(Result(call).status(), absl::InvalidArgumentError("1:1: no"));
  Compile(Spec("a"));
  EXPECT_EQ(pool_.started(), 2u);
  EXPECT_EQ(service_->GetStats().failures, 1u);
}

TEST_F(KernelServiceTest, ASourceThatCrashesThreeTimesIsRefused) {
  OpenGate();
  for (uint64_t attempt = 1; attempt <= 3; ++attempt) {
    Compile(Spec("a"));
    pool_.Fail(attempt, absl::InternalError("crash"), true);
  }
  EXPECT_TRUE(absl::IsInternal(Result(Compile(Spec("a"))).status()));
  EXPECT_EQ(pool_.started(), 3u);
  clock_.Advance(absl::Minutes(5));
  Compile(Spec("a"));
  EXPECT_EQ(pool_.started(), 4u);
}

TEST_F(KernelServiceTest, ASourceThatKilledTheCompilerIsKeptAndNamed) {
  OpenGate();
  const uint64_t call = Compile(Spec("a"));
  const KernelKey key = pool_.JobOf(1).key;
  pool_.Fail(1, absl::InternalError("crash"), true);
  EXPECT_NE(Result(call).status().message().find(key.ToHex()),
            absl::string_view::npos);
  EXPECT_EQ((*Source(key))->source, "a");
  EXPECT_TRUE(absl::IsNotFound(Lookup(key).status()));
}

TEST_F(KernelServiceTest, ABadImageIsNeverServed) {
  OpenGate();
  const uint64_t garbage = Compile(Spec("a"));
  CompileOutcome outcome;
  outcome.bytes = "garbage";
  pool_.Finish(1, outcome);
  EXPECT_TRUE(absl::IsInternal(Result(garbage).status()));

  const uint64_t other_key = Compile(Spec("b"));
  outcome.bytes = FakeImage(FakeKey(9), "kernel", FakeHostMachine());
  pool_.Finish(2, outcome);
  EXPECT_TRUE(absl::IsInternal(Result(other_key).status()));

  const uint64_t other_machine = Compile(Spec("c"));
  const uint32_t machine = FakeHostMachine() == QUERN_MACHINE_X86_64
                               ? QUERN_MACHINE_AARCH64
                               : QUERN_MACHINE_X86_64;
  outcome.bytes = FakeImage(pool_.JobOf(3).key, "kernel", machine);
  pool_.Finish(3, outcome);
  EXPECT_TRUE(absl::IsInternal(Result(other_machine).status()));
  EXPECT_EQ(service_->GetStats().images_rejected, 3u);
  EXPECT_EQ(cache_->GetStats().kernels, 0u);
}

TEST_F(KernelServiceTest, AForeignImageIsGivenAndKeptButNotPublished) {
  OpenGate();
  CompileSpec spec = Spec("a");
  spec.target = FakeHostTarget();
  spec.target.cpu = "another";
  const uint64_t first = Compile(spec);
  pool_.Succeed(1);
  ASSERT_TRUE(Result(first).ok());
  EXPECT_EQ(Result(first)->info.place.slab, 0u);
  ASSERT_NE(Result(first)->image, nullptr);
  const uint64_t second = Compile(spec);
  EXPECT_TRUE(Result(second)->cached);
  EXPECT_EQ(*Result(second)->image, *Result(first)->image);
  EXPECT_EQ(slabs_->GetStats().live, 0u);
}

TEST_F(KernelServiceTest, TheHostByNameIsTheHost) {
  OpenGate();
  CompileSpec spec = Spec("a");
  spec.target = FakeHostTarget();
  Compile(spec);
  pool_.Succeed(1);
  EXPECT_TRUE(Result(Compile(Spec("a")))->cached);
}

TEST_F(KernelServiceTest, AViewIsCompiledAgainFromTheKeptSource) {
  OpenGate();
  const uint64_t call = Compile(Spec("a"));
  pool_.Succeed(1);
  const KernelKey key = Result(call)->info.key;
  const uint64_t view = service_->NewCall();
  service_->View({.call = view, .session = "s"}, key, CompileOutput::kAssembly,
                 Keep(view));
  EXPECT_EQ(pool_.JobOf(2).output, CompileOutput::kAssembly);
  EXPECT_EQ(pool_.JobOf(2).spec->source, "a");
  CompileOutcome outcome;
  outcome.bytes = "ret";
  pool_.Finish(2, outcome);
  EXPECT_EQ(Result(view)->text, "ret");
}

TEST_F(KernelServiceTest, AViewOfAnUnknownKernelIsNotFound) {
  OpenGate();
  const uint64_t view = service_->NewCall();
  service_->View({.call = view, .session = "s"}, FakeKey(1),
                 CompileOutput::kPlan, Keep(view));
  EXPECT_TRUE(absl::IsNotFound(Result(view).status()));
}

TEST_F(KernelServiceTest, AnEvictedKernelIsCompiledAgain) {
  OpenGate();
  const uint64_t call = Compile(Spec("a"));
  pool_.Succeed(1);
  const KernelKey key = Result(call)->info.key;
  EXPECT_TRUE(Evict(key).ok());
  EXPECT_TRUE(absl::IsNotFound(Lookup(key).status()));
  EXPECT_TRUE(absl::IsNotFound(Evict(key)));
  Compile(Spec("a"));
  EXPECT_EQ(pool_.started(), 2u);
}

TEST_F(KernelServiceTest, AfterDrainNothingBeginsButWhatRunsEnds) {
  OpenGate();
  const uint64_t running = Compile(Spec("a"));
  service_->Drain();
  EXPECT_TRUE(absl::IsUnavailable(Result(Compile(Spec("b"))).status()));
  EXPECT_FALSE(Answered(running));
  pool_.Succeed(1);
  EXPECT_TRUE(Result(running).ok());
}

}  // namespace
}  // namespace quern
