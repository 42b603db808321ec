// One write at a time; what comes meanwhile waits, within a bound.
#include "server/rpc/watch_reactor.h"

#include <deque>
#include <mutex>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "server/rpc/conversions.h"
#include "server/rpc/grpc_status.h"

namespace quern {
namespace {

class WatchReactor final
    : public grpc::ServerWriteReactor<v1::WatchEventsResponse> {
 public:
  explicit WatchReactor(EventFeed& events) : events_(events) {
    const absl::StatusOr<uint64_t> ticket =
        events.Watch([this](const Event* event) { OnEvent(event); });
    if (ticket.ok()) {
      ticket_ = *ticket;
      StartSendInitialMetadata();
    } else {
      Finish(ToGrpcStatus(ticket.status()));
    }
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) {
      Advance();
    } else {
      End(grpc::Status::CANCELLED);
    }
  }

  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    End(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    if (ticket_) events_.Leave(*ticket_);
    delete this;
  }

 private:
  void OnEvent(const Event* event) {
    const std::lock_guard lock(mutex_);
    if (event == nullptr) {
      End(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                       "the daemon is shutting down"));
    } else if (waiting_.size() >= kWaitingEventsMax) {
      ++lost_;
    } else {
      waiting_.push_back(ToProto(*event));
      waiting_.back().set_lost(lost_);
      lost_ = 0;
      Advance();
    }
  }

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || ended_ || waiting_.empty()) return;
    being_written_ = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    StartWrite(&being_written_);
  }

  void End(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (ended_) return;
    ended_ = true;
    Finish(status);
  }

  EventFeed& events_;
  std::optional<uint64_t> ticket_;  // Set once, before any callback of gRPC's.
  std::mutex mutex_;
  std::deque<v1::WatchEventsResponse> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::WatchEventsResponse being_written_;  // Of gRPC, while `writing_`.
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::WatchEventsResponse>* NewWatchReactor(
    EventFeed& events) {
  return new WatchReactor(events);
}

}  // namespace quern
