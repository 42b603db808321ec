// Shows a watcher whether a loop still turns.
#ifndef QUERN_SERVER_CORE_LOOP_PULSE_H_
#define QUERN_SERVER_CORE_LOOP_PULSE_H_

#include <atomic>
#include <cstdint>

namespace quern {

// The loop calls Turn in each of its turns. The watcher calls Turned, and then
// wakes the loop, so that it turns until the next call unless it hangs. One
// thread each.
class LoopPulse final {
 public:
  void Turn() { turns_.fetch_add(1, std::memory_order_relaxed); }

  // Whether the loop has turned since the last call. The first is true.
  bool Turned() {
    const uint64_t turns = turns_.load(std::memory_order_relaxed);
    const bool turned = turns != seen_;
    seen_ = turns;
    return turned;
  }

 private:
  std::atomic<uint64_t> turns_{0};
  uint64_t seen_ = UINT64_MAX;  // Of the watcher.
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_LOOP_PULSE_H_
