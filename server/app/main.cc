// quernd: the daemon's program.
#include <google/protobuf/stubs/logging.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "proto/wire/standard_descriptors.h"
#include "proto/wire/status.h"
#include "server/app/config.h"
#include "server/app/daemon.h"
#include "server/app/descriptor_limit.h"
#include "server/app/listener.h"
#include "server/app/main_loop.h"
#include "server/app/service_manager.h"
#include "server/app/version.h"
#include "server/core/clock.h"
#include "server/core/logger.h"

namespace quern {
namespace {

constexpr std::string_view kHelp =
    R"(Usage: quernd CONFIG

Compiles kernels for the processes of this machine, and shares the code
between them. CONFIG is a file in text format with a
quern.config.v1.DaemonConfig. SIGTERM ends the daemon in order. Under a service
manager that speaks systemd's protocol it takes the listening sockets that it
is handed, and reports how it is.

  --help     Show this text.
  --version  Show the version.

Exit status: 0 after an orderly end; 1 on an error; 2 if the command line is
wrong; 3 if another daemon has the sockets.
)";

// Blocks as large as a source go back to the system when they are freed; by
// itself the allocator would come to keep blocks of up to 32 MiB.
constexpr int kKeptBlockBytesMax = 1 << 20;

constexpr int kExitUsage = 2;
constexpr int kExitAlreadyRuns = 3;

// Where nobody reads there is nobody to tell.
void Print(int fd, std::string_view text) {
  if (::write(fd, text.data(), text.size()) < 0) return;
}

std::string ProgramFolder() {
  std::error_code error;
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : program.parent_path().string();
}

// Sockets at paths of this daemon's, and what keeps others from taking them.
struct OwnSockets {
  PathLock rpc_lock;
  PathLock attach_lock;
  Listener attach;
  Listener rpc;
};

absl::StatusOr<OwnSockets> OpenOwn(const Config& config) {
  QUERN_ASSIGN_OR_RETURN(PathLock rpc_lock, PathLock::Take(config.rpc_path));
  QUERN_ASSIGN_OR_RETURN(PathLock attach_lock,
                         PathLock::Take(config.attach_path));
  // In this order: who finds one to call also finds the other to attach to.
  QUERN_ASSIGN_OR_RETURN(
      Listener attach,
      Listener::Open(config.attach_path, SOCK_SEQPACKET, config.socket_mode));
  QUERN_ASSIGN_OR_RETURN(
      Listener rpc,
      Listener::Open(config.rpc_path, SOCK_STREAM, config.socket_mode));
  return OwnSockets{.rpc_lock = std::move(rpc_lock),
                    .attach_lock = std::move(attach_lock),
                    .attach = std::move(attach),
                    .rpc = std::move(rpc)};
}

// The listening sockets: the service manager's, or the daemon's own.
struct Sockets {
  std::optional<OwnSockets> own;
  UniqueFd rpc;
  UniqueFd attach;
};

absl::StatusOr<Sockets> OpenSockets(const Config& config) {
  QUERN_ASSIGN_OR_RETURN(
      std::optional<ActivatedSockets> activated,
      TakeActivatedSockets(config.rpc_path, config.attach_path));
  if (activated.has_value()) {
    return Sockets{.own = std::nullopt,
                   .rpc = std::move(activated->rpc),
                   .attach = std::move(activated->attach)};
  }
  QUERN_ASSIGN_OR_RETURN(OwnSockets own, OpenOwn(config));
  UniqueFd rpc = own.rpc.TakeSocket();
  UniqueFd attach = own.attach.TakeSocket();
  return Sockets{.own = std::move(own),
                 .rpc = std::move(rpc),
                 .attach = std::move(attach)};
}

// Runs the daemon to its end.
absl::Status Run(const Config& config, Logger& logger) {
  QUERN_ASSIGN_OR_RETURN(const UniqueFd signals, WatchSignals());
  const std::unique_ptr<ServiceManager> manager = NewServiceManager();
  QUERN_ASSIGN_OR_RETURN(Sockets sockets, OpenSockets(config));
  const uint64_t wanted =
      DescriptorsFor(config.sessions_max, config.buffers_per_session_max);
  if (const uint64_t granted = RaiseDescriptorLimit(wanted); granted < wanted) {
    logger.Log(LogLevel::kWarning,
               absl::StrCat("the system grants ", granted,
                            " descriptors; limits.sessions_max sessions may "
                            "need ",
                            wanted));
  }
  const std::unique_ptr<Clock> clock = NewSystemClock();
  QUERN_ASSIGN_OR_RETURN(
      const std::unique_ptr<Daemon> daemon,
      StartDaemon(config, std::move(sockets.rpc), std::move(sockets.attach),
                  *clock, logger));
  manager->Ready();
  logger.Log(LogLevel::kInfo,
             absl::StrCat("quernd ", kVersion, " serves ", config.rpc_path));
  const std::string reason = WaitForEnd(
      signals.get(), *daemon, config.idle_timeout,
      [&own = sockets.own] {
        return !own || (own->rpc.InPlace() && own->attach.InPlace());
      },
      *clock, *manager);
  logger.Log(LogLevel::kInfo, absl::StrCat("ending because of ", reason));
  manager->Stopping(config.drain_timeout);
  daemon->Drain(config.drain_timeout);
  return absl::OkStatus();
}

int Main(std::string_view argument) {
  if (argument == "--help") {
    Print(STDOUT_FILENO, kHelp);
    return EXIT_SUCCESS;
  }
  if (argument == "--version") {
    Print(STDOUT_FILENO, absl::StrCat("quernd ", kVersion, "\n"));
    return EXIT_SUCCESS;
  }
  const absl::StatusOr<Config> config =
      LoadConfig(std::string(argument),
                 {.program_folder = ProgramFolder(), .user_id = ::geteuid()});
  if (!config.ok()) {
    Print(STDERR_FILENO,
          absl::StrCat("quernd: ", config.status().message(), "\n"));
    return EXIT_FAILURE;
  }
  // The library would print a line for each malformed request.
  google::protobuf::SetLogHandler(nullptr);
  ::mallopt(M_MMAP_THRESHOLD, kKeptBlockBytesMax);
  const std::unique_ptr<Logger> logger =
      NewFdLogger(STDERR_FILENO, config->log_level);
  const absl::Status status = Run(*config, *logger);
  if (status.ok()) return EXIT_SUCCESS;
  logger->Log(LogLevel::kError, std::string(status.message()));
  return absl::IsAlreadyExists(status) ? kExitAlreadyRuns : EXIT_FAILURE;
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) {
  if (!quern::HoldStandardDescriptors()) return EXIT_FAILURE;
  if (argc != 2) {
    quern::Print(STDERR_FILENO, quern::kHelp);
    return quern::kExitUsage;
  }
  return quern::Main(argv[1]);
}
