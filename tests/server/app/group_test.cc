// Tests of looking a group up.
#include "server/app/group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quern {
namespace {

TEST(GroupTest, AGroupIsFoundByItsName) {
  const absl::StatusOr<uint32_t> root = FindGroup("root");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(*root, 0u);
}

TEST(GroupTest, AGroupThatIsNotThereIsNotFound) {
  for (const std::string name : {"no such group", ""}) {
    const absl::Status status = FindGroup(name).status();
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                testing::HasSubstr("`" + name + "`"));
  }
}

}  // namespace
}  // namespace quern
