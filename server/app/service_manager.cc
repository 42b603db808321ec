// The protocol with the service manager, by libsystemd.
#include "server/app/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

// What libsystemd calls a descriptor for which the manager gave no name.
constexpr std::string_view kNoName = "unknown";

// How often the status line is brought up to date, at the least.
constexpr absl::Duration kReportIntervalMax = absl::Seconds(10);

// Signs of life in the time that the manager waits for one: so many may be
// late before it loses patience.
constexpr int kSignsPerTimeout = 4;

// How much longer than the calls that it waits for an end takes.
constexpr absl::Duration kEndMargin = absl::Seconds(10);

struct Handed {
  UniqueFd fd;
  int number = 0;
  std::string name;

  std::string Description() const {
    return absl::StrCat("the descriptor ", number, ", `", name,
                        "`, that the service manager handed over");
  }
};

// What was handed over; the variables that say so are gone after it.
absl::StatusOr<std::vector<Handed>> TakeAll() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the service manager handed sockets over wrongly: ",
                     ErrnoStatus(-count, "sd_listen_fds").message()));
  }
  std::vector<Handed> all;
  for (int i = 0; i < count; ++i) {
    const int number = SD_LISTEN_FDS_START + i;
    all.push_back({.fd = UniqueFd(number), .number = number, .name = names[i]});
    std::free(names[i]);
  }
  std::free(names);
  return all;
}

// Whether `socket` is a Unix socket of `type` that listens at `path`; an empty
// path is any.
bool Listens(int socket, int type, const std::string& path) {
  return sd_is_socket_unix(socket, type, 1,
                           path.empty() ? nullptr : path.c_str(), 0) > 0;
}

// Puts `handed` into `place` if it is free and the path is right.
absl::Status Put(Handed& handed, int type, const std::string& path,
                 UniqueFd& place) {
  if (place.valid()) {
    return absl::InvalidArgumentError(
        absl::StrCat(handed.Description(), ", is a second ",
                     type == SOCK_STREAM ? "stream" : "sequenced-packet",
                     " socket; quernd takes one of each"));
  }
  if (!Listens(handed.fd.get(), type, path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(handed.Description(), ", does not listen at ", path,
                     ", where the configuration has it"));
  }
  const int flags = ::fcntl(handed.fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(handed.fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return ErrnoStatus(errno, "fcntl(O_NONBLOCK)");
  }
  place = std::move(handed.fd);
  return absl::OkStatus();
}

absl::Status Sort(Handed& handed, const std::string& rpc_path,
                  const std::string& attach_path, ActivatedSockets& sockets) {
  if (handed.name != kActivationName && handed.name != kNoName) {
    return absl::InvalidArgumentError(absl::StrCat(
        handed.Description(), ", is not named `", kActivationName, "`"));
  }
  if (Listens(handed.fd.get(), SOCK_STREAM, "")) {
    return Put(handed, SOCK_STREAM, rpc_path, sockets.rpc);
  }
  if (Listens(handed.fd.get(), SOCK_SEQPACKET, "")) {
    return Put(handed, SOCK_SEQPACKET, attach_path, sockets.attach);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(handed.Description(),
                   ", is no Unix socket that listens, of type stream or "
                   "sequenced packet"));
}

class NotifiedManager final : public ServiceManager {
 public:
  NotifiedManager(absl::Duration interval, bool watches)
      : interval_(interval), watches_(watches) {}

  absl::Duration report_interval() override { return interval_; }

  void Ready() override { Tell("READY=1"); }

  void Alive() override {
    if (watches_) Tell("WATCHDOG=1");
  }

  void Status(const std::string& line) override {
    if (line == status_) return;
    status_ = line;
    Tell(absl::StrCat("STATUS=", line));
  }

  void Stopping(absl::Duration timeout) override {
    // The manager waits so long whatever its unit says: the configuration
    // alone decides.
    Tell(absl::StrCat("STOPPING=1\nEXTEND_TIMEOUT_USEC=",
                      absl::ToInt64Microseconds(timeout + kEndMargin)));
  }

 private:
  // A manager that does not listen is not the daemon's concern.
  static void Tell(const std::string& state) { sd_notify(0, state.c_str()); }

  const absl::Duration interval_;
  const bool watches_;
  std::string status_;
};

class NoManager final : public ServiceManager {
 public:
  absl::Duration report_interval() override { return absl::InfiniteDuration(); }
  void Ready() override {}
  void Alive() override {}
  void Status(const std::string&) override {}
  void Stopping(absl::Duration) override {}
};

}  // namespace

absl::StatusOr<std::optional<ActivatedSockets>> TakeActivatedSockets(
    const std::string& rpc_path, const std::string& attach_path) {
  QUERN_ASSIGN_OR_RETURN(std::vector<Handed> all, TakeAll());
  if (all.empty()) return std::optional<ActivatedSockets>();
  ActivatedSockets sockets;
  for (Handed& handed : all) {
    QUERN_RETURN_IF_ERROR(Sort(handed, rpc_path, attach_path, sockets));
  }
  if (!sockets.rpc.valid() || !sockets.attach.valid()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the service manager handed over no ",
        sockets.rpc.valid() ? "sequenced-packet" : "stream",
        " socket; quernd takes one for RPCs, a stream, and one to attach, of "
        "sequenced packets"));
  }
  return std::optional<ActivatedSockets>(std::move(sockets));
}

std::unique_ptr<ServiceManager> NewServiceManager() {
  if (sd_notify(0, "STATUS=starting") <= 0) {
    return std::make_unique<NoManager>();
  }
  uint64_t timeout_us = 0;
  const bool watches = sd_watchdog_enabled(1, &timeout_us) > 0;
  const absl::Duration interval =
      watches ? absl::Microseconds(static_cast<int64_t>(timeout_us)) /
                    kSignsPerTimeout
              : kReportIntervalMax;
  return std::make_unique<NotifiedManager>(
      std::min(interval, kReportIntervalMax), watches);
}

}  // namespace quern
