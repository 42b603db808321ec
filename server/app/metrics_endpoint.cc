// prometheus-cpp's own server.
#include "server/app/metrics_endpoint.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/app/metric_families.h"

namespace quern {
namespace {

class StatsCollector final : public prometheus::Collectable {
 public:
  explicit StatsCollector(std::function<v1::GetStatsResponse()> stats)
      : stats_(std::move(stats)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    return MetricFamiliesOf(stats_());
  }

 private:
  const std::function<v1::GetStatsResponse()> stats_;
};

class ExposingEndpoint final : public MetricsEndpoint {
 public:
  // Throws what the library throws.
  ExposingEndpoint(const std::string& address,
                   std::function<v1::GetStatsResponse()> stats)
      : collector_(std::make_shared<StatsCollector>(std::move(stats))),
        exposer_(address, /*num_threads=*/1) {
    exposer_.RegisterCollectable(collector_);
  }

 private:
  const std::shared_ptr<StatsCollector> collector_;
  prometheus::Exposer exposer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> StartMetricsEndpoint(
    uint16_t port, std::function<v1::GetStatsResponse()> stats) {
  const std::string address = absl::StrCat("127.0.0.1:", port);
  // The library has no other way to say that it could not bind.
  try {
    return std::make_unique<ExposingEndpoint>(address, std::move(stats));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("metrics cannot be served at ",
                                               address, ": ", error.what()));
  }
}

}  // namespace quern
