// What the daemon tells of its work: histograms, events, reproducers, metrics.
#ifndef QUERN_SERVER_APP_DIAGNOSTICS_H_
#define QUERN_SERVER_APP_DIAGNOSTICS_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "quern/v1/admin_service.pb.h"
#include "server/app/config.h"
#include "server/core/clock.h"
#include "server/core/event_feed.h"
#include "server/core/kernel_observer.h"
#include "server/core/logger.h"

namespace quern {

// Thread-safe.
class Diagnostics {
 public:
  virtual ~Diagnostics() = default;

  virtual KernelObserver& observer() = 0;
  virtual EventFeed& events() = 0;

  // Fills in `latencies`.
  virtual void AddStats(v1::GetStatsResponse& response) = 0;

  // Serves `stats` as metrics, if the configuration says where.
  //
  // Unavailable: the port cannot be had.
  virtual absl::Status StartMetrics(
      std::function<v1::GetStatsResponse()> stats) = 0;

  // Ends what StartMetrics began.
  virtual void StopMetrics() = 0;
};

// A folder for reproducers that cannot be used is a warning in the log.
// `clock` must outlive the result.
std::unique_ptr<Diagnostics> NewDiagnostics(const Config& config, Clock& clock,
                                            Logger& logger);

}  // namespace quern

#endif  // QUERN_SERVER_APP_DIAGNOSTICS_H_
