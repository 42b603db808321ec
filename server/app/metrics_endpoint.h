// Prometheus metrics over HTTP, on the loopback interface alone.
#ifndef QUERN_SERVER_APP_METRICS_ENDPOINT_H_
#define QUERN_SERVER_APP_METRICS_ENDPOINT_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {

// Serves until it is destroyed.
class MetricsEndpoint {
 public:
  virtual ~MetricsEndpoint() = default;
};

// Serves http://127.0.0.1:`port`/metrics. `stats` is called for each request,
// from a thread of the endpoint's.
//
// Unavailable: the port cannot be had.
absl::StatusOr<std::unique_ptr<MetricsEndpoint>> StartMetricsEndpoint(
    uint16_t port, std::function<v1::GetStatsResponse()> stats);

}  // namespace quern

#endif  // QUERN_SERVER_APP_METRICS_ENDPOINT_H_
