// One compile for all who want the same thing at the same time.
//
// A flight begins with its first waiter and ends when it lands, or when its
// last waiter leaves. Its deadline is the latest of its waiters'.
#ifndef QUERN_SERVER_CORE_SINGLE_FLIGHT_H_
#define QUERN_SERVER_CORE_SINGLE_FLIGHT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "compiler/api/compiler.h"
#include "proto/wire/kernel_key.h"
#include "server/core/compiled_kernel.h"
#include "server/core/deadline.h"
#include "server/core/session.h"

namespace quern {

struct FlightKey {
  KernelKey key;
  CompileOutput output = CompileOutput::kImage;

  friend auto operator<=>(const FlightKey&, const FlightKey&) = default;
};

struct JoinedFlight {
  uint64_t flight = 0;
  bool leads = false;  // This waiter began it, and must have it flown.
  std::shared_ptr<const Deadline> deadline;
};

struct ForsakenFlight {
  uint64_t flight = 0;
  SessionId session;
};

struct LeftFlight {
  CompileDone done;  // Null: the waiter was in no flight.
  // The flight that ended because this was its last waiter.
  std::optional<uint64_t> abandoned;
  // The flight that goes on, without another waiter of the session.
  std::optional<ForsakenFlight> forsaken;
};

// Thread-safe. Calls back with no lock held.
class SingleFlight {
 public:
  virtual ~SingleFlight() = default;

  // Adds `waiter`, a number not in use, to the flight of `key`.
  virtual JoinedFlight Join(const FlightKey& key, uint64_t waiter,
                            const SessionId& session, absl::Time deadline,
                            CompileDone done) = 0;

  virtual LeftFlight Leave(uint64_t waiter) = 0;

  // Whose waiters `flight` has, in the order of the waiters' numbers. Empty: it
  // has landed or was abandoned.
  virtual std::vector<SessionId> SessionsOf(uint64_t flight) = 0;

  // Gives `why` to the waiters of `session`, who leave. With the last waiter
  // the flight ends.
  virtual void Refuse(uint64_t flight, const SessionId& session,
                      const absl::Status& why) = 0;

  // Ends `flight` and gives `result` to all its waiters. Does nothing if it
  // was abandoned.
  virtual void Land(uint64_t flight,
                    const absl::StatusOr<CompiledKernel>& result) = 0;
};

std::unique_ptr<SingleFlight> NewSingleFlight();

}  // namespace quern

#endif  // QUERN_SERVER_CORE_SINGLE_FLIGHT_H_
