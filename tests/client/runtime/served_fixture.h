// A daemon's attach server with executors that are threads, and kernels that
// it has: all of a served launch but the process and its confinement.
#ifndef QUERN_TESTS_CLIENT_RUNTIME_SERVED_FIXTURE_H_
#define QUERN_TESTS_CLIENT_RUNTIME_SERVED_FIXTURE_H_

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/runtime/served_client.h"
#include "gtest/gtest.h"
#include "server/attach/attach_server.h"
#include "tests/fakes/thread_executor.h"
#include "tests/server/executor/executor_fixture.h"

namespace quern {

inline constexpr absl::Duration kLong = absl::Seconds(60);

class QuietLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view) override {}
};

class ServedClientTest : public testing::Test {
 protected:
  ServedClientTest() {
    AddKernel(1, CodeReturningPointee(), 1, 1);
    AddKernel(2, CodeReturningEnd(), 1, 0);
    setup_.rings_max = limits_.rings_max;
    server_ = *StartAttachServer(
        options_,
        {.directory = *directory_,
         .clock = *clock_,
         .logger = logger_,
         .make_token = [] { return SessionToken{1}; },
         .served = {.slabs = *slabs_,
                    .find_kernel =
                        [this](const KernelKey& key) {
                          const auto found = kernels_.find(key);
                          return found == kernels_.end()
                                     ? std::nullopt
                                     : std::optional(found->second);
                        },
                    .starter = *starter_,
                    .setup = setup_,
                    .clock = *clock_,
                    .limits = limits_,
                    .counters = counters_}},
        UniqueFd());
  }

  void AddKernel(uint8_t number, const std::string& code, uint32_t arguments,
                 uint32_t pointers) {
    const KernelKey key = TestKey(number);
    const std::string image =
        TestImage(key, code, arguments, [&](quern_image_header& header) {
          std::memset(header.argument_kinds, QUERN_ARGUMENT_POINTER, pointers);
        });
    KernelInfo info;
    info.key = key;
    info.place = *slabs_->Append(image);
    kernels_[key] = info;
  }

  std::unique_ptr<ServedClient> NewClient(
      ServedClient::BringBack bring_back = nullptr) {
    return *ServedClient::Create(
        *AttachClient::FromSocket(*server_->Connect(), kLong),
        std::move(bring_back));
  }

  // One launch, and its completion.
  static quern_ring_completion Launch(ServedRing& ring,
                                      const RingLaunch& launch) {
    EXPECT_EQ(*ring.Submit({&launch, 1}), 1u);
    quern_ring_completion done{};
    EXPECT_EQ(*ring.Wait({&done, 1}, kLong), 1u);
    EXPECT_EQ(done.tag, launch.tag);
    return done;
  }

  AttachServerOptions options_;
  ExecutorSetup setup_;
  ServedLimits limits_;
  ServedCounters counters_;
  QuietLogger logger_;
  const std::unique_ptr<Clock> clock_ = NewSystemClock();
  std::unique_ptr<CodeSlabs> slabs_ = NewCodeSlabs({});
  std::unique_ptr<KernelDirectory> directory_ = *CreateKernelDirectory(64, 7);
  std::map<KernelKey, KernelInfo> kernels_;
  const std::unique_ptr<ExecutorStarter> starter_ = NewThreadExecutorStarter();
  std::unique_ptr<AttachServer> server_;
};

}  // namespace quern

#endif  // QUERN_TESTS_CLIENT_RUNTIME_SERVED_FIXTURE_H_
