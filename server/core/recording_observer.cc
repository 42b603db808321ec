// Recording.
#include "server/core/recording_observer.h"

namespace quern {
namespace {

absl::Duration InChild(const CompileTimings& timings) {
  return timings.parse + timings.plan + timings.emit + timings.optimize +
         timings.generate + timings.link;
}

class RecordingObserver final : public KernelObserver {
 public:
  RecordingObserver(KernelLatencies& latencies, EventFeed& events,
                    ReproducerWriter& reproducers)
      : latencies_(latencies), events_(events), reproducers_(reproducers) {}

  void OnAnswer(const absl::Status& status, bool cached,
                absl::Duration latency) override {
    if (!status.ok()) {
      events_.Publish(
          {.kind = EventKind::kCompileFailed, .code = status.code()});
    } else {
      (cached ? latencies_.hit : latencies_.miss).Record(latency);
    }
  }

  void OnCompiled(const KernelKey& key,
                  const CompileTimings& timings) override {
    latencies_.queue.Record(timings.queue);
    latencies_.compile.Record(InChild(timings));
    events_.Publish({.kind = EventKind::kKernelCompiled,
                     .key = key,
                     .duration = InChild(timings)});
  }

  void OnDeadlySource(const KernelKey& key, const CompileSpec& spec,
                      const absl::Status& status) override {
    reproducers_.Offer(key, spec, status);
  }

 private:
  KernelLatencies& latencies_;
  EventFeed& events_;
  ReproducerWriter& reproducers_;
};

}  // namespace

std::unique_ptr<KernelObserver> NewRecordingObserver(
    KernelLatencies& latencies, EventFeed& events,
    ReproducerWriter& reproducers) {
  return std::make_unique<RecordingObserver>(latencies, events, reproducers);
}

}  // namespace quern
