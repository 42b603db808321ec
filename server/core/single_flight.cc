// The table of flights.
#include "server/core/single_flight.h"

#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

class TableSingleFlight final : public SingleFlight {
 public:
  JoinedFlight Join(const FlightKey& key, uint64_t waiter, absl::Time deadline,
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
    flight.waiters.emplace(waiter, std::move(done));
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
    LeftFlight left{.done = std::move(entry->second), .abandoned = {}};
    flight.waiters.erase(entry);
    if (flight.waiters.empty()) {
      by_key_.erase(flight.key);
      flights_.erase(number);
      left.abandoned = number;
    }
    return left;
  }

  bool IsFlying(uint64_t flight) override {
    std::lock_guard lock(mutex_);
    return flights_.contains(flight);
  }

  void Land(uint64_t number,
            const absl::StatusOr<CompiledKernel>& result) override {
    std::map<uint64_t, CompileDone> waiters;
    {
      std::lock_guard lock(mutex_);
      const auto found = flights_.find(number);
      if (found == flights_.end()) return;
      waiters.swap(found->second.waiters);
      for (const auto& [waiter, done] : waiters) flight_of_.erase(waiter);
      by_key_.erase(found->second.key);
      flights_.erase(found);
    }
    for (const auto& [waiter, done] : waiters) done(result);
  }

 private:
  struct Flight {
    FlightKey key;
    std::shared_ptr<Deadline> deadline;
    std::map<uint64_t, CompileDone> waiters;
  };

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
