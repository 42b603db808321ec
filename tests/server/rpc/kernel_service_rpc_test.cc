// Tests of KernelService through gRPC.
#include "server/rpc/kernel_service_rpc.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "proto/wire/attach_protocol.h"
#include "tests/server/app/daemon_fixture.h"

namespace quern {
namespace {

class KernelServiceRpcTest : public DaemonTest {};

TEST_F(KernelServiceRpcTest, AKernelIsCompiledOnceAndThenFound) {
  Start();
  v1::CompileResponse first;
  const grpc::Status status = Compile("ok one", &first);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_FALSE(first.cached());
  EXPECT_EQ(first.kernel().name(), "one");
  v1::CompileResponse second;
  ASSERT_TRUE(Compile("ok one", &second).ok());
  EXPECT_TRUE(second.cached());
  EXPECT_EQ(second.kernel().key(), first.kernel().key());

  grpc::ClientContext context;
  v1::LookupRequest lookup;
  lookup.set_key(first.kernel().key());
  v1::LookupResponse found;
  ASSERT_TRUE(kernels_->Lookup(&context, lookup, &found).ok());
  EXPECT_EQ(found.kernel().slab(), first.kernel().slab());
}

TEST_F(KernelServiceRpcTest, EveryErrorHasItsCode) {
  Start();
  struct Case {
    const char* source;
    grpc::StatusCode code;
  };
  for (const Case& each :
       {Case{"invalid", grpc::StatusCode::INVALID_ARGUMENT},
        Case{"unimplemented", grpc::StatusCode::UNIMPLEMENTED},
        Case{"crash", grpc::StatusCode::INTERNAL},
        Case{"recurse", grpc::StatusCode::INTERNAL},
        Case{"syscall", grpc::StatusCode::INTERNAL},
        Case{"garbage", grpc::StatusCode::INTERNAL},
        Case{"wrong_key", grpc::StatusCode::INTERNAL},
        Case{"allocate", grpc::StatusCode::RESOURCE_EXHAUSTED},
        Case{"size 4194305", grpc::StatusCode::RESOURCE_EXHAUSTED}}) {
    EXPECT_EQ(Compile(each.source).error_code(), each.code) << each.source;
  }
  EXPECT_TRUE(Compile("size 4194304").ok());
  EXPECT_EQ(Stats().failures(), 9u);
}

TEST_F(KernelServiceRpcTest, AnAttachedClientHasASessionOfItsOwn) {
  config_.compile_children_max = 1;
  config_.queued_compiles_per_session_max = 1;
  Start();
  // Over the hard link, as the RPC channel.
  const UniqueFd attached(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder_ + "/attach_client";
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(
      ::connect(attached.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)),
      0);
  quern_attach_request hello{};
  hello.magic = QUERN_ATTACH_MAGIC;
  hello.version = QUERN_ATTACH_VERSION;
  hello.type = QUERN_ATTACH_HELLO;
  quern_attach_reply reply;
  ASSERT_EQ(::send(attached.get(), &hello, sizeof(hello), 0),
            static_cast<ssize_t>(sizeof(hello)));
  ASSERT_EQ(::recv(attached.get(), &reply, sizeof(reply), 0),
            static_cast<ssize_t>(sizeof(reply)));

  grpc::ClientContext contexts[2];
  std::vector<std::future<grpc::Status>> calls;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(std::async(std::launch::async, [this, &contexts, i] {
      v1::CompileResponse unused;
      return kernels_->Compile(&contexts[i],
                               Request("spin " + std::to_string(i)), &unused);
    }));
    ASSERT_TRUE(Eventually([this, i] {
      return Stats().compiles_running() + Stats().compiles_queued() ==
             static_cast<uint64_t>(i + 1);
    }));
  }
  EXPECT_EQ(Compile("ok unattached").error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  std::string token;
  for (const uint8_t byte : reply.session_token) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  grpc::ClientContext context;
  context.AddMetadata("quern-session", token);
  v1::CompileResponse response;
  EXPECT_TRUE(
      kernels_->Compile(&context, Request("ok attached"), &response).ok());
  for (auto& call : calls) {
    EXPECT_EQ(call.get().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_F(KernelServiceRpcTest, AClientThatGivesUpEndsItsCompile) {
  Start();
  EXPECT_EQ(
      Compile("spin", nullptr, std::chrono::milliseconds(300)).error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([this] { return Stats().compiles_running() == 0; }));
}

TEST_F(KernelServiceRpcTest, AMessageOverTheLimitIsRefused) {
  config_.message_size_bytes_max = 1 << 20;
  Start();
  EXPECT_TRUE(Compile("ok small").ok());
  EXPECT_EQ(Compile("ok " + std::string(1 << 20, 'x')).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(KernelServiceRpcTest, AForeignTargetGetsItsImage) {
  Start();
  v1::CompileRequest request = Request("ok foreign");
  request.mutable_target()->set_triple("aarch64-unknown-linux-gnu");
  request.mutable_target()->set_cpu("neoverse-n1");
  for (const bool cached : {false, true}) {
    grpc::ClientContext context;
    v1::CompileResponse response;
    ASSERT_TRUE(kernels_->Compile(&context, request, &response).ok());
    EXPECT_EQ(response.cached(), cached);
    EXPECT_EQ(response.kernel().slab(), 0u);
    EXPECT_FALSE(response.image().empty());
  }
  EXPECT_EQ(Stats().slabs(), 0u);
}

}  // namespace
}  // namespace quern
