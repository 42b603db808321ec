// Counts and quantiles.
#include "client/cli/latency_stats.h"

#include <cstdint>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/durations.h"

namespace quern {
namespace {

uint64_t CountOf(const v1::LatencyHistogram& latencies) {
  return std::accumulate(latencies.counts().begin(), latencies.counts().end(),
                         uint64_t{0});
}

JsonObject JsonOf(const v1::LatencyHistogram& latencies) {
  return JsonObject()
      .Add("count", CountOf(latencies))
      .Add("p50_ms", Milliseconds(latencies.p50()))
      .Add("p90_ms", Milliseconds(latencies.p90()))
      .Add("p99_ms", Milliseconds(latencies.p99()));
}

std::string LineOf(const char* name, const v1::LatencyHistogram& latencies) {
  return absl::StrFormat("%-9s %9d %10.3f %10.3f %10.3f\n", name,
                         CountOf(latencies), Milliseconds(latencies.p50()),
                         Milliseconds(latencies.p90()),
                         Milliseconds(latencies.p99()));
}

}  // namespace

JsonObject LatencyStatsJson(const v1::LatencyStats& latencies) {
  return JsonObject()
      .Add("hit", JsonOf(latencies.hit()))
      .Add("miss", JsonOf(latencies.miss()))
      .Add("queue", JsonOf(latencies.queue()))
      .Add("compile", JsonOf(latencies.compile()));
}

std::string LatencyStatsText(const v1::LatencyStats& latencies) {
  return absl::StrCat("ms            count        p50        p90        p99\n",
                      LineOf("hit", latencies.hit()),
                      LineOf("miss", latencies.miss()),
                      LineOf("queue", latencies.queue()),
                      LineOf("compile", latencies.compile()));
}

}  // namespace quern
