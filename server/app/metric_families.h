// The daemon's statistics as Prometheus metrics.
#ifndef QUERN_SERVER_APP_METRIC_FAMILIES_H_
#define QUERN_SERVER_APP_METRIC_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <vector>

#include "quern/v1/admin_service.pb.h"

namespace quern {

// One family for each number of `stats`. Names begin with `quern_`, and follow
// Prometheus' rules: base units, `_total` on what only grows.
std::vector<prometheus::MetricFamily> MetricFamiliesOf(
    const v1::GetStatsResponse& stats);

}  // namespace quern

#endif  // QUERN_SERVER_APP_METRIC_FAMILIES_H_
