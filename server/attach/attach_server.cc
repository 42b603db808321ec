// The thread that serves the attach socket.
#include "server/attach/attach_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"
#include "server/attach/attach_session.h"
#include "server/core/loop_pulse.h"

namespace quern {
namespace {

// What an event is about, as epoll gives it back: a session's number times
// two, plus one for its process; or one of these.
constexpr uint64_t kListener = 0;
constexpr uint64_t kWakeUp = 1;
constexpr uint64_t kFirstSession = 1;

// How long accepting rests when descriptors have run out.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

constexpr int kTickMilliseconds = 100;

struct Entry {
  AttachSession session;
  UniqueFd process;  // A pidfd; invalid where the kernel gives none.
  absl::Time hello_limit;
};

class EpollAttachServer final : public AttachServer {
 public:
  EpollAttachServer(const AttachServerOptions& options,
                    const AttachServerParts& parts, UniqueFd listener,
                    UniqueFd epoll, UniqueFd wake)
      : options_(options),
        parts_(parts),
        listener_(std::move(listener)),
        epoll_(std::move(epoll)),
        wake_(std::move(wake)) {
    Watch(wake_.get(), kWakeUp);
    Watch(listener_.get(), kListener);
    thread_ = std::thread([this] { Run(); });
  }

  ~EpollAttachServer() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    Wake();
    thread_.join();
  }

  void NotifyRetired(uint32_t slab) override {
    {
      std::lock_guard lock(mutex_);
      retired_.push_back(slab);
    }
    Wake();
  }

  bool Responds() override {
    const bool turned = pulse_.Turned();
    Wake();
    return turned;
  }

  bool IsAttached(const SessionToken& token, uint32_t user_id) override {
    std::lock_guard lock(mutex_);
    return attached_.contains({token, user_id});
  }

  uint64_t session_count() override {
    std::lock_guard lock(mutex_);
    return attached_.size();
  }

 private:
  void Wake() {
    // A full counter is a wake-up that is still to come.
    if (::eventfd_write(wake_.get(), 1) != 0) return;
  }

  bool Watch(int fd, uint64_t about) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = about;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  void Run() {
    std::array<epoll_event, 64> events;
    while (HandleInbox()) {
      pulse_.Turn();
      const int count =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), Timeout());
      for (int i = 0; i < count; ++i) Handle(events[i].data.u64);
      Tick();
    }
  }

  // Time matters only to those that have not said HELLO, and to a pause.
  int Timeout() const {
    const bool hurry =
        accept_again_at_ ||
        std::any_of(sessions_.begin(), sessions_.end(), [](const auto& entry) {
          return !entry.second.session.welcomed();
        });
    return hurry ? kTickMilliseconds : -1;
  }

  void Handle(uint64_t about) {
    if (about == kListener) {
      Accept();
    } else if (about != kWakeUp) {
      const uint64_t number = about / 2;
      const auto found = sessions_.find(number);
      if (found == sessions_.end()) return;
      if (about % 2 != 0) {
        End(number, absl::OutOfRangeError("the client's process has ended"));
        return;
      }
      const absl::Status status = found->second.session.Serve(parts_.clock);
      if (!status.ok()) End(number, status);
    }
  }

  void Tick() {
    const absl::Time now = parts_.clock.Now();
    if (accept_again_at_ && *accept_again_at_ <= now) {
      accept_again_at_.reset();
      Watch(listener_.get(), kListener);
    }
    std::vector<uint64_t> late;
    for (const auto& [number, entry] : sessions_) {
      if (!entry.session.welcomed() && entry.hello_limit <= now) {
        late.push_back(number);
      }
    }
    for (const uint64_t number : late) {
      End(number, absl::DeadlineExceededError("no HELLO came"));
    }
  }

  void Accept() {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) PauseAccept();
      return;
    }
    const absl::StatusOr<Peer> peer = PeerOf(socket.get());
    if (!peer.ok() || !MayConnect(options_.access, *peer)) {
      SendRefusal(socket.get(), absl::PermissionDeniedError(
                                    "this user may not use the daemon"));
      return;
    }
    if (sessions_.size() >= options_.sessions_max) {
      SendRefusal(socket.get(), absl::ResourceExhaustedError(
                                    "the daemon has too many sessions"));
      return;
    }
    Begin(std::move(socket), *peer);
  }

  void PauseAccept() {
    parts_.logger.Log(LogLevel::kWarning,
                      "out of descriptors; no new sessions for a moment");
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
    accept_again_at_ = parts_.clock.Now() + kAcceptPause;
  }

  void Begin(UniqueFd socket, const Peer& peer) {
    const absl::Time now = parts_.clock.Now();
    const uint64_t number = ++last_session_;
    const int fd = socket.get();
    // A forked child may hold the connection open after its process ended.
    UniqueFd process(
        static_cast<int>(::syscall(SYS_pidfd_open, peer.process_id, 0)));
    if (!Watch(fd, number * 2)) return;
    if (process.valid()) Watch(process.get(), number * 2 + 1);
    const auto added = sessions_.emplace(
        number, Entry{.session = AttachSession(
                          std::move(socket), peer.user_id, parts_.make_token(),
                          RequestBudget(options_.requests_burst_max,
                                        options_.requests_per_second_max, now),
                          parts_.slabs, parts_.directory),
                      .process = std::move(process),
                      .hello_limit = now + options_.hello_timeout});
    // Nobody can show the token before WELCOME has told it.
    std::lock_guard lock(mutex_);
    attached_.insert(IdentityOf(added.first->second.session));
  }

  void End(uint64_t number, const absl::Status& why) {
    const auto found = sessions_.find(number);
    if (!absl::IsOutOfRange(why)) {
      parts_.logger.Log(LogLevel::kWarning,
                        absl::StrCat("ended a session: ", why.message()));
    }
    {
      std::lock_guard lock(mutex_);
      attached_.erase(IdentityOf(found->second.session));
    }
    sessions_.erase(found);
  }

  // Tells the sessions what others asked to tell. False: to stop.
  bool HandleInbox() {
    eventfd_t count;
    if (::eventfd_read(wake_.get(), &count) != 0) count = 0;
    std::vector<uint32_t> retired;
    {
      std::lock_guard lock(mutex_);
      retired.swap(retired_);
      if (stop_) return false;
    }
    for (const uint32_t slab : retired) TellRetired(slab);
    return true;
  }

  void TellRetired(uint32_t slab) {
    std::vector<std::pair<uint64_t, absl::Status>> deaf;
    for (auto& [number, entry] : sessions_) {
      const absl::Status status = entry.session.SendRetired(slab);
      if (!status.ok()) deaf.emplace_back(number, status);
    }
    for (const auto& [number, status] : deaf) End(number, status);
  }

  using Identity = std::pair<SessionToken, uint32_t>;

  static Identity IdentityOf(const AttachSession& session) {
    return {session.token(), session.user_id()};
  }

  const AttachServerOptions options_;
  const AttachServerParts parts_;
  const UniqueFd listener_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  LoopPulse pulse_;

  // Of the thread.
  std::map<uint64_t, Entry> sessions_;
  uint64_t last_session_ = kFirstSession;
  std::optional<absl::Time> accept_again_at_;

  std::mutex mutex_;
  std::set<Identity> attached_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> retired_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AttachServer>> StartAttachServer(
    const AttachServerOptions& options, const AttachServerParts& parts,
    UniqueFd listener) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoStatus(errno, "epoll_create1");
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoStatus(errno, "eventfd");
  return std::make_unique<EpollAttachServer>(
      options, parts, std::move(listener), std::move(epoll), std::move(wake));
}

}  // namespace quern
