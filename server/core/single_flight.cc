// The table of flights.
#include "server/core/single_flight.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

class TableSingleFlight final : public SingleFlight {
 public:
  JoinedFlight Join(const FlightKey& key, uint64_t waiter,
                    const SessionId& session, absl::Time deadline,
                    CompileDone done) override {
    std::lock_guard lock(mutex_);
    const auto [entry, leads] = by_key_.try_emplace(key, last_flight_ + 1);
    if (leads) {
      flights_[++last_flight_] = {
          .key = key,
          .deadline = std::make_shared<Deadline>(deadline),
          .waiters = {}};
    }
    Flight& flight = flights_.at(entry->second);
    flight.deadline->Extend(deadline);
    flight.waiters[waiter] = {.session = session, .done = std::move(done)};
    flight_of_[waiter] = entry->second;
    return {
        .flight = entry->second, .leads = leads, .deadline = flight.deadline};
  }

  LeftFlight Leave(uint64_t waiter) override {
    std::lock_guard lock(mutex_);
    const auto found = flight_of_.find(waiter);
    if (found == flight_of_.end()) return {};
    const uint64_t number = found->second;
    flight_of_.erase(found);
    Flight& flight = flights_.at(number);
    const auto entry = flight.waiters.find(waiter);
    const SessionId session = std::move(entry->second.session);
    LeftFlight left;
    left.done = std::move(entry->second.done);
    flight.waiters.erase(entry);
    if (flight.waiters.empty()) {
      Erase(number);
      left.abandoned = number;
    } else if (!HasWaiterOf(flight, session)) {
      left.forsaken = {.flight = number, .session = session};
    }
    return left;
  }

  std::vector<SessionId> SessionsOf(uint64_t number) override {
    std::lock_guard lock(mutex_);
    std::vector<SessionId> sessions;
    const auto found = flights_.find(number);
    if (found == flights_.end()) return sessions;
    for (const auto& [unused, waiter] : found->second.waiters) {
      if (std::find(sessions.begin(), sessions.end(), waiter.session) ==
          sessions.end()) {
        sessions.push_back(waiter.session);
      }
    }
    return sessions;
  }

  void Refuse(uint64_t number, const SessionId& session,
              const absl::Status& why) override {
    Answer(TakeWaiters(number,
                       [&session](const Waiter& waiter) {
                         return waiter.session == session;
                       }),
           why);
  }

  void Land(uint64_t number,
            const absl::StatusOr<CompiledKernel>& result) override {
    Answer(TakeWaiters(number, [](const Waiter&) { return true; }), result);
  }

 private:
  struct Waiter {
    SessionId session;
    CompileDone done;
  };

  struct Flight {
    FlightKey key;
    std::shared_ptr<Deadline> deadline;
    std::map<uint64_t, Waiter> waiters;
  };

  static bool HasWaiterOf(const Flight& flight, const SessionId& session) {
    return std::any_of(flight.waiters.begin(), flight.waiters.end(),
                       [&session](const auto& entry) {
                         return entry.second.session == session;
                       });
  }

  // Takes those waiters out that `leaves` is true for. With the last one the
  // flight ends.
  std::vector<Waiter> TakeWaiters(
      uint64_t number, const std::function<bool(const Waiter&)>& leaves) {
    std::lock_guard lock(mutex_);
    std::vector<Waiter> taken;
    const auto found = flights_.find(number);
    if (found == flights_.end()) return taken;
    std::erase_if(found->second.waiters, [&](auto& entry) {
      if (!leaves(entry.second)) return false;
      flight_of_.erase(entry.first);
      taken.push_back(std::move(entry.second));
      return true;
    });
    if (found->second.waiters.empty()) Erase(number);
    return taken;
  }

  static void Answer(const std::vector<Waiter>& waiters,
                     const absl::StatusOr<CompiledKernel>& result) {
    for (const Waiter& waiter : waiters) waiter.done(result);
  }

  void Erase(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = flights_.find(number);
    by_key_.erase(found->second.key);
    flights_.erase(found);
  }

  std::mutex mutex_;
  uint64_t last_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<FlightKey, uint64_t> by_key_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Flight> flights_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, uint64_t> flight_of_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<SingleFlight> NewSingleFlight() {
  return std::make_unique<TableSingleFlight>();
}

}  // namespace quern
