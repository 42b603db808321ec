// Our gRPC client against a server of the gRPC library.
#include "client/rpc/rpc_client.h"

#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "quern/v1/kernel_service.grpc.pb.h"

namespace quern {
namespace {

// Answers by what the request's source says.
class EchoService final : public v1::KernelService::Service {
 public:
  grpc::Status Compile(grpc::ServerContext* context,
                       const v1::CompileRequest* request,
                       v1::CompileResponse* response) override {
    const std::string& source = request->source();
    if (source == "fail") {
      return {grpc::StatusCode::INVALID_ARGUMENT, "3:7: 100% wrong\n\xc3\xa4"};
    }
    if (source == "wait") {
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    const auto session = context->client_metadata().find("quern-session");
    if (session != context->client_metadata().end()) {
      response->mutable_kernel()->set_name(
          std::string(session->second.data(), session->second.size()));
    }
    response->set_image(source);
    if (source == "large") response->set_image(std::string(20 << 20, 'x'));
    if (source == "huge") response->set_image(std::string(33 << 20, 'x'));
    return grpc::Status::OK;
  }
};

class RpcClientTest : public testing::Test {
 protected:
  RpcClientTest() {
    char name[] = "/tmp/quern-rpc-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/rpc.sock";
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + path_,
                             grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(64 << 20);
    builder.SetMaxSendMessageSize(64 << 20);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~RpcClientTest() override {
    server_->Shutdown(std::chrono::system_clock::now());
    std::filesystem::remove_all(folder_);
  }

  absl::Status Compile(RpcClient& client, const std::string& source,
                       v1::CompileResponse& response,
                       absl::Duration timeout = absl::Seconds(20)) {
    v1::CompileRequest request;
    request.set_source(source);
    return client.Call("quern.v1.KernelService/Compile", "session", request,
                       timeout, response);
  }

  EchoService service_;
  std::string folder_;
  std::string path_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(RpcClientTest, ACallBringsItsAnswerAndItsSession) {
  RpcClient client(path_);
  v1::CompileResponse response;
  ASSERT_TRUE(Compile(client, "hello", response).ok());
  EXPECT_EQ(response.image(), "hello");
  EXPECT_EQ(response.kernel().name(), "session");
}

TEST_F(RpcClientTest, AConnectionIsUsedForManyCalls) {
  RpcClient client(path_);
  for (int i = 0; i < 200; ++i) {
    v1::CompileResponse response;
    ASSERT_TRUE(Compile(client, std::to_string(i), response).ok()) << i;
    EXPECT_EQ(response.image(), std::to_string(i));
  }
}

TEST_F(RpcClientTest, AnErrorKeepsItsCodeAndText) {
  RpcClient client(path_);
  v1::CompileResponse response;
  const absl::Status status = Compile(client, "fail", response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "3:7: 100% wrong\n\xc3\xa4");
  EXPECT_TRUE(Compile(client, "next", response).ok());
}

TEST_F(RpcClientTest, LargeMessagesPassBothWays) {
  RpcClient client(path_);
  v1::CompileResponse response;
  const std::string source(16 << 20, 's');
  ASSERT_TRUE(Compile(client, source, response).ok());
  EXPECT_EQ(response.image(), source);
  ASSERT_TRUE(Compile(client, "large", response).ok());
  EXPECT_EQ(response.image().size(), size_t{20} << 20);
}

TEST_F(RpcClientTest, AnAnswerPastTheLimitIsResourceExhausted) {
  RpcClient client(path_);
  v1::CompileResponse response;
  EXPECT_EQ(Compile(client, "huge", response).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Compile(client, "next", response).ok());
}

TEST_F(RpcClientTest, ACallEndsAtItsDeadline) {
  RpcClient client(path_);
  v1::CompileResponse response;
  EXPECT_EQ(Compile(client, "wait", response, absl::Milliseconds(100)).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Compile(client, "next", response).ok());
}

TEST_F(RpcClientTest, AnUnknownMethodIsUnimplemented) {
  RpcClient client(path_);
  v1::CompileResponse response;
  EXPECT_EQ(client
                .Call("quern.v1.KernelService/Nothing", "",
                      v1::CompileRequest(), absl::Seconds(5), response)
                .code(),
            absl::StatusCode::kUnimplemented);
}

TEST_F(RpcClientTest, NoServerIsNotFoundAndADeadOneUnavailable) {
  RpcClient nobody(folder_ + "/other.sock");
  v1::CompileResponse response;
  EXPECT_EQ(Compile(nobody, "x", response).code(), absl::StatusCode::kNotFound);
}

TEST_F(RpcClientTest, ThreadsCallAtOnce) {
  RpcClient client(path_);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        v1::CompileResponse response;
        const std::string source = std::to_string(t * 1000 + i);
        if (!Compile(client, source, response).ok() ||
            response.image() != source) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
}

}  // namespace
}  // namespace quern
