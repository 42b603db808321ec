// Compiling, finding and launching; reconnecting when the daemon was replaced.
#include "client/library/client.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "client/library/daemon_program.h"
#include "client/rpc/compile_messages.h"
#include "client/rpc/pause.h"
#include "client/runtime/cpu_count.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr absl::Duration kFirstBackOff = absl::Milliseconds(5);
constexpr absl::Duration kLongestBackOff = absl::Milliseconds(500);

// Whether the daemon, and not the request, is why a call failed. This client
// cancels no call: a daemon that ends does.
bool DaemonIsGone(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status);
}

// Runs `call` until it does not find the daemon gone, or `timeout` is over.
template <typename Call>
auto Retrying(bool fail_fast, absl::Duration timeout, Call call) {
  const Stopwatch waited;
  absl::Duration wait = kFirstBackOff;
  while (true) {
    auto result = call();
    const absl::Status status = [&result]() -> absl::Status {
      if constexpr (std::is_same_v<decltype(result), absl::Status>) {
        return result;
      } else {
        return result.status();
      }
    }();
    if (!DaemonIsGone(status) || fail_fast ||
        waited.elapsed() + wait >= timeout) {
      return result;
    }
    Pause(wait);
    wait = std::min(2 * wait, kLongestBackOff);
  }
}

// The key of `spec` for the daemon's own machine. Empty if it is for another
// one, or before the daemon knows its compiler.
std::optional<KernelKey> HostKey(const CompileSpec& spec,
                                 Connection* connection) {
  if (connection == nullptr || !spec.target.IsHost()) return std::nullopt;
  const std::shared_ptr<const HostCompiler> host =
      connection->kernels.Compiler();
  if (host == nullptr) return std::nullopt;
  CompileSpec resolved = spec;
  resolved.target = host->target;
  return KeyOf(resolved, host->build_id);
}

// Loads a kernel that the daemon says it has placed in its code memory.
absl::StatusOr<KernelRef> LoadPlaced(KernelTable& kernels, const KernelKey& key,
                                     const v1::Kernel& placed) {
  const ImagePlace place = {.slab = placed.slab(),
                            .page = static_cast<uint32_t>(
                                placed.offset_bytes() / QUERN_IMAGE_ALIGNMENT)};
  absl::StatusOr<KernelRef> kernel = kernels.LoadAt(key, place);
  // Its slab may have been retired between the answer and here.
  if (absl::IsNotFound(kernel.status())) {
    return absl::UnavailableError("the kernel was evicted at once; try again");
  }
  return kernel;
}

// Has the daemon find a kernel, also on its disk, and place it.
absl::StatusOr<v1::Kernel> LookUp(Connection& connection, const KernelKey& key,
                                  absl::Duration timeout) {
  v1::LookupRequest request;
  request.set_key(key.bytes.data(), key.bytes.size());
  v1::LookupResponse response;
  QUERN_RETURN_IF_ERROR(connection.rpc.Call("quern.v1.KernelService/Lookup",
                                            connection.attach->session(),
                                            request, timeout, response));
  if (response.kernel().slab() == 0) {
    return absl::NotFoundError("the kernel is for another machine");
  }
  return response.kernel();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  std::string private_folder;
  if (options.sockets.rpc_path.empty()) {
    options.sockets = SocketsIn(kServiceFolder);
    if (!UsableService(options.sockets).ok()) {
      QUERN_ASSIGN_OR_RETURN(private_folder, PrivateFolder());
      options.sockets = SocketsIn(private_folder);
      if (options.start_private_daemon && options.daemon_program.empty()) {
        QUERN_ASSIGN_OR_RETURN(options.daemon_program, FindDaemonProgram());
      }
    }
  }
  if (options.thread_count == 0) options.thread_count = UsableCpuCount();
  std::unique_ptr<Client> client(
      new Client(std::move(options), std::move(private_folder)));
  QUERN_ASSIGN_OR_RETURN(std::unique_ptr<State> state, client->NewState());
  client->state_.store(state.release(), std::memory_order_release);
  QUERN_RETURN_IF_ERROR(client->Connected().status());
  return client;
}

Client::~Client() {
  State* state = state_.load(std::memory_order_acquire);
  // The parent's threads and locks are not this process's to take down.
  if (state != nullptr && !state->fork_guard->Forked()) delete state;
}

absl::StatusOr<std::unique_ptr<Client::State>> Client::NewState() const {
  QUERN_ASSIGN_OR_RETURN(std::unique_ptr<ForkGuard> guard, ForkGuard::Create());
  return std::make_unique<State>(std::move(guard), options_.thread_count);
}

Client::State& Client::state() {
  State* state = state_.load(std::memory_order_acquire);
  if (!state->fork_guard->Forked()) return *state;
  // The state of the parent is left alone: its locks may be held by threads
  // that are not here.
  absl::StatusOr<std::unique_ptr<State>> fresh = NewState();
  if (!fresh.ok()) return *state;
  if (state_.compare_exchange_strong(state, fresh->get(),
                                     std::memory_order_acq_rel)) {
    return *fresh->release();
  }
  return *state;  // Another thread was first.
}

absl::StatusOr<std::shared_ptr<Connection>> Client::Connected() {
  State& mine = state();
  std::shared_ptr<Connection> connection = mine.connection.Get();
  if (connection != nullptr && !connection->attach->Closed()) {
    return connection;
  }
  QUERN_ASSIGN_OR_RETURN(std::shared_ptr<Connection> fresh, Connect());
  // What is mapped stays of use: an image does not change with the daemon.
  if (connection != nullptr) fresh->kernels.Adopt(connection->kernels);
  mine.connection.Set(fresh);
  return fresh;
}

absl::StatusOr<std::shared_ptr<Connection>> Client::Connect() {
  if (private_folder_.empty() || !options_.start_private_daemon) {
    return Attach();
  }
  // The daemon that is found may be about to end; the next one is ours.
  const Stopwatch waited;
  return Retrying(
      /*fail_fast=*/false, options_.connect_timeout,
      [&]() -> absl::StatusOr<std::shared_ptr<Connection>> {
        QUERN_RETURN_IF_ERROR(EnsureDaemon(
            private_folder_,
            {.program = options_.daemon_program, .cache_folder = {}},
            options_.connect_timeout - waited.elapsed()));
        return Attach();
      });
}

absl::StatusOr<std::shared_ptr<Connection>> Client::Attach() {
  QUERN_ASSIGN_OR_RETURN(std::unique_ptr<AttachClient> attach,
                         AttachClient::Connect(options_.sockets.attach_path,
                                               options_.connect_timeout));
  return std::make_shared<Connection>(std::move(attach),
                                      options_.sockets.rpc_path);
}

absl::StatusOr<Compiled> Client::Compile(const CompileSpec& spec,
                                         absl::Duration timeout) {
  const std::shared_ptr<Connection> connection = state().connection.Get();
  const std::optional<KernelKey> key = HostKey(spec, connection.get());
  if (key.has_value()) {
    if (KernelRef kernel = connection->kernels.Find(*key)) {
      return Compiled{.kernel = std::move(kernel), .key = *key, .cached = true};
    }
  }
  const Stopwatch waited;
  return Retrying(options_.fail_fast, timeout, [&] {
    return CompileOnce(spec, timeout - waited.elapsed());
  });
}

absl::StatusOr<Compiled> Client::CompileOnce(const CompileSpec& spec,
                                             absl::Duration timeout) {
  const Stopwatch waited;
  QUERN_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                         Connected());
  KernelTable& kernels = connection->kernels;
  kernels.DropRetired();
  const std::optional<KernelKey> key = HostKey(spec, connection.get());
  if (key.has_value()) {
    absl::StatusOr<KernelRef> kernel = kernels.Load(*key);
    if (kernel.ok()) {
      return Compiled{
          .kernel = *std::move(kernel), .key = *key, .cached = true};
    }
  }
  Compiled compiled;
  QUERN_RETURN_IF_ERROR(connection->rpc.Call(
      "quern.v1.KernelService/Compile", connection->attach->session(),
      ToProto(spec), timeout - waited.elapsed(), compiled.response));
  const v1::Kernel& found = compiled.response.kernel();
  compiled.cached = compiled.response.cached();
  QUERN_ASSIGN_OR_RETURN(compiled.key, KernelKey::FromBytes(found.key()));
  if (found.slab() == 0) return compiled;  // For another machine.
  QUERN_ASSIGN_OR_RETURN(compiled.kernel,
                         LoadPlaced(kernels, compiled.key, found));
  return compiled;
}

absl::StatusOr<KernelRef> Client::Lookup(const KernelKey& key) {
  if (KernelRef kernel = state().connection.Find(key)) return kernel;
  QUERN_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                         Connected());
  connection->kernels.DropRetired();
  absl::StatusOr<KernelRef> kernel = connection->kernels.Load(key);
  if (!absl::IsNotFound(kernel.status())) return kernel;
  // Not in the directory; the daemon may have it on its disk.
  return Retrying(options_.fail_fast, options_.connect_timeout,
                  [&] { return LookUpOnce(key); });
}

absl::StatusOr<KernelRef> Client::LookUpOnce(const KernelKey& key) {
  QUERN_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                         Connected());
  QUERN_ASSIGN_OR_RETURN(const v1::Kernel placed,
                         LookUp(*connection, key, options_.connect_timeout));
  return LoadPlaced(connection->kernels, key, placed);
}

absl::Status Client::Launch(const LoadedKernel& kernel, const Grid& grid,
                            absl::Span<const uint64_t> args, uint32_t threads) {
  return state().launcher.Launch(kernel, grid, args, threads);
}

absl::StatusOr<std::unique_ptr<ServedClient>> Client::NewServedClient() {
  QUERN_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                         Connected());
  return ServedClient::Create(
      std::shared_ptr<AttachClient>(connection, connection->attach.get()),
      [connection, timeout = options_.connect_timeout](const KernelKey& key) {
        return LookUp(*connection, key, timeout).status();
      });
}

absl::Status Client::Call(const std::string& method,
                          const google::protobuf::MessageLite& request,
                          absl::Duration timeout,
                          google::protobuf::MessageLite& response) {
  const Stopwatch waited;
  return Retrying(options_.fail_fast, timeout, [&]() -> absl::Status {
    QUERN_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                           Connected());
    return connection->rpc.Call(method, connection->attach->session(), request,
                                timeout - waited.elapsed(), response);
  });
}

}  // namespace quern
