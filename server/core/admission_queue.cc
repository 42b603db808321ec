// The fair queue.
#include "server/core/admission_queue.h"

#include <algorithm>
#include <deque>
#include <list>
#include <utility>

#include "absl/strings/str_cat.h"

namespace quern {
namespace {

struct QueuedJob {
  uint64_t job = 0;
  std::shared_ptr<const Deadline> deadline;
};

// A session that has jobs queued.
struct Line {
  SessionId session;
  std::deque<QueuedJob> jobs;
};

class FairAdmissionQueue final : public AdmissionQueue {
 public:
  explicit FairAdmissionQueue(const AdmissionLimits& limits)
      : limits_(limits) {}

  absl::Status Push(const SessionId& session, uint64_t job,
                    std::shared_ptr<const Deadline> deadline) override {
    if (size_ >= limits_.queued_max) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the queue is full: ", limits_.queued_max, " are waiting"));
    }
    auto line = std::find_if(
        lines_.begin(), lines_.end(),
        [&session](const Line& each) { return each.session == session; });
    const size_t queued = line == lines_.end() ? 0 : line->jobs.size();
    if (queued >= limits_.queued_per_session_max) {
      return absl::ResourceExhaustedError(
          absl::StrCat("this session has ", limits_.queued_per_session_max,
                       " calls waiting, which is the most"));
    }
    if (line == lines_.end()) {
      line = lines_.insert(lines_.end(), {.session = session, .jobs = {}});
    }
    line->jobs.push_back({job, std::move(deadline)});
    ++size_;
    return absl::OkStatus();
  }

  AdmittedJob Pop(absl::Time now, const std::set<SessionId>& busy) override {
    AdmittedJob admitted;
    auto line = lines_.begin();
    while (line != lines_.end()) {
      if (busy.contains(line->session)) {
        ++line;
        continue;
      }
      const QueuedJob next = std::move(line->jobs.front());
      line->jobs.pop_front();
      --size_;
      const bool expired = next.deadline->time() <= now;
      // An expired job does not cost its session the turn.
      if (line->jobs.empty()) {
        line = lines_.erase(line);
      } else if (!expired) {
        lines_.splice(lines_.end(), lines_, line);
      }
      if (!expired) {
        admitted.job = next.job;
        return admitted;
      }
      admitted.expired.push_back(next.job);
    }
    return admitted;
  }

  bool Remove(uint64_t job) override {
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      const auto found = std::find_if(
          line->jobs.begin(), line->jobs.end(),
          [job](const QueuedJob& each) { return each.job == job; });
      if (found == line->jobs.end()) continue;
      line->jobs.erase(found);
      if (line->jobs.empty()) lines_.erase(line);
      --size_;
      return true;
    }
    return false;
  }

  size_t size() const override { return size_; }

 private:
  const AdmissionLimits limits_;
  // In the order of their turns; none is without jobs.
  std::list<Line> lines_;
  size_t size_ = 0;
};

}  // namespace

std::unique_ptr<AdmissionQueue> NewAdmissionQueue(
    const AdmissionLimits& limits) {
  return std::make_unique<FairAdmissionQueue>(limits);
}

}  // namespace quern
