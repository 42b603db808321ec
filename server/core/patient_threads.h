// Threads for work that may block for as long as a disk does, while whoever
// wants its result waits for a bounded time only.
#ifndef QUERN_SERVER_CORE_PATIENT_THREADS_H_
#define QUERN_SERVER_CORE_PATIENT_THREADS_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace quern {

struct PatientThreadsOptions {
  uint32_t threads = 2;
  uint32_t waiting_max = 256;  // Jobs that no thread has begun.
  // A job is given up after this, or at most a quarter later.
  absl::Duration patience = absl::Seconds(1);
};

// Thread-safe.
class PatientThreads {
 public:
  using Answer = std::function<void()>;

  virtual ~PatientThreads() = default;

  // Has a thread do `work`, and call the answer that it returns. If that takes
  // longer than the patience, if too many jobs wait, or if every thread is
  // held up by a job that was given up, `late` is called instead, with
  // Unavailable: by another thread, or before this returns. Exactly one of
  // the two is called, with no lock held.
  virtual void Run(std::function<Answer()> work,
                   std::function<void(const absl::Status&)> late) = 0;

  // Waits for work that has begun; what has not is late, and so is what is
  // still to come. Called by the destructor too.
  virtual void Stop() = 0;

  // Jobs that were given up.
  virtual uint64_t late() = 0;
};

std::unique_ptr<PatientThreads> NewPatientThreads(
    const PatientThreadsOptions& options);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_PATIENT_THREADS_H_
