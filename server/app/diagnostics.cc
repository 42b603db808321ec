// Composing the diagnostics.
#include "server/app/diagnostics.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cache/posix_file_ops.h"
#include "proto/wire/status.h"
#include "server/app/metrics_endpoint.h"
#include "server/core/latency_histogram.h"
#include "server/core/recording_observer.h"
#include "server/core/reproducer_store.h"
#include "server/core/reproducer_writer.h"
#include "server/rpc/conversions.h"

namespace quern {
namespace {

v1::LatencyHistogram HistogramOf(const LatencyHistogram& histogram) {
  const LatencySnapshot snapshot = histogram.Snapshot();
  v1::LatencyHistogram proto;
  proto.mutable_counts()->Add(snapshot.counts.begin(), snapshot.counts.end());
  *proto.mutable_sum() = ToProto(snapshot.sum);
  *proto.mutable_p50() = ToProto(snapshot.Quantile(0.5));
  *proto.mutable_p90() = ToProto(snapshot.Quantile(0.9));
  *proto.mutable_p99() = ToProto(snapshot.Quantile(0.99));
  return proto;
}

std::unique_ptr<ReproducerStore> OpenReproducers(const Config& config,
                                                 Logger& logger) {
  if (config.reproducers_path.empty()) return NewNoReproducerStore();
  absl::StatusOr<std::unique_ptr<FileOps>> files =
      OpenFolder(config.reproducers_path);
  if (!files.ok()) {
    logger.Log(LogLevel::kWarning, absl::StrCat("no reproducers are saved: ",
                                                files.status().message()));
    return NewNoReproducerStore();
  }
  return NewReproducerStore(
      {.files_max = config.reproducers_max,
       .file_size_bytes_max = config.reproducer_size_bytes_max},
      *std::move(files));
}

class ComposedDiagnostics final : public Diagnostics {
 public:
  ComposedDiagnostics(const Config& config, Clock& clock, Logger& logger)
      : metrics_port_(static_cast<uint16_t>(config.metrics_port)),
        events_(NewEventFeed(config.watchers_max, clock)),
        reproducers_(
            NewReproducerWriter(OpenReproducers(config, logger), *events_)),
        observer_(NewRecordingObserver(latencies_, *events_, *reproducers_)) {}

  KernelObserver& observer() override { return *observer_; }
  EventFeed& events() override { return *events_; }

  void AddStats(v1::GetStatsResponse& response) override {
    v1::LatencyStats& proto = *response.mutable_latencies();
    *proto.mutable_hit() = HistogramOf(latencies_.hit);
    *proto.mutable_miss() = HistogramOf(latencies_.miss);
    *proto.mutable_queue() = HistogramOf(latencies_.queue);
    *proto.mutable_compile() = HistogramOf(latencies_.compile);
  }

  absl::Status StartMetrics(
      std::function<v1::GetStatsResponse()> stats) override {
    if (metrics_port_ == 0) return absl::OkStatus();
    QUERN_ASSIGN_OR_RETURN(
        metrics_, StartMetricsEndpoint(metrics_port_, std::move(stats)));
    return absl::OkStatus();
  }

  void StopMetrics() override { metrics_.reset(); }

 private:
  const uint16_t metrics_port_;
  KernelLatencies latencies_;
  const std::unique_ptr<EventFeed> events_;
  const std::unique_ptr<ReproducerWriter> reproducers_;
  const std::unique_ptr<KernelObserver> observer_;
  std::unique_ptr<MetricsEndpoint> metrics_;
};

}  // namespace

std::unique_ptr<Diagnostics> NewDiagnostics(const Config& config, Clock& clock,
                                            Logger& logger) {
  return std::make_unique<ComposedDiagnostics>(config, clock, logger);
}

}  // namespace quern
