// Who is next to compile, or to launch: a bounded queue, fair between sessions.
//
// Sessions take turns, however many jobs each has queued; within a session the
// first come is the first served. A job that several sessions want has a place
// with each and goes by the first turn that comes. A job whose deadline has
// passed is not begun.
//
// Not thread-safe.
#ifndef QUERN_SERVER_CORE_ADMISSION_QUEUE_H_
#define QUERN_SERVER_CORE_ADMISSION_QUEUE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/deadline.h"
#include "server/core/session.h"

namespace quern {

// Each at least 1.
struct AdmissionLimits {
  size_t queued_max = 256;
  size_t queued_per_session_max = 64;
};

struct AdmittedJob {
  // The job whose turn it is; none if nothing is queued.
  std::optional<uint64_t> job;
  // Jobs before it whose deadlines have passed. They left the queue.
  std::vector<uint64_t> expired;
};

class AdmissionQueue {
 public:
  virtual ~AdmissionQueue() = default;

  // Queues `job`, a number not in use.
  //
  // ResourceExhausted: the queue, or the session's share of it, is full.
  virtual absl::Status Push(const SessionId& session, uint64_t job,
                            std::shared_ptr<const Deadline> deadline) = 0;

  // Gives `job` a place in `session`'s line as well. Does nothing if it is not
  // queued, has one there, or the session's share is full.
  virtual void Join(const SessionId& session, uint64_t job) = 0;

  // Takes the place of `job` in `session`'s line, if it has one elsewhere, too.
  virtual void Leave(const SessionId& session, uint64_t job) = 0;

  // Takes the next job out that is not of one of the sessions in `busy`, which
  // keep their turns.
  virtual AdmittedJob Pop(absl::Time now, const std::set<SessionId>& busy) = 0;

  // Takes `job` out. False: it is not queued.
  virtual bool Remove(uint64_t job) = 0;

  // Jobs, however many places each has.
  virtual size_t size() const = 0;
};

std::unique_ptr<AdmissionQueue> NewAdmissionQueue(
    const AdmissionLimits& limits);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_ADMISSION_QUEUE_H_
