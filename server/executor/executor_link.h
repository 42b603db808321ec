// Commands to an executor, one at a time, and the reason of its end.
#ifndef QUERN_SERVER_EXECUTOR_EXECUTOR_LINK_H_
#define QUERN_SERVER_EXECUTOR_EXECUTOR_LINK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/executor/executor_process.h"

namespace quern {

// Not thread-safe.
class ExecutorLink final {
 public:
  // Called with what the executor answered; not called if it ends instead.
  using Done = std::function<void(const absl::Status& status)>;

  // `process` was just started, and has its setup to answer. An executor that
  // leaves anything unanswered for `answer_timeout` is ended.
  ExecutorLink(std::unique_ptr<ExecutorProcess> process, absl::Time now,
               absl::Duration answer_timeout);

  ExecutorProcess& process() { return *process_; }

  // Sends `command`, after those before it are answered. `fd` stays open until
  // `done` is called, or the link ends.
  void Send(const ExecutorCommand& command, int fd, Done done, absl::Time now);

  // Takes the answers that have come. Call it when the control socket is
  // readable.
  void Receive(absl::Time now);

  // Ends an executor that has not answered in time.
  void Tick(absl::Time now);

  // Ends it by force, because of `state`, a quern_ring_state.
  void Kill(uint32_t state);

  // Why it ended, as a quern_ring_state, once it has.
  std::optional<uint32_t> Ended();

  // Gives the process to who waits for its end.
  std::unique_ptr<ExecutorProcess> Release() { return std::move(process_); }

 private:
  struct Step {
    ExecutorCommand command;
    int fd = -1;
    Done done;
  };

  void SendNext(absl::Time now);

  std::unique_ptr<ExecutorProcess> process_;
  const absl::Duration answer_timeout_;
  std::deque<Step> waiting_;
  std::optional<Step> unanswered_;
  absl::Time sent_at_;
  std::optional<uint32_t> reason_;
};

// The state of a ring whose executor ended with `outcome`.
uint32_t RingStateOf(Outcome outcome);

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_EXECUTOR_LINK_H_
