// Tests of the whole way of a compile below gRPC, with real processes and many
// threads: what the thread sanitizer is to see.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cache/code_cache.h"
#include "cache/disk_image_store.h"
#include "cache/memory_image_store.h"
#include "cache/write_behind_image_store.h"
#include "server/core/kernel_service.h"
#include "server/core/recording_observer.h"
#include "server/workers/worker_pool.h"
#include "tests/fakes/fake_compiler.h"
#include "tests/fakes/fault_file_ops.h"

namespace quern {
namespace {

constexpr int kThreads = 8;

// Of the disk's readers: longer than any read of a disk in memory.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

class QuietLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view) override {}
};

class CompilePathTest : public testing::Test {
 protected:
  CompilePathTest() {
    folder_.cached = true;
    const std::string worker = std::filesystem::read_symlink("/proc/self/exe")
                                   .parent_path()
                                   .parent_path() /
                               "bin/quern-fake-worker";
    starter_ = NewZygoteStarter(worker);
    WorkerPoolEvents events{
        .on_ready =
            [this](const CompilerIdentity& identity) {
              gate_->Open(identity);
              return absl::OkStatus();
            },
        .on_unavailable =
            [this](const absl::Status& reason) { gate_->Fail(reason); }};
    pool_ =
        *StartWorkerPool({}, std::move(events), *starter_, *clock_, logger_);
    dispatcher_ = NewDispatcher(NewAdmissionQueue({}), *pool_, 2, *clock_);
    service_ = NewKernelService({.gate = *gate_,
                                 .shelf = *shelf_,
                                 .ledger = *ledger_,
                                 .flights = *flights_,
                                 .archive = *archive_,
                                 .dispatcher = *dispatcher_,
                                 .sources = *sources_,
                                 .observer = *observer_,
                                 .clock = *clock_});
  }

  ~CompilePathTest() override { End(); }

  // In the daemon's order.
  void End() {
    disk_threads_->Stop();
    pool_.reset();
  }

  // Begins a compile and returns its number. `open_` counts what has not
  // ended.
  uint64_t Begin(const std::string& source, const SessionId& session) {
    CompileSpec spec;
    spec.source = source;
    const CallContext context{.call = service_->NewCall(), .session = session};
    ++open_;
    service_->Compile(context, std::move(spec),
                      [this](const absl::StatusOr<CompiledKernel>& kernel) {
                        if (kernel.ok()) ++compiled_;
                        std::lock_guard lock(mutex_);
                        --open_;
                        ended_.notify_all();
                      });
    return context.call;
  }

  void AwaitAll() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(ended_.wait_for(lock, std::chrono::seconds(60),
                                [this] { return open_ == 0; }));
  }

  template <typename Body>
  void InThreads(Body body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&body, i] { body(i); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  QuietLogger logger_;
  std::unique_ptr<Clock> clock_ = NewSystemClock();
  KernelLatencies latencies_;
  std::unique_ptr<EventFeed> events_ = NewEventFeed(1, *clock_);
  std::unique_ptr<ReproducerWriter> reproducers_ =
      NewReproducerWriter(NewNoReproducerStore(), *events_);
  std::unique_ptr<KernelObserver> observer_ =
      NewRecordingObserver(latencies_, *events_, *reproducers_);
  std::unique_ptr<KernelDirectory> directory_ = *CreateKernelDirectory(64, 1);
  std::unique_ptr<CodeSlabs> slabs_ =
      NewCodeSlabs({.slab_size_bytes = 16384, .total_size_bytes_max = 131072});
  std::atomic<int> retired_{0};
  std::unique_ptr<CodeCache> cache_ =
      NewCodeCache(*slabs_, *directory_, 64, [this](uint32_t) { ++retired_; });
  std::unique_ptr<ImageStore> images_ = NewMemoryImageStore(1 << 20);
  std::unique_ptr<CompilerGate> gate_ = NewCompilerGate(256);
  std::unique_ptr<KernelShelf> shelf_ =
      NewKernelShelf(*cache_, *images_, 4 << 20);
  std::unique_ptr<CrashLedger> ledger_ = NewCrashLedger({}, *clock_);
  std::unique_ptr<SingleFlight> flights_ = NewSingleFlight();
  FaultyFolder folder_;
  std::unique_ptr<WriteBehindImageStore> disk_ = NewWriteBehindImageStore(
      NewDiskImageStore(folder_.Open(), {.size_bytes_max = 65536},
                        [this] { return clock_->Now(); }),
      {});
  std::unique_ptr<PatientThreads> disk_threads_ =
      NewPatientThreads({.patience = kPatience});
  std::unique_ptr<KernelArchive> archive_ =
      NewStoreArchive(*disk_, *disk_threads_);
  std::unique_ptr<SourceStore> sources_ = NewSourceStore(1 << 20);
  std::unique_ptr<ZygoteStarter> starter_;
  std::unique_ptr<CompilerPool> pool_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<KernelService> service_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::atomic<int> open_{0};
  std::atomic<uint64_t> compiled_{0};
};

TEST_F(CompilePathTest, ThreadsThatWantTheSameKernelsCompileEachOnce) {
  InThreads([this](int thread) {
    for (int i = 0; i < 25; ++i) {
      Begin("ok kernel_" + std::to_string(i), std::to_string(thread));
    }
  });
  AwaitAll();
  EXPECT_EQ(compiled_, uint64_t{kThreads * 25});
  EXPECT_EQ(service_->GetStats().compiles, 25u);
}

TEST_F(CompilePathTest, WhatEverThreadsDoEveryCallIsAnsweredOnce) {
  InThreads([this](int thread) {
    std::minstd_rand random(static_cast<unsigned>(thread) + 1);
    for (int i = 0; i < 40; ++i) {
      static constexpr const char* kSources[] = {
          "ok a",       "ok b",  "ok c",    "invalid",
          "size 20000", "crash", "garbage", "sleep_ms 3"};
      const uint64_t call = Begin(std::string(kSources[random() % 8]) + " " +
                                      std::to_string(random() % 6),
                                  std::to_string(thread));
      if (random() % 4 == 0) service_->Cancel(call);
      for (const KernelInfo& info : cache_->List(std::nullopt, 3)) {
        if (random() % 8 == 0) service_->Evict(info.key, [](const auto&) {});
        service_->Lookup({.call = service_->NewCall(), .session = "s"},
                         info.key,
                         [](const absl::StatusOr<CompiledKernel>&) {});
      }
      service_->GetStats();
    }
  });
  AwaitAll();
  EXPECT_EQ(service_->GetStats().dispatcher.queued, 0u);
  EXPECT_EQ(service_->GetStats().dispatcher.running, 0u);
}

TEST_F(CompilePathTest, ADiskThatHangsDelaysACompileByThePatienceAtMost) {
  folder_.cached = false;
  folder_.Hold();
  for (int i = 0; i < 10; ++i) Begin("ok " + std::to_string(i), "a");
  AwaitAll();
  EXPECT_EQ(compiled_, 10u);
  EXPECT_EQ(service_->GetStats().compiles, 10u);
  EXPECT_GE(disk_threads_->late(), 1u);
  folder_.Release();
}

TEST_F(CompilePathTest, TheEndOfThePoolAnswersAllThatWait) {
  Begin("ok first", "a");
  AwaitAll();
  for (int i = 0; i < 50; ++i) Begin("sleep_ms 100 " + std::to_string(i), "a");
  EXPECT_GT(open_, 0);
  End();
  EXPECT_EQ(open_, 0);
}

}  // namespace
}  // namespace quern
