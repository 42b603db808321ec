// A whole daemon in this process, with the fake compiler's worker, called as
// its clients call it.
#ifndef QUERN_TESTS_SERVER_APP_DAEMON_FIXTURE_H_
#define QUERN_TESTS_SERVER_APP_DAEMON_FIXTURE_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "quern/v1/admin_service.grpc.pb.h"
#include "quern/v1/kernel_service.grpc.pb.h"
#include "server/app/config.h"
#include "server/app/daemon.h"
#include "server/app/listener.h"

namespace quern {

class QuietLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view) override {}
};

class DaemonTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "daemon_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const std::string worker = std::filesystem::read_symlink("/proc/self/exe")
                                   .parent_path()
                                   .parent_path() /
                               "bin/quern-fake-worker";
    config_ = *ParseConfig("sockets { rpc_path: \"" + folder_ +
                               "/rpc\" attach_path: \"" + folder_ +
                               "/attach\" } compiler { worker_path: \"" +
                               worker + "\" }",
                           {.program_folder = "/", .user_id = ::geteuid()});
    config_.compile_memory_bytes_max = 64 << 20;
  }

  void TearDown() override {
    daemon_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    Listener rpc = *Listener::Open(config_.rpc_path, SOCK_STREAM, 0600);
    Listener attach =
        *Listener::Open(config_.attach_path, SOCK_SEQPACKET, 0600);
    auto channel_path = folder_ + "/client";
    // The paths go with the listeners, so the client gets one of its own.
    std::filesystem::create_hard_link(config_.rpc_path, channel_path);
    std::filesystem::create_hard_link(config_.attach_path,
                                      folder_ + "/attach_client");
    daemon_ = *StartDaemon(config_, rpc.TakeSocket(), attach.TakeSocket(),
                           *clock_, logger_);
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(
        "unix:" + channel_path, grpc::InsecureChannelCredentials(), arguments);
    kernels_ = v1::KernelService::NewStub(channel_);
    admin_ = v1::AdminService::NewStub(channel_);
  }

  static v1::CompileRequest Request(const std::string& source) {
    v1::CompileRequest request;
    request.set_format(v1::SOURCE_FORMAT_TRITON_IR);
    request.set_source(source);
    return request;
  }

  grpc::Status Compile(
      const std::string& source, v1::CompileResponse* response = nullptr,
      std::chrono::milliseconds deadline = std::chrono::milliseconds(60000)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    v1::CompileResponse unused;
    return kernels_->Compile(&context, Request(source),
                             response == nullptr ? &unused : response);
  }

  v1::GetStatsResponse Stats() {
    grpc::ClientContext context;
    v1::GetStatsResponse response;
    EXPECT_TRUE(admin_->GetStats(&context, {}, &response).ok());
    return response;
  }

  // What the health service says of KernelService. Its messages are those of
  // the library, whose classes have no public header: one string, one enum.
  bool IsHealthy() {
    grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(
        channel_);
    const std::string name = "quern.v1.KernelService";
    const grpc::Slice slice("\x0a" + std::string(1, char(name.size())) + name);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    std::promise<grpc::Status> ended;
    stub.UnaryCall(
        &context, "/grpc.health.v1.Health/Check", {}, &request, &response,
        [&ended](grpc::Status status) { ended.set_value(std::move(status)); });
    grpc::Slice answer;
    if (!ended.get_future().get().ok() ||
        !response.DumpToSingleSlice(&answer).ok()) {
      return false;
    }
    return std::string(answer.begin(), answer.end()) == "\x08\x01";
  }

  // Waits, at most a minute, until `condition` holds.
  template <typename Condition>
  bool Eventually(Condition condition) {
    for (int i = 0; i < 6000; ++i) {
      if (condition()) return true;
      std::this_thread::yield();
      ::usleep(10000);
    }
    return false;
  }

  std::string folder_;
  Config config_;
  QuietLogger logger_;
  std::unique_ptr<Clock> clock_ = NewSystemClock();
  std::unique_ptr<Daemon> daemon_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::KernelService::Stub> kernels_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

}  // namespace quern

#endif  // QUERN_TESTS_SERVER_APP_DAEMON_FIXTURE_H_
