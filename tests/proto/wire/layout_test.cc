// The layouts of the wire contract, offset by offset: other programs were
// compiled against them.
#include <cstddef>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "proto/wire/attach_protocol.h"
#include "proto/wire/directory_layout.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"
#include "proto/wire/ring.h"

namespace quern {
namespace {

static_assert(sizeof(quern_launch) == 32);
static_assert(offsetof(quern_launch, args) == 0);
static_assert(offsetof(quern_launch, grid) == 8);
static_assert(offsetof(quern_launch, flags) == 20);
static_assert(offsetof(quern_launch, services) == 24);

static_assert(sizeof(quern_services) == 32);
static_assert(offsetof(quern_services, size_bytes) == 0);
static_assert(offsetof(quern_services, context) == 8);
static_assert(offsetof(quern_services, parallel_for) == 16);
static_assert(offsetof(quern_services, print) == 24);

static_assert(offsetof(quern_image_header, format_version) == 8);
static_assert(offsetof(quern_image_header, abi_version) == 12);
static_assert(offsetof(quern_image_header, image_size_bytes) == 16);
static_assert(offsetof(quern_image_header, scratch_size_bytes) == 24);
static_assert(offsetof(quern_image_header, machine) == 32);
static_assert(offsetof(quern_image_header, vector_length_bytes) == 36);
static_assert(offsetof(quern_image_header, flags) == 40);
static_assert(offsetof(quern_image_header, argument_count) == 44);
static_assert(offsetof(quern_image_header, entry_offset) == 48);
static_assert(offsetof(quern_image_header, code) == 56);
static_assert(offsetof(quern_image_header, constants) == 64);
static_assert(offsetof(quern_image_header, features) == 72);
static_assert(offsetof(quern_image_header, name) == 80);
static_assert(offsetof(quern_image_header, asserts) == 88);
static_assert(offsetof(quern_image_header, lines) == 96);
static_assert(offsetof(quern_image_header, key) == 104);
static_assert(offsetof(quern_image_header, sha256) == 136);
static_assert(offsetof(quern_image_header, argument_kinds) == 168);
static_assert(offsetof(quern_image_header, reserved) == 296);

static_assert(offsetof(quern_directory_header, version) == 8);
static_assert(offsetof(quern_directory_header, bucket_count) == 12);
static_assert(offsetof(quern_directory_header, incarnation) == 16);
static_assert(offsetof(quern_directory_header, ready) == 24);
static_assert(offsetof(quern_directory_header, target_size_bytes) == 28);
static_assert(offsetof(quern_directory_header, build_id) == 96);
static_assert(offsetof(quern_directory_header, target) == 128);

static_assert(offsetof(quern_attach_request, version) == 4);
static_assert(offsetof(quern_attach_request, type) == 8);
static_assert(offsetof(quern_attach_request, argument) == 16);
static_assert(offsetof(quern_attach_load_request, key) == 32);
static_assert(offsetof(quern_attach_reply, version) == 4);
static_assert(offsetof(quern_attach_reply, type) == 8);
static_assert(offsetof(quern_attach_reply, status) == 12);
static_assert(offsetof(quern_attach_reply, value) == 16);
static_assert(offsetof(quern_attach_reply, size_bytes) == 24);
static_assert(offsetof(quern_attach_reply, session_token) == 32);
static_assert(offsetof(quern_attach_reply, message) == 48);

static_assert(offsetof(quern_ring_header, version) == 8);
static_assert(offsetof(quern_ring_header, slot_count) == 12);
static_assert(offsetof(quern_ring_header, state) == 64);
static_assert(offsetof(quern_ring_header, executor_sleeps) == 128);
static_assert(offsetof(quern_ring_header, client_sleeps) == 192);
static_assert(offsetof(quern_ring_header, progress) == 256);
static_assert(offsetof(quern_ring_submission, sequence) == 0);
static_assert(offsetof(quern_ring_submission, kernel) == 4);
static_assert(offsetof(quern_ring_submission, tag) == 8);
static_assert(offsetof(quern_ring_submission, grid) == 16);
static_assert(offsetof(quern_ring_submission, argument_count) == 28);
static_assert(offsetof(quern_ring_submission, flags) == 30);
static_assert(offsetof(quern_ring_submission, arguments) == 32);
static_assert(offsetof(quern_ring_completion, sequence) == 0);
static_assert(offsetof(quern_ring_completion, status) == 4);
static_assert(offsetof(quern_ring_completion, tag) == 8);
static_assert(offsetof(quern_ring_completion, detail) == 16);
static_assert(offsetof(quern_ring_completion, run_nanoseconds) == 24);

std::string FirstBytes(uint64_t magic) {
  return std::string(reinterpret_cast<const char*>(&magic), sizeof(magic));
}

TEST(LayoutTest, MagicsReadAsTextFromTheFirstByte) {
  EXPECT_EQ(FirstBytes(QUERN_IMAGE_MAGIC), "QUERNIMG");
  EXPECT_EQ(FirstBytes(QUERN_DIRECTORY_MAGIC), "QUERNDIR");
  EXPECT_EQ(FirstBytes(QUERN_RING_MAGIC), "QUERNRNG");
  EXPECT_EQ(FirstBytes(QUERN_ATTACH_MAGIC).substr(0, 4), "QRN1");
}

TEST(LayoutTest, HelloRequestHasItsGoldenBytes) {
  quern_attach_request hello;
  std::memset(&hello, 0, sizeof(hello));
  hello.magic = QUERN_ATTACH_MAGIC;
  hello.version = QUERN_ATTACH_VERSION;
  hello.type = QUERN_ATTACH_HELLO;
  const std::string bytes(reinterpret_cast<const char*>(&hello), sizeof(hello));
  EXPECT_EQ(bytes, std::string("QRN1\x02\0\0\0\x01\0\0\0", 12) +
                       std::string(20, '\0'));
}

TEST(LayoutTest, WelcomeReplyHasItsGoldenBytes) {
  quern_attach_reply welcome;
  std::memset(&welcome, 0, sizeof(welcome));
  welcome.magic = QUERN_ATTACH_MAGIC;
  welcome.version = QUERN_ATTACH_VERSION;
  welcome.type = QUERN_ATTACH_WELCOME;
  welcome.value = 0x0102;
  welcome.size_bytes = 0x0304;
  welcome.session_token[15] = 0xff;
  welcome.message[0] = 'm';
  const std::string bytes(reinterpret_cast<const char*>(&welcome), 49);
  EXPECT_EQ(bytes, std::string("QRN1\x02\0\0\0\x41\0\0\0\0\0\0\0", 16) +
                       std::string("\x02\x01\0\0\0\0\0\0", 8) +
                       std::string("\x04\x03\0\0\0\0\0\0", 8) +
                       std::string(15, '\0') + "\xff" + "m");
}

TEST(LayoutTest, DirectoryHeaderHasItsGoldenBytes) {
  quern_directory_header header;
  std::memset(&header, 0, sizeof(header));
  header.magic = QUERN_DIRECTORY_MAGIC;
  header.version = QUERN_DIRECTORY_VERSION;
  header.bucket_count = 16;
  header.incarnation = 0x0102;
  header.ready = 1;
  header.target_size_bytes = 3;
  const std::string bytes(reinterpret_cast<const char*>(&header), 32);
  EXPECT_EQ(bytes, std::string("QUERNDIR\x01\0\0\0\x10\0\0\0", 16) +
                       std::string("\x02\x01\0\0\0\0\0\0", 8) +
                       std::string("\x01\0\0\0\x03\0\0\0", 8));
}

TEST(LayoutTest, LaunchHasItsGoldenBytes) {
  quern_launch launch;
  std::memset(&launch, 0, sizeof(launch));
  launch.args =
      reinterpret_cast<const uint64_t*>(uintptr_t{0x0807060504030201});
  launch.grid[0] = 1;
  launch.grid[1] = 2;
  launch.grid[2] = 3;
  const std::string bytes(reinterpret_cast<const char*>(&launch), 24);
  EXPECT_EQ(bytes, std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8) +
                       std::string("\x01\0\0\0\x02\0\0\0", 8) +
                       std::string("\x03\0\0\0\0\0\0\0", 8));
}

TEST(LayoutTest, ImageHeaderHasItsGoldenBytes) {
  quern_image_header header;
  std::memset(&header, 0, sizeof(header));
  header.magic = QUERN_IMAGE_MAGIC;
  header.format_version = 1;
  header.abi_version = 1;
  header.image_size_bytes = 0x0102;
  header.scratch_size_bytes = 0x0304;
  header.machine = QUERN_MACHINE_AARCH64;
  const std::string bytes(reinterpret_cast<const char*>(&header), 36);
  EXPECT_EQ(bytes, std::string("QUERNIMG\x01\0\0\0\x01\0\0\0", 16) +
                       std::string("\x02\x01\0\0\0\0\0\0", 8) +
                       std::string("\x04\x03\0\0\0\0\0\0", 8) +
                       std::string("\xb7\0\0\0", 4));
}

TEST(LayoutTest, SubmissionAndCompletionHaveTheirGoldenBytes) {
  const RingOwner owner = *RingOwner::Create(2);
  const auto map = [&owner] {
    return *SharedRegion::Map(owner.fd(), owner.size_bytes(),
                              Access::kReadWrite);
  };
  RingClient client = *RingClient::Open(map());
  RingExecutor executor = *RingExecutor::Open(map());
  const uint64_t arguments[] = {RingPointer(0x12345, 0x0102), 7};
  client.Submit({.tag = 0x0304,
                 .kernel = 9,
                 .grid = {1, 2, 3},
                 .flags = QUERN_RING_MEASURE,
                 .arguments = arguments});
  ASSERT_NE(executor.Take(), nullptr);
  executor.Complete({.status = QUERN_RING_OUT_OF_RANGE,
                     .detail = 1,
                     .run_nanoseconds = 0x0506});
  const SharedRegion region = map();
  const auto* memory = reinterpret_cast<const char*>(region.data());
  EXPECT_EQ(std::string(memory, 16),
            std::string("QUERNRNG\x01\0\0\0\x02\0\0\0", 16));
  EXPECT_EQ(std::string(memory + 512, 48),
            std::string("\x01\0\0\0\x09\0\0\0", 8) +
                std::string("\x04\x03\0\0\0\0\0\0", 8) +
                std::string("\x01\0\0\0\x02\0\0\0", 8) +
                std::string("\x03\0\0\0\x02\0\x01\0", 8) +
                std::string("\x02\x01\0\0\0\x50\x34\x12", 8) +
                std::string("\x07\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(std::string(memory + 512 + 2 * 1088, 32),
            std::string("\x01\0\0\0\x07\0\0\0", 8) +
                std::string("\x04\x03\0\0\0\0\0\0", 8) +
                std::string("\x01\0\0\0\0\0\0\0", 8) +
                std::string("\x06\x05\0\0\0\0\0\0", 8));
}

}  // namespace
}  // namespace quern
