// Tests of AdminService through gRPC.
#include "server/rpc/admin_service_rpc.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proto/wire/kernel_key.h"
#include "tests/server/app/daemon_fixture.h"

namespace quern {
namespace {

class AdminServiceRpcTest : public DaemonTest {};

TEST_F(AdminServiceRpcTest, TheSourceOfACrashIsShownByTheKeyThatItsErrorNames) {
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

TEST_F(AdminServiceRpcTest, KernelsAreListedShownAndEvicted) {
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

TEST_F(AdminServiceRpcTest, AWatcherSeesWhatHappensAndTheEnd) {
  Start();
  grpc::ClientContext context;
  const auto reader = admin_->WatchEvents(&context, {});
  reader->WaitForInitialMetadata();  // Now it watches.
  ASSERT_TRUE(Compile("ok a").ok());
  v1::WatchEventsResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.kind(), v1::EVENT_KIND_KERNEL_COMPILED);
  EXPECT_EQ(event.key().size(), 32u);
  EXPECT_EQ(event.lost(), 0u);
  daemon_->Drain(absl::Seconds(10));
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AdminServiceRpcTest, AsManyWatchAsMayUntilOneOfThemCancels) {
  config_.watchers_max = 1;
  Start();
  auto first = std::make_unique<grpc::ClientContext>();
  const auto watching = admin_->WatchEvents(first.get(), {});
  watching->WaitForInitialMetadata();
  v1::WatchEventsResponse event;
  {
    grpc::ClientContext context;
    const auto refused = admin_->WatchEvents(&context, {});
    EXPECT_FALSE(refused->Read(&event));
    EXPECT_EQ(refused->Finish().error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  first->TryCancel();
  EXPECT_TRUE(Eventually([this] {
    grpc::ClientContext context;
    const auto reader = admin_->WatchEvents(&context, {});
    reader->WaitForInitialMetadata();
    context.TryCancel();
    return reader->Finish().error_code() == grpc::StatusCode::CANCELLED;
  }));
}

}  // namespace
}  // namespace quern
