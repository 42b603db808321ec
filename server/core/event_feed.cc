// A map of watchers, called under its lock: so leaving waits for calls.
#include "server/core/event_feed.h"

#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

class LockedEventFeed final : public EventFeed {
 public:
  LockedEventFeed(size_t watchers_max, Clock& clock)
      : watchers_max_(watchers_max), clock_(clock) {}

  void Publish(Event event) override {
    event.time = clock_.Now();
    const std::lock_guard lock(mutex_);
    for (const auto& [ticket, watcher] : watchers_) watcher(&event);
  }

  absl::StatusOr<uint64_t> Watch(Watcher watcher) override {
    const std::lock_guard lock(mutex_);
    if (closed_) return absl::UnavailableError("the daemon is shutting down");
    if (watchers_.size() >= watchers_max_) {
      return absl::ResourceExhaustedError("too many watch events already");
    }
    watchers_.emplace(++last_ticket_, std::move(watcher));
    return last_ticket_;
  }

  void Leave(uint64_t ticket) override {
    const std::lock_guard lock(mutex_);
    watchers_.erase(ticket);
  }

  void Close() override {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& [ticket, watcher] : watchers_) watcher(nullptr);
    watchers_.clear();
  }

 private:
  const size_t watchers_max_;
  Clock& clock_;
  std::mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<EventFeed> NewEventFeed(size_t watchers_max, Clock& clock) {
  return std::make_unique<LockedEventFeed>(watchers_max, clock);
}

}  // namespace quern
