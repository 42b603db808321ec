// Tests of AdminService through gRPC.
#include "server/rpc/admin_service_rpc.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace quern
