// Accepting connections and handing them to gRPC.
#include "server/rpc/rpc_server.h"

#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_posix.h>
#include <grpcpp/support/server_interceptor.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "grpc/health/v1/health.pb.h"
#include "proto/wire/status.h"
#include "server/core/loop_pulse.h"

namespace quern {
namespace {

// The library's own services hold a thread for each open stream, and grpcurl
// keeps one of reflection open while it calls. Ours need none of their own.
constexpr int kThreadsMax = 256;

// Calls of one connection at a time. Limits and fairness between sessions are
// the core's; this bounds what a connection can make gRPC hold.
constexpr int kStreamsPerConnectionMax = 128;

// How many of the largest messages gRPC may hold at a time, about.
constexpr size_t kMessagesHeldMax = 16;

// How long accepting rests when descriptors have run out.
constexpr int kAcceptPauseMilliseconds = 100;

// A connection on which no call runs may stay open so long after the last call;
// a client that is idle does not hear that it shall close it.
constexpr absl::Duration kFarewell = absl::Milliseconds(100);
constexpr absl::Duration kLookAgain = absl::Milliseconds(2);

// May outlive the server.
struct Calls {
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> ended{0};
};

// gRPC makes one with each call, and destroys it when the call has ended.
class CountingInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit CountingInterceptor(std::shared_ptr<Calls> calls)
      : calls_(std::move(calls)) {
    ++calls_->begun;
  }
  ~CountingInterceptor() override { ++calls_->ended; }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    methods->Proceed();
  }

 private:
  const std::shared_ptr<Calls> calls_;
};

class CountingInterceptorFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CountingInterceptorFactory(std::shared_ptr<Calls> calls)
      : calls_(std::move(calls)) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo*) override {
    return new CountingInterceptor(calls_);  // gRPC owns it.
  }

 private:
  const std::shared_ptr<Calls> calls_;
};

std::unique_ptr<grpc::Server> BuildServer(
    const RpcServerOptions& options,
    const std::vector<grpc::Service*>& services, std::shared_ptr<Calls> calls) {
  // They register themselves with the library; repeating it does no harm.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::channelz::experimental::InitChannelzService();
  // The library serves health without a descriptor, which reflection needs.
  grpc::health::v1::HealthCheckRequest::descriptor();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(options.message_size_bytes_max));
  builder.SetMaxSendMessageSize(
      static_cast<int>(options.message_size_bytes_max));
  grpc::ResourceQuota quota("quernd");
  quota.SetMaxThreads(kThreadsMax);
  quota.Resize(kMessagesHeldMax * options.message_size_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             kStreamsPerConnectionMax);
  builder.SetResourceQuota(quota);
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(
      std::make_unique<CountingInterceptorFactory>(std::move(calls)));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  for (grpc::Service* service : services) builder.RegisterService(service);
  return builder.BuildAndStart();
}

class AcceptingRpcServer final : public RpcServer {
 public:
  AcceptingRpcServer(const RpcServerOptions& options,
                     std::shared_ptr<Calls> calls,
                     std::unique_ptr<grpc::Server> server,
                     const RpcServerParts& parts, UniqueFd listener,
                     UniqueFd wake)
      : options_(options),
        calls_(std::move(calls)),
        server_(std::move(server)),
        parts_(parts),
        listener_(std::move(listener)),
        wake_(std::move(wake)),
        thread_([this] { Run(); }) {
    parts_.health.Connect(server_->GetHealthCheckService());
  }

  ~AcceptingRpcServer() override { Drain(absl::ZeroDuration()); }

  void Drain(absl::Duration timeout) override {
    std::call_once(drained_, [this, timeout] {
      stop_ = true;
      Wake();
      thread_.join();
      parts_.health.Connect(nullptr);
      const auto begin = std::chrono::steady_clock::now();
      const auto left = [&] {
        return timeout -
               absl::FromChrono(std::chrono::steady_clock::now() - begin);
      };
      while (calls_->begun != calls_->ended && left() > absl::ZeroDuration()) {
        absl::SleepFor(kLookAgain);
      }
      // This alone would wait for clients that have connections and no calls.
      server_->Shutdown(
          absl::ToChronoTime(absl::Now() + std::min(left(), kFarewell)));
      server_->Wait();
    });
  }

  uint64_t call_count() override { return calls_->begun; }

  bool Responds() override {
    const bool turned = pulse_.Turned();
    Wake();
    return turned;
  }

 private:
  void Wake() {
    // A full counter is a wake-up that is still to come.
    if (::eventfd_write(wake_.get(), 1) != 0) return;
  }

  void Run() {
    pollfd waits[] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                      {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
    while (!stop_) {
      pulse_.Turn();
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
      eventfd_t count;
      if (waits[0].revents != 0 && ::eventfd_read(wake_.get(), &count) == 0 &&
          stop_) {
        return;
      }
      if (waits[1].revents == 0 || Accept()) continue;
      parts_.logger.Log(LogLevel::kWarning,
                        "out of descriptors; no new connections for a moment");
      ::poll(waits, 1, kAcceptPauseMilliseconds);
    }
  }

  // Takes one connection. False: descriptors have run out.
  bool Accept() {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) return errno != EMFILE && errno != ENFILE;
    const absl::StatusOr<Peer> peer = PeerOf(socket.get());
    if (!peer.ok() || !MayConnect(options_.access, *peer)) {
      parts_.logger.Log(LogLevel::kWarning,
                        "refused a connection: not allowed");
      return true;
    }
    if (!parts_.peers.Add(socket.get(), peer->user_id)) {
      parts_.logger.Log(LogLevel::kWarning, "refused a connection: too many");
      return true;
    }
    grpc::AddInsecureChannelFromFd(server_.get(), socket.release());
    return true;
  }

  const RpcServerOptions options_;
  const std::shared_ptr<Calls> calls_;
  const std::unique_ptr<grpc::Server> server_;
  const RpcServerParts parts_;
  const UniqueFd listener_;
  const UniqueFd wake_;
  LoopPulse pulse_;
  std::atomic<bool> stop_{false};
  std::once_flag drained_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> StartRpcServer(
    const RpcServerOptions& options, const RpcServerParts& parts,
    UniqueFd listener) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoStatus(errno, "eventfd");
  auto calls = std::make_shared<Calls>(0);
  std::unique_ptr<grpc::Server> server =
      BuildServer(options, parts.services, calls);
  if (server == nullptr) return absl::InternalError("gRPC does not start");
  return std::make_unique<AcceptingRpcServer>(
      options, std::move(calls), std::move(server), parts, std::move(listener),
      std::move(wake));
}

}  // namespace quern
