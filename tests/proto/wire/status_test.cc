// Errors from errno and their annotations.
#include "proto/wire/status.h"

#include <cerrno>

#include "gtest/gtest.h"

namespace quern {
namespace {

TEST(StatusTest, ErrnoMapsToTheDocumentedCode) {
  EXPECT_EQ(ErrnoStatus(ENOENT, "open").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus(EPERM, "mmap").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus(EMFILE, "open").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EPIPE, "send").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrnoStatus(EIO, "read").code(), absl::StatusCode::kInternal);
}

TEST(StatusTest, AnnotationKeepsCodeAndPayload) {
  absl::Status status = absl::NotFoundError("no such kernel");
  status.SetPayload("quern/line", absl::Cord("12"));
  const absl::Status annotated = Annotate(status, "lookup");
  EXPECT_EQ(annotated.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(annotated.message(), "lookup: no such kernel");
  EXPECT_EQ(annotated.GetPayload("quern/line"), absl::Cord("12"));
}

TEST(StatusTest, AnnotatingSuccessIsSuccess) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), "lookup").ok());
}

}  // namespace
}  // namespace quern
