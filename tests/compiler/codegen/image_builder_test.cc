// Tests of the image as a whole: it verifies, and it runs.
#include "compiler/codegen/image_builder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "compiler/codegen/host.h"
#include "proto/wire/image.h"
#include "proto/wire/kernel_abi.h"
#include "tests/compiler/codegen/ir_image.h"
#include "tests/execution/loaded_image.h"

namespace quern {
namespace {

constexpr char kSum[] = R"(
  @weights = private constant [2 x i64] [i64 10, i64 100]
  define i32 @quern_entry(ptr %launch, i64 %begin, i64 %end, ptr %scratch) {
    %args = load ptr, ptr %launch
    %out = load ptr, ptr %args
    %p = getelementptr i64, ptr @weights, i64 1
    %w = load volatile i64, ptr %p
    %n = sub i64 %end, %begin
    %r = mul i64 %n, %w
    store i64 %r, ptr %out
    ret i32 0
  })";

LinkedCode Linked() {
  auto object = ObjectOfIr(kSum, DetectHost());
  EXPECT_TRUE(object.ok()) << object.status();
  auto code = LinkObject(*object, uint64_t{1} << 32);
  EXPECT_TRUE(code.ok()) << code.status();
  return *std::move(code);
}

ImageDescription Described() {
  ImageDescription description;
  description.key.bytes.fill(7);
  description.name = "sum";
  description.features = "avx2";
  description.machine = QUERN_MACHINE_X86_64;
  description.scratch_size_bytes = 128;
  description.argument_kinds = {QUERN_ARGUMENT_POINTER};
  description.asserts = {"first", "second"};
  return description;
}

TEST(ImageBuilderTest, TheImageVerifiesAndHoldsItsDescription) {
  auto image = BuildImage(Linked(), Described());
  ASSERT_TRUE(image.ok()) << image.status();
  auto header = VerifyImage(*image);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(RangeOf(*image, header->name), "sum");
  EXPECT_EQ(RangeOf(*image, header->features), "avx2");
  EXPECT_EQ(RangeOf(*image, header->asserts),
            std::string_view("first\0second\0", 13));
  EXPECT_EQ(header->argument_count, 1u);
  EXPECT_EQ(header->scratch_size_bytes, 128u);
  EXPECT_EQ(KeyOfImage(*header), Described().key);
}

TEST(ImageBuilderTest, TheImageRunsWhereItIsCopiedTo) {
  auto image = BuildImage(Linked(), Described());
  ASSERT_TRUE(image.ok()) << image.status();
  const LoadedImage loaded(*image);
  int64_t out = 0;
  EXPECT_EQ(loaded.Launch({reinterpret_cast<uint64_t>(&out)}, 3, 4), 0);
  EXPECT_EQ(out, 1200);
}

TEST(ImageBuilderTest, LimitsAreKept) {
  ImageDescription description = Described();
  description.argument_kinds.assign(QUERN_ARGUMENTS_MAX,
                                    QUERN_ARGUMENT_POINTER);
  EXPECT_TRUE(BuildImage(Linked(), description).ok());
  description.argument_kinds.push_back(QUERN_ARGUMENT_I32);
  EXPECT_EQ(BuildImage(Linked(), description).status().code(),
            absl::StatusCode::kInvalidArgument);

  description = Described();
  description.scratch_size_bytes = QUERN_SCRATCH_SIZE_MAX;
  EXPECT_TRUE(BuildImage(Linked(), description).ok());
  ++description.scratch_size_bytes;
  EXPECT_EQ(BuildImage(Linked(), description).status().code(),
            absl::StatusCode::kResourceExhausted);

  description = Described();
  description.name.assign(QUERN_IMAGE_SIZE_MAX, 'n');
  EXPECT_EQ(BuildImage(Linked(), description).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace quern
