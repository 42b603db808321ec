// Tests of the messages of LaunchService.
#include "server/rpc/launch_conversions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "proto/wire/image_format.h"

namespace quern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

KernelInfo Info() {
  KernelInfo info;
  info.place = {.slab = 1, .page = 2};
  info.argument_kinds = {QUERN_ARGUMENT_POINTER, QUERN_ARGUMENT_I8,
                         QUERN_ARGUMENT_F32};
  return info;
}

v1::LaunchRequest Request() {
  v1::LaunchRequest request;
  request.mutable_grid()->set_y(3);
  v1::Tensor& tensor = *request.add_arguments()->mutable_tensor();
  tensor.set_data("abc");
  tensor.set_returned(true);
  request.add_arguments()->set_integer(-1);
  request.add_arguments()->set_real(1.0);
  return request;
}

TEST(LaunchConversionsTest, ALaunchIsTakenOver) {
  const InlineLaunch launch = *FromProto(Request(), Info(), 3);
  EXPECT_THAT(launch.grid, ElementsAre(1, 3, 1));
  ASSERT_EQ(launch.arguments.size(), 3u);
  EXPECT_TRUE(launch.arguments[0].is_tensor);
  EXPECT_EQ(launch.arguments[0].tensor.data, "abc");
  EXPECT_EQ(launch.arguments[0].tensor.size_bytes, 3u);
  EXPECT_TRUE(launch.arguments[0].tensor.returned);
  EXPECT_EQ(launch.arguments[1].slot, 0xffu);
  EXPECT_EQ(launch.arguments[2].slot, 0x3f800000u);
}

TEST(LaunchConversionsTest, AnIntegerServesForAFloat) {
  v1::LaunchRequest request = Request();
  request.mutable_arguments(2)->set_integer(1);
  EXPECT_EQ(FromProto(request, Info(), 3)->arguments[2].slot, 0x3f800000u);
}

TEST(LaunchConversionsTest, TensorsMayTakeSoManyBytesTogetherAndNoMore) {
  KernelInfo info = Info();
  info.argument_kinds[1] = QUERN_ARGUMENT_POINTER;
  v1::LaunchRequest request = Request();
  request.mutable_arguments(1)->mutable_tensor()->set_size_bytes(5);
  EXPECT_TRUE(FromProto(request, info, 8).ok());
  EXPECT_TRUE(
      absl::IsResourceExhausted(FromProto(request, info, 7).status()));
  request.mutable_arguments(1)->mutable_tensor()->set_size_bytes(~uint64_t{0});
  EXPECT_TRUE(
      absl::IsResourceExhausted(FromProto(request, info, 8).status()));
}

TEST(LaunchConversionsTest, AWrongArgumentIsNamed) {
  v1::LaunchRequest request = Request();
  request.mutable_arguments(1)->set_real(1);
  const absl::Status status = FromProto(request, Info(), 3).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("argument 1"));
}

TEST(LaunchConversionsTest, MissingArgumentsAndValuesAreRefused) {
  v1::LaunchRequest request = Request();
  request.mutable_arguments(0)->clear_value();
  EXPECT_TRUE(
      absl::IsInvalidArgument(FromProto(request, Info(), 3).status()));
  request.mutable_arguments()->RemoveLast();
  EXPECT_TRUE(
      absl::IsInvalidArgument(FromProto(request, Info(), 3).status()));
}

TEST(LaunchConversionsTest, AKernelForAnotherMachineIsNotLaunched) {
  KernelInfo info = Info();
  info.place = {};
  EXPECT_TRUE(
      absl::IsFailedPrecondition(FromProto(Request(), info, 3).status()));
}

TEST(LaunchConversionsTest, AResultIsTakenOver) {
  const v1::LaunchResponse response = ToProto(
      {.tensors = {"a", "b"}, .run_duration = absl::Microseconds(5)});
  EXPECT_THAT(response.tensors(), ElementsAre("a", "b"));
  EXPECT_EQ(response.run_duration().nanos(), 5000);
}

}  // namespace
}  // namespace quern
