// A client of one daemon: compiles, finds and launches kernels.
//
// Thread-safe. It reconnects by itself when the daemon was restarted; kernels
// that are mapped go on running meanwhile. In a forked child it connects anew
// with the first call.
#ifndef QUERN_CLIENT_LIBRARY_CLIENT_H_
#define QUERN_CLIENT_LIBRARY_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/library/connection.h"
#include "client/rpc/private_daemon.h"
#include "client/runtime/fork_guard.h"
#include "client/runtime/kernel_table.h"
#include "client/runtime/launcher.h"
#include "client/runtime/served_client.h"
#include "proto/wire/compile_spec.h"
#include "quern/v1/kernel_service.pb.h"

namespace quern {

struct ClientOptions {
  // Where the daemon listens. Empty: the service's sockets in /run/quern if
  // this user may use them, else a private daemon.
  DaemonSockets sockets;
  // Starts a private daemon where one is to be used and none runs.
  bool start_private_daemon = true;
  // The program for that. Empty: quernd beside this program or library.
  std::string daemon_program;
  // Threads of a launch, the caller's included. 0: as many as the affinity
  // mask and the control group grant.
  uint32_t thread_count = 0;
  // How long connecting may take, and each answer on the attach socket.
  absl::Duration connect_timeout = absl::Seconds(10);
  // Answer Unavailable at once when the daemon is gone, instead of trying
  // again until the deadline of the call.
  bool fail_fast = false;
};

struct Compiled {
  // Null if the target is not this machine's; then `response.image` is set.
  KernelRef kernel;
  KernelKey key;
  // Whether a cache held it. If this process's own look-up found it, the
  // response is empty.
  bool cached = false;
  v1::CompileResponse response;
};

class Client final {
 public:
  // Connects.
  //
  // NotFound: no daemon runs and none may be started, or its program is
  //   missing.
  // PermissionDenied, Unavailable, FailedPrecondition, DeadlineExceeded: as
  //   for AttachClient::Connect and EnsureDaemon.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Returns the kernel of `spec`, compiled if no cache holds it.
  //
  // Errors are those of KernelService.Compile, and of reaching the daemon.
  absl::StatusOr<Compiled> Compile(const CompileSpec& spec,
                                   absl::Duration timeout);

  // Returns a kernel that this process, or the daemon, holds under `key`, in
  // memory or on disk.
  //
  // NotFound: neither does, or it is for another machine.
  absl::StatusOr<KernelRef> Lookup(const KernelKey& key);

  // As Launcher::Launch.
  absl::Status Launch(const LoadedKernel& kernel, const Grid& grid,
                      absl::Span<const uint64_t> args, uint32_t threads);

  // Begins served launches over the connection of now: buffers, kernels and
  // rings that end with that daemon. Errors are those of reaching it.
  absl::StatusOr<std::unique_ptr<ServedClient>> NewServedClient();

  // Calls any method of the daemon's, for example
  // "quern.v1.AdminService/GetStats". Errors are that method's.
  absl::Status Call(const std::string& method,
                    const google::protobuf::MessageLite& request,
                    absl::Duration timeout,
                    google::protobuf::MessageLite& response);

  const DaemonSockets& sockets() const { return options_.sockets; }
  // The user's folder, if the daemon is a private one; else empty.
  const std::string& private_folder() const { return private_folder_; }
  uint32_t thread_count() { return state().launcher.thread_count(); }

 private:
  // All that belongs to one process. A forked child gets one of its own.
  struct State {
    State(std::unique_ptr<ForkGuard> guard, uint32_t thread_count)
        : fork_guard(std::move(guard)), launcher(thread_count) {}

    const std::unique_ptr<ForkGuard> fork_guard;
    ConnectionSlot connection;
    Launcher launcher;
  };

  Client(ClientOptions options, std::string private_folder)
      : options_(std::move(options)),
        private_folder_(std::move(private_folder)) {}

  State& state();
  absl::StatusOr<std::unique_ptr<State>> NewState() const;
  absl::StatusOr<std::shared_ptr<Connection>> Connected();
  absl::StatusOr<std::shared_ptr<Connection>> Connect();
  absl::StatusOr<std::shared_ptr<Connection>> Attach();
  absl::StatusOr<KernelRef> LookUpOnce(const KernelKey& key);
  absl::StatusOr<Compiled> CompileOnce(const CompileSpec& spec,
                                       absl::Duration timeout);

  const ClientOptions options_;
  const std::string private_folder_;
  std::atomic<State*> state_{nullptr};
};

}  // namespace quern

#endif  // QUERN_CLIENT_LIBRARY_CLIENT_H_
