// Measures short pieces of code: the minimum of many batches.
#ifndef QUERN_CLIENT_CLI_NANOSECONDS_H_
#define QUERN_CLIENT_CLI_NANOSECONDS_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "client/runtime/stopwatch.h"

namespace quern {

// Runs `body` `batch_size` times in each of `batches` batches and returns the
// fastest batch's nanoseconds a run. The minimum leaves out what else the
// machine did meanwhile.
template <typename Body>
double LeastNanoseconds(uint32_t batches, uint32_t batch_size, Body body) {
  double least = std::numeric_limits<double>::infinity();
  for (uint32_t batch = 0; batch < batches; ++batch) {
    const Stopwatch stopwatch;
    for (uint32_t i = 0; i < batch_size; ++i) body();
    const absl::Duration time = stopwatch.elapsed();
    least = std::min(least, absl::ToDoubleNanoseconds(time) / batch_size);
  }
  return least;
}

// Runs `body` `count` times, and `pause` before each. Returns the nanoseconds
// of each `body`, the least first.
template <typename Body, typename Pause>
std::vector<double> Nanoseconds(uint32_t count, Body body, Pause pause) {
  std::vector<double> times(count);
  for (double& time : times) {
    pause();
    const Stopwatch stopwatch;
    body();
    time = absl::ToDoubleNanoseconds(stopwatch.elapsed());
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_NANOSECONDS_H_
