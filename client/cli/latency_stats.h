// Showing histograms of latencies.
#ifndef QUERN_CLIENT_CLI_LATENCY_STATS_H_
#define QUERN_CLIENT_CLI_LATENCY_STATS_H_

#include <string>

#include "client/cli/json.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {

// An object for each kind: count, p50_ms, p90_ms, p99_ms.
JsonObject LatencyStatsJson(const v1::LatencyStats& latencies);

// A line of headings and one for each kind.
std::string LatencyStatsText(const v1::LatencyStats& latencies);

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_LATENCY_STATS_H_
