// Tests of the stream of events, with a reader that lags behind.
#include "server/rpc/watch_reactor.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "quern/v1/admin_service.grpc.pb.h"
#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

// At a time: one that has gone counts until its end has been noticed.
constexpr int kReaders = 50;

class WatchService final : public v1::AdminService::CallbackService {
 public:
  explicit WatchService(EventFeed& events) : events_(events) {}

  grpc::ServerWriteReactor<v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext*, const v1::WatchEventsRequest*) override {
    return NewWatchReactor(events_);
  }

 private:
  EventFeed& events_;
};

class WatchReactorTest : public testing::Test {
 protected:
  WatchReactorTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::AdminService::NewStub(server_->InProcessChannel({}));
  }

  FakeClock clock_;
  std::unique_ptr<EventFeed> events_ = NewEventFeed(kReaders, clock_);
  WatchService service_{*events_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::AdminService::Stub> stub_;
};

TEST_F(WatchReactorTest, ASlowReaderLosesEventsAndIsToldHowMany) {
  grpc::ClientContext context;
  const auto reader = stub_->WatchEvents(&context, {});
  reader->WaitForInitialMetadata();
  constexpr uint32_t kEvents = 100000;
  for (uint32_t i = 1; i <= kEvents; ++i) {
    events_->Publish({.kind = EventKind::kSlabRetired,
                      .cause = std::string(500, 'x'),
                      .slab = i});
  }
  // Slabs are numbered without a gap: what is missing was lost.
  uint32_t last = 0;
  v1::WatchEventsResponse event;
  while (last < kEvents && reader->Read(&event)) {
    EXPECT_EQ(event.slab(), last + event.lost() + 1);
    last = event.slab();
    if (event.lost() > 0) break;
    // A loss is told with the next event that is not lost.
    if (last == kWaitingEventsMax) {
      events_->Publish({.kind = EventKind::kSlabRetired, .slab = kEvents + 1});
    }
  }
  EXPECT_GT(event.lost(), 0u);
  EXPECT_EQ(last, kEvents + 1);
  context.TryCancel();
  reader->Finish();
}

TEST_F(WatchReactorTest, ManyReadersComeAndGoWhileEventsFlow) {
  for (int i = 0; i < kReaders; ++i) {
    grpc::ClientContext context;
    const auto reader = stub_->WatchEvents(&context, {});
    reader->WaitForInitialMetadata();
    for (int j = 0; j < 10; ++j) {
      events_->Publish({.kind = EventKind::kZygoteRestarted});
    }
    v1::WatchEventsResponse event;
    ASSERT_TRUE(reader->Read(&event)) << reader->Finish().error_message();
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

}  // namespace
}  // namespace quern
