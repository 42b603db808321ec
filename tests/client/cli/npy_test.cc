// .npy files.
#include "client/cli/npy.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace quern {
namespace {

class NpyTest : public testing::Test {
 protected:
  NpyTest() {
    char name[] = "/tmp/quern-npy-test-XXXXXX";
    const int fd = ::mkstemp(name);
    ::close(fd);
    path_ = name;
  }
  ~NpyTest() override { ::unlink(path_.c_str()); }

  void Write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  std::string Contents() {
    std::ostringstream contents;
    contents << std::ifstream(path_, std::ios::binary).rdbuf();
    return contents.str();
  }
  absl::StatusCode ReadCode() { return NpyArray::Read(path_).status().code(); }

  std::string path_;
};

// A file of version 1.0 with a header of `size` bytes.
std::string Version1(const std::string& header, const std::string& data) {
  std::string bytes("\x93NUMPY\x01\0", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

const std::string kHeader =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }        \n";

std::string Header(const std::string& type, const std::string& shape) {
  return "{'descr': " + type + ", 'fortran_order': True, 'shape': " + shape +
         ", }\n";
}

TEST_F(NpyTest, TheDataIsReadAlignedAndWrittenBack) {
  Write(Version1(kHeader, "12345678"));
  const absl::StatusOr<NpyArray> array = NpyArray::Read(path_);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->size_bytes(), 8u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array->data()) % 64, 0u);
  EXPECT_EQ(std::memcmp(array->data(), "12345678", 8), 0);
  std::memcpy(array->data(), "abcdefgh", 8);
  ASSERT_TRUE(array->WriteBack().ok());
  EXPECT_EQ(Contents(), Version1(kHeader, "abcdefgh"));
}

TEST_F(NpyTest, Version2HasAFourByteLength) {
  std::string bytes("\x93NUMPY\x02\0", 8);
  bytes += static_cast<char>(kHeader.size());
  bytes += std::string(3, '\0');
  Write(bytes + kHeader + "12345678");
  const absl::StatusOr<NpyArray> array = NpyArray::Read(path_);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->size_bytes(), 8u);
}

TEST_F(NpyTest, AnEmptyArrayIsRead) {
  Write(Version1(Header("'<f4'", "(3, 0)"), ""));
  const absl::StatusOr<NpyArray> array = NpyArray::Read(path_);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->size_bytes(), 0u);
}

TEST_F(NpyTest, TheShapeSaysHowLargeTheArrayIs) {
  const struct {
    const char* type;
    const char* shape;
    uint64_t size_bytes;
  } cases[] = {{"'<f4'", "()", 4},      {"'|b1'", "(5,)", 5},
               {"'<V2'", "(2, 3)", 12}, {"'<c16'", "(1, 1, 2)", 32},
               {"'>i1'", "(3,)", 3},    {"'=f8'", "(2,)", 16}};
  for (const auto& each : cases) {
    // Other arrays may follow in one file.
    Write(Version1(Header(each.type, each.shape), std::string(100, 'x')));
    const absl::StatusOr<NpyArray> array = NpyArray::Read(path_);
    ASSERT_TRUE(array.ok()) << each.type << array.status();
    EXPECT_EQ(array->size_bytes(), each.size_bytes) << each.type;
  }
}

TEST_F(NpyTest, WhatDoesNotDescribeNumbersIsInvalid) {
  const struct {
    const char* type;
    const char* shape;
  } cases[] = {{"'>f4'", "(1,)"},
               {"[('a', '<f4')]", "(1,)"},
               {"'<U1'", "(1,)"},
               {"'<M8[ns]'", "(1,)"},
               {"''", "(1,)"},
               {"'<f'", "(1,)"},
               {"'<f4", "(1,)"},
               {"'<f4'", "(1"},
               {"'<f4'", "(-1,)"},
               {"'<f4'", "(a,)"},
               {"'<f4'", "3"},
               {"", ""},
               {"'<f4'", "(4294967296, 4294967296)"},
               {"'<f8'", "(2305843009213693952,)"}};
  for (const auto& each : cases) {
    Write(Version1(Header(each.type, each.shape), std::string(100, 'x')));
    EXPECT_EQ(ReadCode(), absl::StatusCode::kInvalidArgument)
        << each.type << each.shape;
  }
  Write(Version1("{}\n", "data"));
  EXPECT_EQ(ReadCode(), absl::StatusCode::kInvalidArgument);
}

TEST_F(NpyTest, EveryCutIsNoticed) {
  const std::string whole = Version1(kHeader, "12345678");
  for (size_t size = 0; size < whole.size(); ++size) {
    Write(whole.substr(0, size));
    EXPECT_EQ(ReadCode(), absl::StatusCode::kInvalidArgument) << size;
  }
}

TEST_F(NpyTest, ForeignFilesAreInvalid) {
  Write("PK\x03\x04 a zip file, say");
  EXPECT_EQ(ReadCode(), absl::StatusCode::kInvalidArgument);
  Write(std::string("\x93NUMPY\x09\0\0\0", 10));
  EXPECT_EQ(ReadCode(), absl::StatusCode::kInvalidArgument);
}

TEST_F(NpyTest, ArraysOfObjectsAreInvalid) {
  Write(Version1("{'descr': '|O', 'shape': (1,)}\n", "pickled"));
  EXPECT_EQ(ReadCode(), absl::StatusCode::kInvalidArgument);
}

TEST_F(NpyTest, AMissingFileIsNotFound) {
  EXPECT_EQ(NpyArray::Read("/tmp/no/such/file.npy").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace quern
