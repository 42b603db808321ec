// How long something takes, by a clock that nobody sets: time-outs and figures
// must not change with the time of day.
#ifndef QUERN_CLIENT_RUNTIME_STOPWATCH_H_
#define QUERN_CLIENT_RUNTIME_STOPWATCH_H_

#include <chrono>

#include "absl/time/time.h"

namespace quern {

// Runs from its construction on. A value.
class Stopwatch final {
 public:
  absl::Duration elapsed() const {
    return absl::FromChrono(std::chrono::steady_clock::now() - begin_);
  }

 private:
  std::chrono::steady_clock::time_point begin_ =
      std::chrono::steady_clock::now();
};

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_STOPWATCH_H_
