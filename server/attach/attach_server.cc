// The thread that serves the attach socket.
#include "server/attach/attach_server.h"

#include <fcntl.h>
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
// four, plus what of it; or one of these.
constexpr uint64_t kListener = 0;
constexpr uint64_t kWakeUp = 1;
constexpr uint64_t kFirstSession = 1;

constexpr uint64_t kOfSession = 4;
enum : uint64_t { kSocket = 0, kProcess = 1, kExecutor = 2, kExecutorEnd = 3 };

// How long accepting rests when descriptors have run out.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

constexpr absl::Duration kTick = absl::Milliseconds(100);

struct Entry {
  std::unique_ptr<AttachSession> session;
  UniqueFd process;  // A pidfd; invalid where the kernel gives none.
  absl::Time hello_limit;
  // What is waited for at its socket.
  uint32_t watched = EPOLLIN;
};

// One end of a connection within this process.
struct OwnConnection {
  UniqueFd socket;
  Peer peer;
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

  absl::StatusOr<UniqueFd> Connect() override {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      return ErrnoStatus(errno, "socketpair");
    }
    OwnConnection own{.socket = UniqueFd(ends[0])};
    UniqueFd other(ends[1]);
    if (::fcntl(own.socket.get(), F_SETFL, O_NONBLOCK) != 0) {
      return ErrnoStatus(errno, "fcntl(O_NONBLOCK)");
    }
    QUERN_ASSIGN_OR_RETURN(own.peer, PeerOf(own.socket.get()));
    {
      std::lock_guard lock(mutex_);
      connected_.push_back(std::move(own));
    }
    Wake();
    return other;
  }

  const ServedCounters& served() override { return parts_.served.counters; }

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
      for (int i = 0; i < count; ++i) {
        Handle(events[i].data.u64, events[i].events);
      }
      Tick();
    }
  }

  // Time matters to those that have not said HELLO, to a pause, and to
  // executors.
  int Timeout() const {
    absl::Duration wait = absl::InfiniteDuration();
    for (const auto& [number, entry] : sessions_) {
      wait = std::min(wait, entry.session->served().TickInterval().value_or(
                                absl::InfiniteDuration()));
    }
    const bool hurry =
        accept_again_at_ || !ending_.empty() ||
        std::any_of(sessions_.begin(), sessions_.end(), [](const auto& entry) {
          return !entry.second.session->welcomed();
        });
    if (hurry) wait = std::min(wait, kTick);
    return wait == absl::InfiniteDuration()
               ? -1
               : static_cast<int>(absl::ToInt64Milliseconds(wait));
  }

  void Handle(uint64_t about, uint32_t events) {
    if (about == kListener) return Accept();
    if (about == kWakeUp) return;
    const uint64_t number = about / kOfSession;
    const auto found = sessions_.find(number);
    if (found == sessions_.end()) {
      ReapEnding(number);
      return;
    }
    AttachSession& session = *found->second.session;
    switch (about % kOfSession) {
      case kProcess:
        End(number, absl::OutOfRangeError("the client's process has ended"));
        return;
      case kExecutor:
        session.served().OnControl();
        break;
      case kExecutorEnd:
        session.served().OnProcess();
        break;
      default:
        // One that waits for its answer is not received from, but may leave.
        if (session.busy() && (events & EPOLLHUP) != 0) {
          End(number, absl::OutOfRangeError("the client has left"));
          return;
        }
        session.SendEvents();
        GoOn(number, found->second, session.Serve(parts_.clock));
        return;
    }
    GoOn(number, found->second, session.TakeStatus());
  }

  // Ends the session if `status` says so, else waits for what it should: for
  // requests, unless one waits for its answer, and for room for events.
  void GoOn(uint64_t number, Entry& entry, const absl::Status& status) {
    if (!status.ok()) return End(number, status);
    const AttachSession& session = *entry.session;
    const uint32_t watch = (session.busy() ? uint32_t{0} : EPOLLIN) |
                           (session.has_events() ? EPOLLOUT : uint32_t{0});
    if (watch == entry.watched) return;
    entry.watched = watch;
    epoll_event event{};
    event.events = watch;
    event.data.u64 = number * kOfSession + kSocket;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, entry.session->fd(), &event);
  }

  void Tick() {
    const absl::Time now = parts_.clock.Now();
    if (accept_again_at_ && *accept_again_at_ <= now) {
      accept_again_at_.reset();
      Watch(listener_.get(), kListener);
    }
    std::vector<std::pair<uint64_t, absl::Status>> ended;
    for (auto& [number, entry] : sessions_) {
      if (!entry.session->welcomed() && entry.hello_limit <= now) {
        ended.emplace_back(number,
                           absl::DeadlineExceededError("no HELLO came"));
        continue;
      }
      entry.session->served().Tick();
      const absl::Status status = entry.session->TakeStatus();
      if (!status.ok()) ended.emplace_back(number, status);
    }
    for (const auto& [number, status] : ended) End(number, status);
    for (auto& [number, entry] : sessions_) {
      GoOn(number, entry, absl::OkStatus());
    }
    std::erase_if(ending_,
                  [](auto& entry) { return entry.second->Reap().has_value(); });
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
    if (!Watch(fd, number * kOfSession + kSocket)) return;
    if (process.valid()) Watch(process.get(), number * kOfSession + kProcess);
    auto session = std::make_unique<AttachSession>(
        std::move(socket), peer.user_id, parts_.make_token(),
        RequestBudget(options_.requests_burst_max,
                      options_.requests_per_second_max, now),
        parts_.directory, parts_.served,
        [this, number](ExecutorProcess& executor) {
          Watch(executor.control_fd(), number * kOfSession + kExecutor);
          Watch(executor.process_fd(), number * kOfSession + kExecutorEnd);
        });
    const auto added = sessions_.emplace(
        number, Entry{.session = std::move(session),
                      .process = std::move(process),
                      .hello_limit = now + options_.hello_timeout});
    // Nobody can show the token before WELCOME has told it.
    std::lock_guard lock(mutex_);
    attached_.insert(IdentityOf(*added.first->second.session));
  }

  void End(uint64_t number, const absl::Status& why) {
    const auto found = sessions_.find(number);
    if (!absl::IsOutOfRange(why)) {
      parts_.logger.Log(LogLevel::kWarning,
                        absl::StrCat("ended a session: ", why.message()));
    }
    {
      std::lock_guard lock(mutex_);
      attached_.erase(IdentityOf(*found->second.session));
    }
    // Its memory may take a while to go; that is not waited for.
    if (auto executor = found->second.session->served().Release()) {
      ending_.emplace(number, std::move(executor));
    }
    sessions_.erase(found);
  }

  void ReapEnding(uint64_t number) {
    const auto found = ending_.find(number);
    if (found != ending_.end() && found->second->Reap()) ending_.erase(found);
  }

  // Tells the sessions what others asked to tell. False: to stop.
  bool HandleInbox() {
    eventfd_t count;
    if (::eventfd_read(wake_.get(), &count) != 0) count = 0;
    std::vector<uint32_t> retired;
    std::vector<OwnConnection> connected;
    {
      std::lock_guard lock(mutex_);
      retired.swap(retired_);
      connected.swap(connected_);
      if (stop_) return false;
    }
    for (const uint32_t slab : retired) TellRetired(slab);
    for (OwnConnection& own : connected) {
      Begin(std::move(own.socket), own.peer);
    }
    return true;
  }

  void TellRetired(uint32_t slab) {
    for (auto& [number, entry] : sessions_) {
      entry.session->TellRetired(slab);
      GoOn(number, entry, absl::OkStatus());
    }
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
  // Killed executors of sessions that ended.
  std::map<uint64_t, std::unique_ptr<ExecutorProcess>> ending_;
  uint64_t last_session_ = kFirstSession;
  std::optional<absl::Time> accept_again_at_;

  std::mutex mutex_;
  std::set<Identity> attached_ ABSL_GUARDED_BY(mutex_);
  std::vector<OwnConnection> connected_ ABSL_GUARDED_BY(mutex_);
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
