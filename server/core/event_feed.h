// What happens in the daemon, told to whoever watches.
//
// An event names keys, causes and times; never a client, a path or a source:
// every watcher sees every event.
#ifndef QUERN_SERVER_CORE_EVENT_FEED_H_
#define QUERN_SERVER_CORE_EVENT_FEED_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/kernel_key.h"
#include "server/core/clock.h"

namespace quern {

enum class EventKind {
  kKernelCompiled,   // key, duration: of the compile.
  kCompileFailed,    // code.
  kReproducerSaved,  // key, code.
  kSlabRetired,      // slab.
  kChildDied,        // cause.
  kZygoteRestarted,
  kExecutorDied,  // cause.
};

// Fields that an event's kind does not list are empty.
struct Event {
  EventKind kind = EventKind::kKernelCompiled;
  absl::Time time;
  std::optional<KernelKey> key;
  absl::Duration duration;
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string cause;
  uint32_t slab = 0;
};

// Thread-safe.
class EventFeed {
 public:
  // Called from the thread of whoever publishes, and so must be quick. Null
  // once, at the end: there will be no more.
  using Watcher = std::function<void(const Event*)>;

  virtual ~EventFeed() = default;

  // Gives `event`, with the time set, to all who watch.
  virtual void Publish(Event event) = 0;

  // Calls `watcher` for every event from now on. Returns a ticket for Leave.
  //
  // ResourceExhausted: as many watch as may.
  // Unavailable: the feed is closed.
  virtual absl::StatusOr<uint64_t> Watch(Watcher watcher) = 0;

  // When it returns, the watcher is not running and will not be called again.
  virtual void Leave(uint64_t ticket) = 0;

  // Tells all watchers that there will be no more.
  virtual void Close() = 0;
};

// `clock` must outlive the result.
std::unique_ptr<EventFeed> NewEventFeed(size_t watchers_max, Clock& clock);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_EVENT_FEED_H_
