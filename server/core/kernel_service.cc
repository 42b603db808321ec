// The order of the steps.
#include "server/core/kernel_service.h"

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"
#include "server/core/canonical_spec.h"

namespace quern {
namespace {

// What a job needs from its spec to its end.
struct Flying {
  uint64_t flight = 0;
  CompileJob job;
  TargetSpec host;
  std::shared_ptr<const Deadline> deadline;
};

class SteppingKernelService final : public KernelService {
 public:
  explicit SteppingKernelService(const KernelServiceSteps& steps)
      : steps_(steps) {}

  uint64_t NewCall() override { return ++last_call_; }

  void Compile(const CallContext& context, CompileSpec spec,
               CompileDone done) override {
    done = Timed(CountFailures(std::move(done)));
    auto shared = std::make_shared<CompileSpec>(std::move(spec));
    Enter(context, done,
          [this, context, shared, done](const CompilerIdentity& identity) {
            Find(context, std::move(*shared), identity, done);
          });
  }

  void View(const CallContext& context, const KernelKey& key,
            CompileOutput output, CompileDone done) override {
    done = CountFailures(std::move(done));
    Enter(context, done,
          [this, context, key, output, done](const CompilerIdentity& identity) {
            if (!steps_.shelf.Find(key)) {
              done(absl::NotFoundError("no such kernel"));
              return;
            }
            Seek(context, key, output, identity, done);
          });
  }

  void Cancel(uint64_t call) override {
    if (const CompilerGate::Passed passed = steps_.gate.Leave(call)) {
      passed(WasCancelled());
      return;
    }
    if (EndSeeking(call)) return;  // Who seeks finds out.
    const LeftFlight left = steps_.flights.Leave(call);
    if (left.abandoned) steps_.dispatcher.Cancel(*left.abandoned);
    if (left.forsaken) {
      steps_.dispatcher.Leave(left.forsaken->flight, left.forsaken->session);
    }
    if (left.done) left.done(WasCancelled());
  }

  void Lookup(const CallContext& context, const KernelKey& key,
              CompileDone done) override {
    if (const std::optional<CompiledKernel> kernel = steps_.shelf.Find(key)) {
      done(*kernel);
      return;
    }
    BeginSeeking(context.call);
    steps_.archive.Find(
        key, [this, context, key, done](const absl::StatusOr<Image>& image) {
          BringBack(context, key, image, done);
        });
  }

  void Source(const KernelKey& key, SourceDone done) override {
    if (SourceSpec spec = steps_.sources.Get(key)) {
      done(std::move(spec));
      return;
    }
    steps_.archive.FindSource(
        key, [done = std::move(done)](absl::StatusOr<SourceSpec> spec) {
          if (absl::IsNotFound(spec.status())) {
            spec = absl::NotFoundError("the kernel's source is not kept");
          }
          done(std::move(spec));
        });
  }

  void Evict(const KernelKey& key, EvictDone done) override {
    const absl::Status evicted = steps_.shelf.Evict(key);
    steps_.archive.Remove(
        key, [evicted, done = std::move(done)](const absl::Status& removed) {
          done(absl::IsNotFound(removed) ? evicted : removed);
        });
  }

  void Drain() override { draining_ = true; }

  KernelServiceStats GetStats() override {
    return {.compiles = compiles_,
            .hits = hits_,
            .misses = misses_,
            .joined = joined_,
            .failures = failures_,
            .images_rejected = images_rejected_,
            .dispatcher = steps_.dispatcher.GetStats()};
  }

 private:
  static absl::Status WasCancelled() {
    return absl::CancelledError("the call was cancelled");
  }

  // Whether the call was still seeking in the archive.
  bool EndSeeking(uint64_t call) {
    const std::lock_guard lock(mutex_);
    return seeking_.erase(call) == 1;
  }

  void BeginSeeking(uint64_t call) {
    const std::lock_guard lock(mutex_);
    seeking_.insert(call);
  }

  // Gives a kernel that the archive has, or says that it has none. What it was
  // compiled from tells whether it is for this machine, which the compiler
  // knows.
  void BringBack(const CallContext& context, const KernelKey& key,
                 const absl::StatusOr<Image>& image, const CompileDone& done) {
    const CompileDone end = [this, call = context.call, done](
                                const absl::StatusOr<CompiledKernel>& kernel) {
      if (!EndSeeking(call)) return done(WasCancelled());
      done(absl::IsNotFound(kernel.status())
               ? absl::NotFoundError("no cache holds this kernel")
               : kernel);
    };
    if (!image.ok()) return end(image.status());
    Source(key, [this, context, key, end,
                 image](const absl::StatusOr<SourceSpec>& spec) {
      if (!spec.ok()) return end(spec.status());
      Enter(context, end,
            [this, key, spec = *spec, image, end](const CompilerIdentity& own) {
              const absl::StatusOr<CompiledKernel> kernel =
                  steps_.shelf.Restore(spec->target, own.host, *image);
              if (kernel.ok()) steps_.sources.Put(key, spec);
              end(kernel);
            });
    });
  }

  // Seeks the source of `key`, and flies with it.
  void Seek(const CallContext& context, const KernelKey& key,
            CompileOutput output, const CompilerIdentity& identity,
            const CompileDone& done) {
    BeginSeeking(context.call);
    Source(key, [this, context, key, output, identity,
                 done](const absl::StatusOr<SourceSpec>& spec) {
      const absl::Status status =
          EndSeeking(context.call) ? spec.status() : WasCancelled();
      if (!status.ok()) {
        done(status);
        return;
      }
      Fly(context, {.spec = *spec, .key = key, .output = output}, identity,
          done);
    });
  }

  CompileDone CountFailures(CompileDone done) {
    return [this, done = std::move(done)](
               const absl::StatusOr<CompiledKernel>& kernel) {
      if (!kernel.ok()) ++failures_;
      done(kernel);
    };
  }

  CompileDone Timed(CompileDone done) {
    return [this, begin = steps_.clock.Now(), done = std::move(done)](
               const absl::StatusOr<CompiledKernel>& kernel) {
      steps_.observer.OnAnswer(kernel.status(), kernel.ok() && kernel->cached,
                               steps_.clock.Now() - begin);
      done(kernel);
    };
  }

  // Goes on with `then` once the compiler is known, or ends with `done`.
  void Enter(const CallContext& context, const CompileDone& done,
             std::function<void(const CompilerIdentity&)> then) {
    if (draining_) {
      done(absl::UnavailableError("the daemon is shutting down"));
      return;
    }
    const absl::Status status = steps_.gate.Enter(
        context.call, [done, then = std::move(then)](
                          const absl::StatusOr<CompilerIdentity>& identity) {
          if (identity.ok()) {
            then(*identity);
          } else {
            done(identity.status());
          }
        });
    if (!status.ok()) done(status);
  }

  void Find(const CallContext& context, CompileSpec raw,
            const CompilerIdentity& identity, const CompileDone& done) {
    absl::StatusOr<CompileSpec> spec =
        Canonicalise(std::move(raw), identity.host);
    if (!spec.ok()) {
      done(spec.status());
      return;
    }
    const KernelKey key = KeyOf(*spec, identity.build_id);
    if (const std::optional<CompiledKernel> kernel = steps_.shelf.Find(key)) {
      ++hits_;
      done(*kernel);
      return;
    }
    ++misses_;
    Fly(context,
        {.spec = std::make_shared<const CompileSpec>(*std::move(spec)),
         .key = key,
         .output = CompileOutput::kImage},
        identity, done);
  }

  void Fly(const CallContext& context, CompileJob job,
           const CompilerIdentity& identity, const CompileDone& done) {
    if (const absl::Status status = steps_.ledger.Check(job.key);
        !status.ok()) {
      done(status);
      return;
    }
    const JoinedFlight joined = steps_.flights.Join(
        {.key = job.key, .output = job.output}, context.call, context.session,
        context.deadline, done);
    if (!joined.leads) {
      ++joined_;
      steps_.dispatcher.Join(joined.flight, context.session);
      return;
    }
    const Flying flying{.flight = joined.flight,
                        .job = std::move(job),
                        .host = identity.host,
                        .deadline = joined.deadline};
    if (flying.job.output != CompileOutput::kImage) {
      Dispatch(flying);
      return;
    }
    // The flight before this one may have landed since the look-up.
    if (const auto kernel = steps_.shelf.Find(flying.job.key)) {
      steps_.flights.Land(flying.flight, *kernel);
      return;
    }
    steps_.archive.Find(flying.job.key,
                        [this, flying](absl::StatusOr<Image> image) {
                          if (image.ok() && Restored(flying, *image)) return;
                          Dispatch(flying);
                        });
  }

  // Lands a flight with an image from the archive. False: it must compile.
  bool Restored(const Flying& flying, Image image) {
    const absl::StatusOr<CompiledKernel> kernel =
        steps_.shelf.Restore(flying.job.spec->target, flying.host, image);
    // What a compile gave would have no room either.
    if (!kernel.ok() && !absl::IsResourceExhausted(kernel.status())) {
      return false;
    }
    if (kernel.ok()) steps_.sources.Put(flying.job.key, flying.job.spec);
    steps_.flights.Land(flying.flight, kernel);
    return true;
  }

  void Dispatch(const Flying& flying) {
    if (!Submit(flying)) return;
    // Those that joined before there was a job to join.
    const std::vector<SessionId> sessions =
        steps_.flights.SessionsOf(flying.flight);
    for (const SessionId& session : sessions) {
      steps_.dispatcher.Join(flying.flight, session);
    }
    // Its last waiter left before there was a job to cancel; or it has landed,
    // and there is none any more.
    if (sessions.empty()) steps_.dispatcher.Cancel(flying.flight);
  }

  // Queues the job for the first session that has room for it. Those before
  // are refused. False: nobody waits any more.
  bool Submit(const Flying& flying) {
    while (true) {
      const std::vector<SessionId> sessions =
          steps_.flights.SessionsOf(flying.flight);
      if (sessions.empty()) return false;
      const absl::Status status = steps_.dispatcher.Submit(
          flying.flight, sessions.front(), flying.job, flying.deadline,
          [this, flying](CompileOutcome outcome) {
            Finish(flying, std::move(outcome));
          });
      if (status.ok()) return true;
      steps_.flights.Refuse(flying.flight, sessions.front(), status);
    }
  }

  void Finish(const Flying& flying, CompileOutcome outcome) {
    if (outcome.source_is_deadly) {
      outcome.status = KeepReproducer(flying.job, outcome.status);
    }
    if (!outcome.status.ok()) {
      steps_.flights.Land(flying.flight, outcome.status);
      return;
    }
    if (flying.job.output == CompileOutput::kImage) {
      steps_.flights.Land(flying.flight, Keep(flying, std::move(outcome)));
      return;
    }
    CompiledKernel view;
    view.info.key = flying.job.key;
    view.text = std::move(outcome.bytes);
    view.timings = outcome.timings;
    steps_.flights.Land(flying.flight, view);
  }

  // Enters a failure that the source is to blame for, and keeps the source, so
  // that whoever looks for the fault can have it. Returns the status that says
  // where.
  absl::Status KeepReproducer(const CompileJob& job,
                              const absl::Status& status) {
    const absl::Status named(
        status.code(), absl::StrCat(status.message(), "; GetKernel has it as ",
                                    job.key.ToHex()));
    steps_.ledger.Record(job.key, named);
    steps_.sources.Put(job.key, job.spec);
    steps_.observer.OnDeadlySource(job.key, *job.spec, status);
    return named;
  }

  absl::StatusOr<CompiledKernel> Keep(const Flying& flying,
                                      CompileOutcome outcome) {
    const absl::Time begin = steps_.clock.Now();
    const auto image =
        std::make_shared<const std::string>(std::move(outcome.bytes));
    absl::StatusOr<CompiledKernel> kernel = steps_.shelf.Keep(
        flying.job.key, flying.job.spec->target, flying.host, image);
    if (!kernel.ok()) {
      if (!absl::IsInternal(kernel.status())) return kernel;
      ++images_rejected_;
      return KeepReproducer(flying.job, kernel.status());
    }
    ++compiles_;
    steps_.ledger.Clear(flying.job.key);
    steps_.sources.Put(flying.job.key, flying.job.spec);
    // Before the reply, so that who then evicts the kernel finds it.
    steps_.archive.Keep(flying.job.key, image, flying.job.spec);
    kernel->timings = outcome.timings;
    kernel->timings.publish = steps_.clock.Now() - begin;
    steps_.observer.OnCompiled(flying.job.key, kernel->timings);
    return kernel;
  }

  const KernelServiceSteps steps_;
  std::mutex mutex_;
  // Calls of View and Lookup that wait for the archive.
  std::set<uint64_t> seeking_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> last_call_{0};
  std::atomic<bool> draining_{false};
  std::atomic<uint64_t> compiles_{0};
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> misses_{0};
  std::atomic<uint64_t> joined_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<uint64_t> images_rejected_{0};
};

}  // namespace

std::unique_ptr<KernelService> NewKernelService(
    const KernelServiceSteps& steps) {
  return std::make_unique<SteppingKernelService>(steps);
}

}  // namespace quern
