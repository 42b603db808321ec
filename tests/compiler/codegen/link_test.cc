// Tests of linking: what may be in an image, and that it lies anywhere.
#include "compiler/codegen/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/compiler/codegen/ir_image.h"

namespace quern {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kBase = uint64_t{1} << 32;

// Constants, a jump table and a local call.
constexpr char kBusy[] = R"(
  @table = private unnamed_addr constant [4 x float]
      [float 1.0, float 2.5, float 4.0, float 8.0]
  define internal i32 @helper(i32 %x) noinline {
    %r = mul i32 %x, 3
    ret i32 %r
  }
  define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
    %i = and i64 %b, 3
    %p = getelementptr float, ptr @table, i64 %i
    %f = load float, ptr %p
    %v = load <8 x float>, ptr %s
    %w = fadd <8 x float> %v, <float 1.0, float 2.0, float 3.0, float 4.0,
                               float 5.0, float 6.0, float 7.0, float 9.0>
    store <8 x float> %w, ptr %s
    store float %f, ptr %s
    %t = trunc i64 %e to i32
    switch i32 %t, label %d [ i32 0, label %c0  i32 1, label %c1
        i32 2, label %c2  i32 3, label %c3  i32 4, label %c4 ]
  c0: %r0 = call i32 @helper(i32 7)
      ret i32 %r0
  c1: store i32 17, ptr %s
      ret i32 1
  c2: store i32 3, ptr %s
      ret i32 11
  c3: store i64 5, ptr %s
      ret i32 5
  c4: store i8 5, ptr %s
      ret i32 4
  d:  ret i32 9
  })";

class LinkTest : public ::testing::TestWithParam<TargetSpec> {
 protected:
  static std::string Refusal(const std::string& ir) {
    auto object = ObjectOfIr(ir, GetParam());
    EXPECT_TRUE(object.ok()) << object.status();
    if (!object.ok()) return "";
    auto linked = LinkObject(*object, kBase);
    EXPECT_EQ(linked.status().code(), absl::StatusCode::kInternal);
    return std::string(linked.status().message());
  }
};

INSTANTIATE_TEST_SUITE_P(Targets, LinkTest,
                         ::testing::Values(X86Spec(), Arm64Spec()),
                         [](const auto& info) {
                           return info.param.triple.substr(0, 3);
                         });

TEST_P(LinkTest, TheBytesAreTheSameAtEveryBase) {
  auto object = ObjectOfIr(kBusy, GetParam());
  ASSERT_TRUE(object.ok()) << object.status();
  auto one = LinkObject(*object, kBase);
  ASSERT_TRUE(one.ok()) << one.status();
  for (uint64_t base : {kBase + 4096, uint64_t{0x7ffff7a3d000}, uint64_t{0}}) {
    auto other = LinkObject(*object, base);
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ(one->layout.bytes, other->layout.bytes);
    EXPECT_EQ(one->entry_offset, other->entry_offset);
  }
  EXPECT_GT(one->layout.constants.size_bytes, 0u);
  EXPECT_GE(one->entry_offset, QUERN_IMAGE_HEADER_SIZE);
}

TEST_P(LinkTest, AnImportIsRefusedByName) {
  EXPECT_THAT(Refusal(R"(
      declare i32 @printf(ptr)
      define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
        %r = call i32 @printf(ptr %s)
        ret i32 %r
      })"),
              HasSubstr("'printf'"));
}

TEST_P(LinkTest, ACallOfTheCompilersLibraryIsRefusedByName) {
  EXPECT_THAT(Refusal(R"(
      define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
        %x = load double, ptr %s
        %y = load double, ptr %l
        %r = frem double %x, %y
        store double %r, ptr %s
        ret i32 0
      })"),
              HasSubstr("'fmod'"));
}

TEST_P(LinkTest, WritableDataIsRefused) {
  EXPECT_THAT(Refusal(R"(
      @counter = internal global i32 7
      define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
        %x = atomicrmw add ptr @counter, i32 1 monotonic
        ret i32 %x
      })"),
              HasSubstr("writable data"));
}

TEST_P(LinkTest, AnAbsoluteAddressIsRefused) {
  EXPECT_THAT(Refusal(R"(
      @value = internal constant i32 7
      @table = internal constant [2 x ptr] [ptr @value, ptr @table]
      define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
        %p = getelementptr ptr, ptr @table, i64 %b
        %x = load volatile ptr, ptr %p
        %y = load i32, ptr %x
        ret i32 %y
      })"),
              ::testing::AnyOf(HasSubstr("reference of kind"),
                               HasSubstr("writable data")));
}

TEST_P(LinkTest, ThreadLocalDataIsRefused) {
  auto object = ObjectOfIr(R"(
      @slot = thread_local global i32 0
      define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
        %p = call ptr @llvm.threadlocal.address.p0(ptr @slot)
        %x = load i32, ptr %p
        ret i32 %x
      }
      declare ptr @llvm.threadlocal.address.p0(ptr))",
                           GetParam());
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_FALSE(LinkObject(*object, kBase).ok());
}

TEST_P(LinkTest, AnObjectWithoutAnEntryIsRefused) {
  EXPECT_THAT(Refusal("define i32 @other() { ret i32 0 }"),
              HasSubstr("quern_entry"));
}

TEST_P(LinkTest, BytesThatAreNoObjectAreRefused) {
  EXPECT_FALSE(LinkObject("not an object", kBase).ok());
  EXPECT_FALSE(LinkObject("", kBase).ok());
}

TEST_P(LinkTest, CodeOverTheLimitOfAnImageIsRefused) {
  std::string ir = R"(
      @table = internal constant [5242880 x i8] c")";
  for (int i = 0; i < 5242880; ++i) ir += 'x';
  ir += R"("
      define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {
        %p = getelementptr i8, ptr @table, i64 %b
        %x = load i8, ptr %p
        %y = zext i8 %x to i32
        ret i32 %y
      })";
  auto object = ObjectOfIr(ir, GetParam());
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(LinkObject(*object, kBase).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_P(LinkTest, AFrameOverTheLimitIsRefusedAtGeneration) {
  auto ir = [](int bytes) {
    return "define i32 @quern_entry(ptr %l, i64 %b, i64 %e, ptr %s) {"
           "  %a = alloca [" +
           std::to_string(bytes) +
           " x i8]"
           "  %p = getelementptr i8, ptr %a, i64 %b"
           "  store volatile i8 1, ptr %p"
           "  %x = load volatile i8, ptr %p"
           "  ret i32 0 }";
  };
  EXPECT_EQ(ObjectOfIr(ir(66000), GetParam()).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ObjectOfIr(ir(65000), GetParam()).ok());
}

}  // namespace
}  // namespace quern
