// Tests of the whole daemon in this process, with the fake compiler's worker,
// called as its clients call it.
#include "server/app/daemon.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proto/wire/attach_protocol.h"
#include "quern/v1/admin_service.grpc.pb.h"
#include "quern/v1/kernel_service.grpc.pb.h"
#include "server/app/listener.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

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
    const auto channel = grpc::CreateCustomChannel(
        "unix:" + channel_path, grpc::InsecureChannelCredentials(), arguments);
    kernels_ = v1::KernelService::NewStub(channel);
    admin_ = v1::AdminService::NewStub(channel);
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

  // Waits, at most ten seconds, until `condition` holds.
  template <typename Condition>
  bool Eventually(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
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
  std::unique_ptr<v1::KernelService::Stub> kernels_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

TEST_F(DaemonTest, AKernelIsCompiledOnceAndThenFound) {
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

TEST_F(DaemonTest, ManyClientsThatWantTheSameCompileItOnce) {
  Start();
  constexpr int kKernels = 20;
  std::vector<std::thread> clients;
  std::atomic<int> failures{0};
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([this, &failures] {
      for (int i = 0; i < kKernels; ++i) {
        if (!Compile("ok kernel_" + std::to_string(i)).ok()) ++failures;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failures, 0);
  const v1::GetStatsResponse stats = Stats();
  EXPECT_EQ(stats.compiles(), uint64_t{kKernels});
  EXPECT_EQ(stats.hits() + stats.misses(), uint64_t{8 * kKernels});
  EXPECT_EQ(stats.kernels(), uint64_t{kKernels});
}

TEST_F(DaemonTest, EveryErrorHasItsCode) {
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

TEST_F(DaemonTest, ASourceThatKeepsCrashingIsRefusedWithoutAProcess) {
  config_.crashes_max = 2;
  Start();
  Compile("crash");
  Compile("crash");
  const grpc::Status status = Compile("crash");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_NE(status.error_message().find("refused after 2 attempts"),
            std::string::npos)
      << status.error_message();
  EXPECT_EQ(Stats().children_dead().crashed(), 2u);
}

TEST_F(DaemonTest, TheSourceOfACrashIsShownByTheKeyThatItsErrorNames) {
  Start();
  const std::string message = Compile("crash").error_message();
  ASSERT_GT(message.size(), 64u);
  v1::GetKernelRequest get;
  const KernelKey key =
      *KernelKey::FromHex(message.substr(message.size() - 64));
  get.set_key(key.bytes.data(), key.bytes.size());
  get.set_view(v1::KERNEL_VIEW_SOURCE);
  grpc::ClientContext context;
  v1::GetKernelResponse shown;
  ASSERT_TRUE(admin_->GetKernel(&context, get, &shown).ok());
  EXPECT_EQ(shown.text(), "crash");
  EXPECT_FALSE(shown.has_kernel());
}

TEST_F(DaemonTest, AnAttachedClientHasASessionOfItsOwn) {
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

  std::vector<std::future<grpc::Status>> calls;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(std::async(std::launch::async, [this, i] {
      return Compile("sleep_ms 1000 " + std::to_string(i));
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
  grpc::ClientContext context;
  context.AddMetadata("quern-session", token);
  v1::CompileResponse response;
  EXPECT_TRUE(
      kernels_->Compile(&context, Request("ok attached"), &response).ok());
  for (auto& call : calls) EXPECT_TRUE(call.get().ok());
}

TEST_F(DaemonTest, ACompileTimeAtTheLimitEndsIt) {
  config_.compile_timeout = absl::Milliseconds(300);
  Start();
  EXPECT_EQ(Compile("spin").error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(Stats().children_dead().timed_out(), 1u);
  EXPECT_TRUE(Compile("ok after").ok());
}

TEST_F(DaemonTest, AClientThatGivesUpEndsItsCompile) {
  Start();
  EXPECT_EQ(
      Compile("spin", nullptr, std::chrono::milliseconds(300)).error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([this] { return Stats().compiles_running() == 0; }));
}

TEST_F(DaemonTest, TheQueueTakesItsLimitAndNoMore) {
  config_.compile_children_max = 1;
  config_.queued_compiles_max = 4;
  config_.queued_compiles_per_session_max = 3;
  Start();
  std::vector<std::future<grpc::Status>> calls;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::async(std::launch::async, [this, i] {
      return Compile("sleep_ms 1000 " + std::to_string(i));
    }));
  }
  ASSERT_TRUE(Eventually([this] {
    const v1::GetStatsResponse stats = Stats();
    return stats.compiles_running() == 1 && stats.compiles_queued() == 3;
  }));
  const grpc::Status refused = Compile("ok too many");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  for (auto& call : calls) EXPECT_TRUE(call.get().ok());
}

TEST_F(DaemonTest, AMessageOverTheLimitIsRefused) {
  config_.message_size_bytes_max = 1 << 20;
  Start();
  EXPECT_TRUE(Compile("ok small").ok());
  EXPECT_EQ(Compile("ok " + std::string(1 << 20, 'x')).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(DaemonTest, AForeignTargetGetsItsImage) {
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

TEST_F(DaemonTest, KernelsAreListedShownAndEvicted) {
  Start();
  v1::CompileResponse compiled;
  for (const char* source : {"ok a", "ok b", "ok c"}) {
    ASSERT_TRUE(Compile(source, &compiled).ok());
  }
  v1::ListKernelsRequest list;
  list.set_page_size(2);
  v1::ListKernelsResponse page;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(admin_->ListKernels(&context, list, &page).ok());
  }
  EXPECT_EQ(page.kernels_size(), 2);
  list.set_page_token(page.next_page_token());
  v1::ListKernelsResponse last;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(admin_->ListKernels(&context, list, &last).ok());
  }
  EXPECT_EQ(last.kernels_size(), 1);
  EXPECT_TRUE(last.next_page_token().empty());

  v1::GetKernelRequest get;
  get.set_key(compiled.kernel().key());
  v1::GetKernelResponse shown;
  get.set_view(v1::KERNEL_VIEW_SOURCE);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(admin_->GetKernel(&context, get, &shown).ok());
  }
  EXPECT_EQ(shown.text(), "ok c");
  get.set_view(v1::KERNEL_VIEW_ASSEMBLY);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(admin_->GetKernel(&context, get, &shown).ok());
  }
  EXPECT_EQ(shown.text(), "text of c");

  v1::EvictRequest evict;
  evict.set_key(compiled.kernel().key());
  v1::EvictResponse evicted;
  {
    grpc::ClientContext context;
    EXPECT_TRUE(admin_->Evict(&context, evict, &evicted).ok());
  }
  grpc::ClientContext context;
  EXPECT_EQ(admin_->GetKernel(&context, get, &shown).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(DaemonTest, WithoutAWorkerCallsAreUnavailable) {
  config_.worker_path = "/nonexistent";
  Start();
  EXPECT_EQ(Compile("ok one").error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(DaemonTest, DrainLetsRunningCallsEndAndTakesNoMore) {
  Start();
  ASSERT_TRUE(Compile("ok warm").ok());
  std::future<grpc::Status> running = std::async(
      std::launch::async, [this] { return Compile("sleep_ms 500"); });
  ASSERT_TRUE(Eventually([this] { return Stats().compiles_running() == 1; }));
  daemon_->Drain(absl::Seconds(10));
  EXPECT_TRUE(running.get().ok());
  EXPECT_FALSE(
      Compile("ok late", nullptr, std::chrono::milliseconds(200)).ok());
}

TEST_F(DaemonTest, DrainEndsWhatDoesNotEnd) {
  Start();
  ASSERT_TRUE(Compile("ok warm").ok());
  std::future<grpc::Status> running =
      std::async(std::launch::async, [this] { return Compile("spin"); });
  ASSERT_TRUE(Eventually([this] { return Stats().compiles_running() == 1; }));
  daemon_->Drain(absl::Milliseconds(100));
  EXPECT_FALSE(running.get().ok());
}

}  // namespace
}  // namespace quern
