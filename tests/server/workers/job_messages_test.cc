// Tests of jobs and results as bytes.
#include "server/workers/job_messages.h"

#include <gtest/gtest.h>

#include "quern/worker/v1/worker.pb.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

CompileJob Job() {
  CompileSpec spec;
  spec.format = SourceFormat::kMlir;
  spec.source = std::string("a\0b", 3);
  spec.entry = "kernel";
  spec.signature = {{.type = "*fp32", .divisibility = 16, .constant = {}},
                    {.type = "i32", .divisibility = 1, .constant = 0}};
  spec.target.triple = "aarch64-unknown-linux-gnu";
  spec.target.features = {"+dotprod"};
  spec.options.fp_contract = false;
  return {.spec = std::make_shared<const CompileSpec>(spec),
          .key = FakeKey(3),
          .output = CompileOutput::kAssembly};
}

worker::v1::Result Success() {
  worker::v1::Result result;
  result.set_image("image");
  return result;
}

TEST(JobMessagesTest, AJobComesOutAsItWentIn) {
  const ReceivedJob job = *DecodeJob(EncodeJob(Job()));
  EXPECT_EQ(job.spec, *Job().spec);
  EXPECT_EQ(job.key, FakeKey(3));
  EXPECT_EQ(job.output, CompileOutput::kAssembly);
}

TEST(JobMessagesTest, AResultComesOutAsItWentIn) {
  CompileResult result;
  result.bytes = "image";
  result.steps.parse = absl::Milliseconds(1500);
  result.steps.ir_instructions = 9;
  const CompileOutcome outcome = *DecodeResult(
      EncodeResult(result, CompileOutput::kImage, absl::Seconds(2)),
      CompileOutput::kImage);
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.bytes, "image");
  EXPECT_EQ(outcome.timings.parse, absl::Milliseconds(1500));
  EXPECT_EQ(outcome.timings.child_cpu, absl::Seconds(2));
  EXPECT_EQ(outcome.timings.ir_instructions, 9u);
}

TEST(JobMessagesTest, AnErrorComesOutAsItWentIn) {
  const absl::Status error = absl::UnimplementedError("3:4: 'tt.op'");
  EXPECT_EQ(DecodeResult(EncodeResult(error, CompileOutput::kImage, {}),
                         CompileOutput::kImage)
                ->status,
            error);
}

TEST(JobMessagesTest, WhatNoChildMaySayIsRefused) {
  const auto refused = [](const worker::v1::Result& result) {
    return absl::IsInvalidArgument(
        DecodeResult(result.SerializeAsString(), CompileOutput::kImage)
            .status());
  };
  EXPECT_FALSE(refused(Success()));
  worker::v1::Result result = Success();
  result.clear_image();
  EXPECT_TRUE(refused(result)) << "no bytes";
  result.set_text("text");
  EXPECT_TRUE(refused(result)) << "bytes of another output";
  for (const int code : {-1, 1, 4, 16, 17, 1 << 30}) {
    result = Success();
    result.set_code(code);
    EXPECT_TRUE(refused(result)) << code;
  }
  result = Success();
  result.mutable_timings()->mutable_emit()->set_seconds(-1);
  EXPECT_TRUE(refused(result)) << "a negative time";
  result.mutable_timings()->mutable_emit()->set_seconds(86401);
  EXPECT_TRUE(refused(result)) << "more than a day";
  result.mutable_timings()->mutable_emit()->set_seconds(86400);
  EXPECT_FALSE(refused(result));
}

TEST(JobMessagesTest, GarbageIsRefused) {
  EXPECT_FALSE(DecodeJob("\xff garbage").ok());
  EXPECT_FALSE(DecodeJob("").ok());
  EXPECT_FALSE(DecodeResult("\xff garbage", CompileOutput::kImage).ok());
}

TEST(JobMessagesTest, AnEndlessMessageIsCut) {
  const std::string bytes =
      EncodeResult(absl::InvalidArgumentError(std::string(100000, 'x')),
                   CompileOutput::kImage, {});
  EXPECT_EQ(DecodeResult(bytes, CompileOutput::kImage)->status.message().size(),
            4096u);
}

}  // namespace
}  // namespace quern
