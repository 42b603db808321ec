// Measures short pieces of code: the minimum of many batches.
#ifndef QUERN_CLIENT_CLI_NANOSECONDS_H_
#define QUERN_CLIENT_CLI_NANOSECONDS_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

namespace quern {

// Runs `body` `batch_size` times in each of `batches` batches and returns the
// fastest batch's nanoseconds a run. The minimum leaves out what else the
// machine did meanwhile.
template <typename Body>
double LeastNanoseconds(uint32_t batches, uint32_t batch_size, Body body) {
  using Clock = std::chrono::steady_clock;
  double least = std::numeric_limits<double>::infinity();
  for (uint32_t batch = 0; batch < batches; ++batch) {
    const Clock::time_point begin = Clock::now();
    for (uint32_t i = 0; i < batch_size; ++i) body();
    const std::chrono::duration<double, std::nano> time = Clock::now() - begin;
    least = std::min(least, time.count() / batch_size);
  }
  return least;
}

// Runs `body` `count` times, and `pause` before each. Returns the nanoseconds
// of each `body`, the least first.
template <typename Body, typename Pause>
std::vector<double> Nanoseconds(uint32_t count, Body body, Pause pause) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times(count);
  for (double& time : times) {
    pause();
    const Clock::time_point begin = Clock::now();
    body();
    time =
        std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_NANOSECONDS_H_
