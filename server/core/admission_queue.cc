// The fair queue.
#include "server/core/admission_queue.h"

#include <algorithm>
#include <deque>
#include <list>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace quern {
namespace {

struct QueuedJob {
  uint64_t job = 0;
  std::shared_ptr<const Deadline> deadline;
};

using Places = std::deque<QueuedJob>;

// A session that has jobs queued.
struct Line {
  SessionId session;
  Places jobs;
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
    Line& line = LineOf(session);
    if (IsFull(line)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("this session has ", limits_.queued_per_session_max,
                       " calls waiting, which is the most"));
    }
    line.jobs.push_back({job, std::move(deadline)});
    ++size_;
    return absl::OkStatus();
  }

  void Join(const SessionId& session, uint64_t job) override {
    const std::optional<QueuedJob> queued = Find(job);
    if (!queued) return;
    Line& line = LineOf(session);
    if (IsFull(line) || HasPlace(job, line)) return;
    line.jobs.push_back(*queued);
  }

  void Leave(const SessionId& session, uint64_t job) override {
    if (std::count_if(lines_.begin(), lines_.end(),
                      [job](Line& line) { return HasPlace(job, line); }) < 2) {
      return;
    }
    ErasePlace(job, LineOf(session));
    DropEmptyLines();
  }

  AdmittedJob Pop(absl::Time now, const std::set<SessionId>& busy) override {
    AdmittedJob admitted;
    while (!admitted.job) {
      const auto line = std::find_if(
          lines_.begin(), lines_.end(),
          [&busy](const Line& each) { return !busy.contains(each.session); });
      if (line == lines_.end()) break;
      const QueuedJob next = line->jobs.front();
      if (next.deadline->time() <= now) {
        // It does not cost its session the turn.
        admitted.expired.push_back(next.job);
      } else {
        admitted.job = next.job;
        lines_.splice(lines_.end(), lines_, line);
      }
      Remove(next.job);
    }
    return admitted;
  }

  bool Remove(uint64_t job) override {
    size_t erased = 0;
    for (Line& line : lines_) erased += ErasePlace(job, line);
    if (erased == 0) return false;
    DropEmptyLines();
    --size_;
    return true;
  }

  size_t size() const override { return size_; }

 private:
  static Places::iterator PlaceOf(uint64_t job, Line& line) {
    return std::find_if(
        line.jobs.begin(), line.jobs.end(),
        [job](const QueuedJob& each) { return each.job == job; });
  }

  static bool HasPlace(uint64_t job, Line& line) {
    return PlaceOf(job, line) != line.jobs.end();
  }

  // How many places were erased: one, or none.
  static size_t ErasePlace(uint64_t job, Line& line) {
    return std::erase_if(
        line.jobs, [job](const QueuedJob& each) { return each.job == job; });
  }

  // The session's line, begun if it has none.
  Line& LineOf(const SessionId& session) {
    const auto line = std::find_if(
        lines_.begin(), lines_.end(),
        [&session](const Line& each) { return each.session == session; });
    if (line != lines_.end()) return *line;
    return lines_.emplace_back(Line{.session = session, .jobs = {}});
  }

  void DropEmptyLines() {
    lines_.remove_if([](const Line& line) { return line.jobs.empty(); });
  }

  bool IsFull(const Line& line) const {
    return line.jobs.size() >= limits_.queued_per_session_max;
  }

  std::optional<QueuedJob> Find(uint64_t job) {
    for (Line& line : lines_) {
      const auto place = PlaceOf(job, line);
      if (place != line.jobs.end()) return *place;
    }
    return std::nullopt;
  }

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
