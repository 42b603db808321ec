// Look-ups through the directory.
#include "client/runtime/kernel_table.h"

#include <cstring>

#include "gtest/gtest.h"
#include "tests/client/fakes/fake_daemon.h"

namespace quern {
namespace {

const KernelKey kKey{Sha256("kernel")};

class KernelTableTest : public testing::Test {
 protected:
  KernelTableTest()
      : attach_(
            *AttachClient::Connect(daemon_.attach_path(), absl::Seconds(5))),
        table_(*attach_) {}

  quern_directory_header& header() {
    return *reinterpret_cast<quern_directory_header*>(
        daemon_.directory().data());
  }

  FakeDaemon daemon_;
  std::unique_ptr<AttachClient> attach_;
  KernelTable table_;
};

TEST_F(KernelTableTest, APublishedKernelIsLoadedOnce) {
  daemon_.AddImage(kKey, 0, TestImage(kKey, CodeReturningEnd(), 0));
  EXPECT_EQ(table_.Find(kKey), nullptr);
  const auto first = table_.Load(kKey);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->entry(nullptr, 0, 3, nullptr), 3);
  EXPECT_EQ(*table_.Load(kKey), *first);
  EXPECT_EQ(table_.Find(kKey), *first);
  EXPECT_EQ(daemon_.requests(QUERN_ATTACH_GET_SLAB), 1);
}

TEST_F(KernelTableTest, AnUnknownKeyIsNotFoundWithoutARequest) {
  EXPECT_EQ(table_.Load(kKey).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(daemon_.requests(QUERN_ATTACH_GET_SLAB), 0);
}

TEST_F(KernelTableTest, AnotherKernelWithTheSameTagIsPassedOver) {
  KernelKey twin = kKey;
  twin.bytes[31] ^= 1;  // Same bucket, same tag.
  daemon_.AddImage(twin, 0, TestImage(twin, CodeReturningZero(), 0));
  EXPECT_EQ(table_.Load(kKey).status().code(), absl::StatusCode::kNotFound);
  daemon_.AddImage(kKey, 1, TestImage(kKey, CodeReturningEnd(), 0));
  const auto kernel = table_.Load(kKey);
  ASSERT_TRUE(kernel.ok());
  EXPECT_EQ((*kernel)->entry(nullptr, 0, 3, nullptr), 3);
}

TEST_F(KernelTableTest, AKernelThatIsHeldOutlivesItsSlabsRetirement) {
  daemon_.AddImage(kKey, 0, TestImage(kKey, CodeReturningEnd(), 0));
  const KernelRef kernel = *table_.Load(kKey);
  daemon_.SetAnswer([this](const auto& request) {
    std::vector<FakeDaemon::Reply> replies = {
        MakeReply(QUERN_ATTACH_RETIRED, FakeDaemon::kSlab)};
    for (auto& reply : daemon_.GoodAnswer(request)) replies.push_back(reply);
    return replies;
  });
  EXPECT_FALSE(attach_->GetSlab(99).ok());  // Brings the event.
  table_.DropRetired();
  EXPECT_EQ(table_.Find(kKey), nullptr);
  EXPECT_EQ(kernel->entry(nullptr, 0, 3, nullptr), 3);
}

TEST_F(KernelTableTest, KernelsOfAnEarlierDaemonCanBeTakenOver) {
  daemon_.AddImage(kKey, 0, TestImage(kKey, CodeReturningEnd(), 0));
  const KernelRef kernel = *table_.Load(kKey);
  KernelTable next(*attach_);
  next.Adopt(table_);
  EXPECT_EQ(next.Find(kKey), kernel);
}

TEST_F(KernelTableTest, TheCompilerIsUnknownUntilTheDirectorySaysReady) {
  EXPECT_EQ(table_.Compiler(), nullptr);
  const TargetSpec target = {.triple = "x", .cpu = "y"};
  const std::string bytes = CanonicalBytes(target);
  std::memcpy(header().target, bytes.data(), bytes.size());
  header().target_size_bytes = static_cast<uint32_t>(bytes.size());
  header().build_id[0] = 9;
  __atomic_store_n(&header().ready, 1, __ATOMIC_RELEASE);
  ASSERT_NE(table_.Compiler(), nullptr);
  EXPECT_EQ(table_.Compiler()->target, target);
  EXPECT_EQ(table_.Compiler()->build_id[0], 9);
}

TEST_F(KernelTableTest, ATargetLongerThanItsFieldIsNoTarget) {
  header().target_size_bytes = QUERN_DIRECTORY_TARGET_SIZE_MAX + 1;
  __atomic_store_n(&header().ready, 1, __ATOMIC_RELEASE);
  EXPECT_EQ(table_.Compiler(), nullptr);
}

TEST_F(KernelTableTest, ADirectoryOfAnotherShapeIsAFailedPrecondition) {
  header().bucket_count = 1 << 20;  // More than it has bytes for.
  EXPECT_EQ(table_.Load(kKey).status().code(),
            absl::StatusCode::kFailedPrecondition);
  header().bucket_count = 12;  // No power of two.
  EXPECT_EQ(table_.Load(kKey).status().code(),
            absl::StatusCode::kFailedPrecondition);
  header().bucket_count = FakeDaemon::kBuckets;
  header().version = 2;
  EXPECT_EQ(table_.Load(kKey).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace quern
