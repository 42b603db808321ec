// A kernel service with a fake compiler pool, a fake clock and a fake archive.
#ifndef QUERN_TESTS_SERVER_CORE_KERNEL_SERVICE_FIXTURE_H_
#define QUERN_TESTS_SERVER_CORE_KERNEL_SERVICE_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "cache/code_cache.h"
#include "cache/memory_image_store.h"
#include "server/core/kernel_service.h"
#include "server/core/recording_observer.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_compiler.h"
#include "tests/fakes/fake_compiler_pool.h"
#include "tests/fakes/fake_kernel_archive.h"

namespace quern {

class KernelServiceTest : public testing::Test {
 protected:
  void OpenGate() {
    gate_->Open({.build_id = FakeBuildId(), .host = FakeHostTarget()});
  }

  static CompileSpec Spec(const std::string& source) {
    CompileSpec spec;
    spec.source = source;
    return spec;
  }

  CompileDone Keep(uint64_t call) {
    return [this, call](const absl::StatusOr<CompiledKernel>& kernel) {
      ++answers_[call];
      results_.insert_or_assign(call, kernel);
    };
  }

  // Compiles `spec`, and returns the number of the call.
  uint64_t Compile(CompileSpec spec,
                   absl::Time deadline = absl::InfiniteFuture(),
                   const SessionId& session = "s") {
    const uint64_t call = service_->NewCall();
    service_->Compile({.call = call, .session = session, .deadline = deadline},
                      std::move(spec), Keep(call));
    return call;
  }

  const absl::StatusOr<CompiledKernel>& Result(uint64_t call) {
    EXPECT_EQ(answers_[call], 1) << "call " << call;
    return results_.at(call);
  }

  absl::StatusOr<CompiledKernel> Lookup(const KernelKey& key) {
    const uint64_t call = service_->NewCall();
    service_->Lookup({.call = call, .session = "s"}, key, Keep(call));
    return Result(call);
  }

  absl::Status Evict(const KernelKey& key) {
    absl::Status result;
    service_->Evict(key, [&](const absl::Status& status) { result = status; });
    return result;
  }

  absl::StatusOr<SourceSpec> Source(const KernelKey& key) {
    absl::StatusOr<SourceSpec> result;
    service_->Source(key, [&](absl::StatusOr<SourceSpec> spec) {
      result = std::move(spec);
    });
    return result;
  }

  // Compiles `spec`, forgets it but for the archive, and returns its key.
  KernelKey Archive(CompileSpec spec) {
    const uint64_t call = Compile(std::move(spec));
    pool_.Succeed(pool_.started());
    const KernelKey key = Result(call)->info.key;
    EXPECT_TRUE(shelf_->Evict(key).ok());
    return key;
  }

  bool Answered(uint64_t call) { return answers_.contains(call); }

  FakeClock clock_;
  FakeCompilerPool pool_;
  FakeKernelArchive archive_;
  std::unique_ptr<KernelDirectory> directory_ = *CreateKernelDirectory(64, 1);
  std::unique_ptr<CodeSlabs> slabs_ = NewCodeSlabs({});
  std::unique_ptr<CodeCache> cache_ =
      NewCodeCache(*slabs_, *directory_, 64, [](uint32_t) {});
  std::unique_ptr<ImageStore> images_ = NewMemoryImageStore(1 << 20);
  std::unique_ptr<CompilerGate> gate_ = NewCompilerGate(8);
  std::unique_ptr<KernelShelf> shelf_ =
      NewKernelShelf(*cache_, *images_, 4 << 20);
  std::unique_ptr<CrashLedger> ledger_ = NewCrashLedger({}, clock_);
  std::unique_ptr<SingleFlight> flights_ = NewSingleFlight();
  std::unique_ptr<Dispatcher> dispatcher_ = NewDispatcher(
      NewAdmissionQueue({.queued_max = 4, .queued_per_session_max = 3}), pool_,
      2, clock_);
  std::unique_ptr<SourceStore> sources_ = NewSourceStore(1 << 20);
  KernelLatencies latencies_;
  std::unique_ptr<EventFeed> events_ = NewEventFeed(1, clock_);
  std::unique_ptr<ReproducerWriter> reproducers_ =
      NewReproducerWriter(NewNoReproducerStore(), *events_);
  std::unique_ptr<KernelObserver> observer_ =
      NewRecordingObserver(latencies_, *events_, *reproducers_);
  std::unique_ptr<KernelService> service_ =
      NewKernelService({.gate = *gate_,
                        .shelf = *shelf_,
                        .ledger = *ledger_,
                        .flights = *flights_,
                        .archive = archive_,
                        .dispatcher = *dispatcher_,
                        .sources = *sources_,
                        .observer = *observer_,
                        .clock = clock_});
  std::map<uint64_t, int> answers_;
  std::map<uint64_t, absl::StatusOr<CompiledKernel>> results_;
};

}  // namespace quern

#endif  // QUERN_TESTS_SERVER_CORE_KERNEL_SERVICE_FIXTURE_H_
