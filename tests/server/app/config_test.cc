// Tests of the configuration: defaults, ranges and errors.
#include "server/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace quern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kSockets[] =
    "sockets { rpc_path: \"/r\" attach_path: \"/a\" }\n";

absl::StatusOr<Config> Parse(const std::string& text) {
  return ParseConfig(text, {.program_folder = "/bin", .user_id = 1000});
}

TEST(ConfigTest, WhatIsLeftOutHasTheDesignsDefault) {
  const Config config = *Parse(kSockets);
  EXPECT_EQ(config.socket_mode, 0600u);
  EXPECT_EQ(config.source_size_bytes_max, uint64_t{16} << 20);
  EXPECT_EQ(config.arguments_max, 128u);
  EXPECT_EQ(config.message_size_bytes_max, uint64_t{32} << 20);
  EXPECT_EQ(config.compile_timeout, absl::Seconds(60));
  EXPECT_EQ(config.compile_memory_bytes_max, uint64_t{2} << 30);
  EXPECT_EQ(config.compile_children_max, 2u);
  EXPECT_EQ(config.queued_compiles_max, 256u);
  EXPECT_EQ(config.queued_compiles_per_session_max, 64u);
  EXPECT_EQ(config.image_size_bytes_max, uint64_t{4} << 20);
  EXPECT_EQ(config.directory_entries_max, 16384u);
  EXPECT_EQ(config.code_memory_bytes_max, uint64_t{512} << 20);
  EXPECT_EQ(config.slab_size_bytes, uint64_t{4} << 20);
  EXPECT_EQ(config.nesting_max, 256u);
  EXPECT_EQ(config.sessions_max, 256u);
  EXPECT_EQ(config.rings_per_session_max, 4u);
  EXPECT_EQ(config.ring_slots_max, 1024u);
  EXPECT_EQ(config.buffers_per_session_max, 64u);
  EXPECT_EQ(config.buffer_bytes_per_session_max, uint64_t{4} << 30);
  EXPECT_EQ(config.served_kernels_per_session_max, 4096u);
  EXPECT_EQ(config.launch_timeout, absl::Seconds(10));
  EXPECT_EQ(config.executor_memory_bytes_max, uint64_t{1} << 30);
  EXPECT_EQ(config.inline_launch_bytes_max, uint64_t{16} << 20);
  EXPECT_EQ(config.executor_path, "/bin/quern-executor");
  EXPECT_TRUE(config.executor_sandbox_required);
  EXPECT_EQ(config.executor_threads, 0u);
  EXPECT_EQ(config.worker_path, "/bin/quern-compile-worker");
  EXPECT_TRUE(config.sandbox_required);
  EXPECT_EQ(config.crashes_max, 3u);
  EXPECT_EQ(config.crash_refusal, absl::Minutes(5));
  EXPECT_THAT(config.access.user_ids, ElementsAre(1000, 0));
  EXPECT_TRUE(config.access.group_ids.empty());
  EXPECT_EQ(config.disk_path, "");
  EXPECT_EQ(config.disk_size_bytes_max, uint64_t{1} << 30);
  EXPECT_EQ(config.disk_read_timeout, absl::Seconds(1));
  EXPECT_EQ(config.disk_queued_reads_max, 256u);
  EXPECT_EQ(config.disk_queued_writes_max, 256u);
  EXPECT_EQ(config.disk_queued_write_bytes_max, uint64_t{64} << 20);
  EXPECT_EQ(config.log_level, LogLevel::kInfo);
  EXPECT_EQ(config.drain_timeout, absl::Seconds(10));
  EXPECT_EQ(config.idle_timeout, absl::InfiniteDuration());
}

TEST(ConfigTest, WhatIsGivenIsTaken) {
  const Config config = *Parse(std::string(kSockets) + R"(
    limits { compile_timeout { seconds: 1 nanos: 500000000 }
             sessions_max: 7 }
    compiler { worker_path: "/w" sandbox: SANDBOX_MODE_BEST_EFFORT }
    executor { path: "/e" sandbox: SANDBOX_MODE_BEST_EFFORT threads: 3 }
    access { group_ids: 5 }
    disk { path: "/d" size_bytes_max: 1048576
           read_timeout { nanos: 5000000 } }
    log_level: LOG_LEVEL_ERROR
    idle_timeout { seconds: 3 })");
  EXPECT_EQ(config.compile_timeout, absl::Milliseconds(1500));
  EXPECT_EQ(config.sessions_max, 7u);
  EXPECT_EQ(config.worker_path, "/w");
  EXPECT_FALSE(config.sandbox_required);
  EXPECT_EQ(config.executor_path, "/e");
  EXPECT_FALSE(config.executor_sandbox_required);
  EXPECT_EQ(config.executor_threads, 3u);
  EXPECT_TRUE(config.access.user_ids.empty());
  EXPECT_THAT(config.access.group_ids, ElementsAre(5));
  EXPECT_EQ(config.disk_path, "/d");
  EXPECT_EQ(config.disk_size_bytes_max, uint64_t{1} << 20);
  EXPECT_EQ(config.disk_read_timeout, absl::Milliseconds(5));
  EXPECT_EQ(config.log_level, LogLevel::kError);
  EXPECT_EQ(config.idle_timeout, absl::Seconds(3));
}

absl::StatusOr<uint32_t> FakeGroup(const std::string& name) {
  if (name == "quern") return 990u;
  return absl::NotFoundError("no group `" + name + "`");
}

TEST(ConfigTest, GroupsAreFoundByName) {
  const ConfigContext context{
      .program_folder = "/bin", .user_id = 1000, .find_group = FakeGroup};
  const std::string text = kSockets;
  const Config config =
      *ParseConfig(text + "access { group_ids: 5 groups: \"quern\" }", context);
  EXPECT_THAT(config.access.group_ids, ElementsAre(5, 990));
  // Who names a group has not left the lists out.
  EXPECT_TRUE(config.access.user_ids.empty());
  const absl::Status status =
      ParseConfig(text + "access { groups: \"nobody's\" }", context).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("access.groups"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nobody's"));
}

TEST(ConfigTest, LimitsOfServedLaunchesMayBeAtTheirBounds) {
  const Config config = *Parse(std::string(kSockets) + R"(
    limits { rings_per_session_max: 64 ring_slots_max: 1024
             buffers_per_session_max: 1024
             buffer_bytes_per_session_max: 17592186044416
             served_kernels_per_session_max: 4096
             launch_timeout { nanos: 1 }
             executor_memory_bytes_max: 16777216
             inline_launch_bytes_max: 1073741824 }
    executor { threads: 1024 })");
  EXPECT_EQ(config.rings_per_session_max, 64u);
  EXPECT_EQ(config.buffers_per_session_max, 1024u);
  EXPECT_EQ(config.buffer_bytes_per_session_max, uint64_t{1} << 44);
  EXPECT_EQ(config.launch_timeout, absl::Nanoseconds(1));
  EXPECT_EQ(config.executor_memory_bytes_max, uint64_t{16} << 20);
  EXPECT_EQ(config.inline_launch_bytes_max, uint64_t{1} << 30);
  EXPECT_EQ(config.executor_threads, 1024u);
}

TEST(ConfigTest, ASyntaxErrorIsNamedByLineAndColumn) {
  const absl::Status status =
      Parse(std::string(kSockets) + "limits { no_such: 1 }").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("2:"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no_such"));
}

struct BadConfig {
  std::string name;
  std::string text;
  std::string field;
};

class BadConfigTest : public testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigTest, IsInvalidAndItsFieldIsNamed) {
  const absl::Status status = Parse(GetParam().text).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().field));
}

std::string With(const std::string& text) { return kSockets + text; }

INSTANTIATE_TEST_SUITE_P(
    Configs, BadConfigTest,
    testing::Values(
        BadConfig{"NoSockets", "", "sockets.rpc_path"},
        BadConfig{"OnePath", "sockets { rpc_path: \"/r\" attach_path: \"/r\" }",
                  "sockets"},
        BadConfig{"LongPath",
                  "sockets { attach_path: \"/a\" rpc_path: \"" +
                      std::string(108, 'x') + "\" }",
                  "sockets.rpc_path"},
        BadConfig{"TooManyArguments", With("limits { arguments_max: 129 }"),
                  "limits.arguments_max"},
        BadConfig{"TooLargeImages",
                  With("limits { image_size_bytes_max: 4194305 }"),
                  "limits.image_size_bytes_max"},
        BadConfig{"TooManyRings", With("limits { rings_per_session_max: 65 }"),
                  "limits.rings_per_session_max"},
        BadConfig{"TooManySlots", With("limits { ring_slots_max: 1025 }"),
                  "limits.ring_slots_max"},
        BadConfig{"TooManyBuffers",
                  With("limits { buffers_per_session_max: 1025 }"),
                  "limits.buffers_per_session_max"},
        BadConfig{"TooFewBufferBytes",
                  With("limits { buffer_bytes_per_session_max: 4095 }"),
                  "limits.buffer_bytes_per_session_max"},
        BadConfig{"TooManyBufferBytes",
                  With("limits { buffer_bytes_per_session_max: "
                       "17592186044417 }"),
                  "limits.buffer_bytes_per_session_max"},
        BadConfig{"TooManyServedKernels",
                  With("limits { served_kernels_per_session_max: 4097 }"),
                  "limits.served_kernels_per_session_max"},
        BadConfig{"NoLaunchTime", With("limits { launch_timeout { } }"),
                  "limits.launch_timeout"},
        BadConfig{"TooLittleExecutorMemory",
                  With("limits { executor_memory_bytes_max: 16777215 }"),
                  "limits.executor_memory_bytes_max"},
        BadConfig{"TooLargeInlineLaunches",
                  With("limits { inline_launch_bytes_max: 1073741825 }"),
                  "limits.inline_launch_bytes_max"},
        BadConfig{"UnknownExecutorSandbox", With("executor { sandbox: 9 }"),
                  "executor.sandbox"},
        BadConfig{"TooManyThreads", With("executor { threads: 1025 }"),
                  "executor.threads"},
        BadConfig{"OddSlabs", With("limits { slab_size_bytes: 4097 }"),
                  "limits.slab_size_bytes"},
        BadConfig{"SlabsLargerThanTheMemory",
                  With("limits { slab_size_bytes: 8192 "
                       "code_memory_bytes_max: 4096 }"),
                  "limits.slab_size_bytes"},
        BadConfig{"NegativeTime",
                  With("limits { compile_timeout { seconds: -1 } }"),
                  "limits.compile_timeout"},
        BadConfig{"NoTime", With("drain_timeout { }"), "drain_timeout"},
        BadConfig{"RelativeDisk", With("disk { path: \"kernels\" }"),
                  "disk.path"},
        BadConfig{"LongDisk",
                  With("disk { path: \"/" + std::string(4095, 'x') + "\" }"),
                  "disk.path"},
        BadConfig{"TooSmallDisk", With("disk { size_bytes_max: 1048575 }"),
                  "disk.size_bytes_max"},
        BadConfig{"TooManyWrites", With("disk { queued_writes_max: 65537 }"),
                  "disk.queued_writes_max"},
        BadConfig{"UnknownSandbox", With("compiler { sandbox: 9 }"), "sandbox"},
        BadConfig{"NoPort", With("diagnostics { metrics_port: 65536 }"),
                  "diagnostics.metrics_port"},
        BadConfig{"TooManyReproducers",
                  With("diagnostics { reproducers_max: 10001 }"),
                  "diagnostics.reproducers_max"},
        BadConfig{"TooLargeReproducers",
                  With("diagnostics { reproducer_size_bytes_max: 1073741825 }"),
                  "diagnostics.reproducer_size_bytes_max"},
        BadConfig{"TooManyWatchers", With("diagnostics { watchers_max: 1025 }"),
                  "diagnostics.watchers_max"},
        BadConfig{"RelativeReproducers",
                  With("diagnostics { reproducers_path: \"here\" }"),
                  "diagnostics.reproducers_path"},
        BadConfig{"UnknownLevel", With("log_level: 9"), "log_level"},
        BadConfig{"WideMode",
                  "sockets { rpc_path: \"/r\" attach_path: \"/a\" mode: 512 }",
                  "sockets.mode"}),
    [](const auto& info) { return info.param.name; });

TEST(ConfigTest, APathOfAsManyBytesAsASocketHasIsTaken) {
  EXPECT_TRUE(Parse("sockets { attach_path: \"/a\" rpc_path: \"" +
                    std::string(107, 'x') + "\" }")
                  .ok());
}

TEST(ConfigTest, DiagnosticsAtTheirLimitsAreTaken) {
  const Config config = *Parse(
      With("diagnostics { metrics_port: 65535 reproducers_max: 10000 "
           "reproducers_path: \"/r\" reproducer_size_bytes_max: 1073741824 "
           "watchers_max: 1024 }"));
  EXPECT_EQ(config.metrics_port, 65535u);
  EXPECT_EQ(config.reproducers_path, "/r");
  EXPECT_EQ(config.reproducers_max, 10000u);
  EXPECT_EQ(config.reproducer_size_bytes_max, uint64_t{1} << 30);
  EXPECT_EQ(config.watchers_max, 1024u);
}

TEST(ConfigTest, AMissingFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(LoadConfig("/nonexistent", {}).status()));
}

TEST(ConfigTest, AFileIsReadAndALargeOneIsNot) {
  const std::string path =
      testing::TempDir() + "config_" + std::to_string(::getpid());
  std::ofstream(path) << kSockets;
  EXPECT_EQ(LoadConfig(path, {})->rpc_path, "/r");
  std::ofstream(path) << kSockets << std::string(1 << 20, ' ');
  EXPECT_TRUE(absl::IsInvalidArgument(LoadConfig(path, {}).status()));
  ::unlink(path.c_str());
}

TEST(ConfigTest, TheExampleNamesTheDefaults) {
  const Config example = *LoadConfig(
      QUERN_SOURCE_DIR "/deploy/daemon.textproto",
      {.program_folder = "/bin", .user_id = 1000, .find_group = FakeGroup});
  const Config defaults = *Parse(kSockets);
  EXPECT_EQ(example.socket_mode, 0660u);
  EXPECT_THAT(example.access.group_ids, ElementsAre(990));
  EXPECT_EQ(example.source_size_bytes_max, defaults.source_size_bytes_max);
  EXPECT_EQ(example.message_size_bytes_max, defaults.message_size_bytes_max);
  EXPECT_EQ(example.compile_timeout, defaults.compile_timeout);
  EXPECT_EQ(example.compile_memory_bytes_max,
            defaults.compile_memory_bytes_max);
  EXPECT_EQ(example.compile_children_max, defaults.compile_children_max);
  EXPECT_EQ(example.queued_compiles_max, defaults.queued_compiles_max);
  EXPECT_EQ(example.queued_compiles_per_session_max,
            defaults.queued_compiles_per_session_max);
  EXPECT_EQ(example.image_size_bytes_max, defaults.image_size_bytes_max);
  EXPECT_EQ(example.directory_entries_max, defaults.directory_entries_max);
  EXPECT_EQ(example.code_memory_bytes_max, defaults.code_memory_bytes_max);
  EXPECT_EQ(example.slab_size_bytes, defaults.slab_size_bytes);
  EXPECT_EQ(example.nesting_max, defaults.nesting_max);
  EXPECT_EQ(example.sessions_max, defaults.sessions_max);
  EXPECT_EQ(example.stored_source_bytes_max, defaults.stored_source_bytes_max);
  EXPECT_EQ(example.stored_image_bytes_max, defaults.stored_image_bytes_max);
  EXPECT_EQ(example.rings_per_session_max, defaults.rings_per_session_max);
  EXPECT_EQ(example.ring_slots_max, defaults.ring_slots_max);
  EXPECT_EQ(example.buffers_per_session_max, defaults.buffers_per_session_max);
  EXPECT_EQ(example.buffer_bytes_per_session_max,
            defaults.buffer_bytes_per_session_max);
  EXPECT_EQ(example.served_kernels_per_session_max,
            defaults.served_kernels_per_session_max);
  EXPECT_EQ(example.launch_timeout, defaults.launch_timeout);
  EXPECT_EQ(example.executor_memory_bytes_max,
            defaults.executor_memory_bytes_max);
  EXPECT_EQ(example.inline_launch_bytes_max, defaults.inline_launch_bytes_max);
  EXPECT_EQ(example.executor_path, defaults.executor_path);
  EXPECT_EQ(example.executor_sandbox_required,
            defaults.executor_sandbox_required);
  EXPECT_EQ(example.worker_path, defaults.worker_path);
  EXPECT_EQ(example.sandbox_required, defaults.sandbox_required);
  EXPECT_EQ(example.crashes_max, defaults.crashes_max);
  EXPECT_EQ(example.crash_refusal, defaults.crash_refusal);
  EXPECT_EQ(example.crashes_per_zygote_max, defaults.crashes_per_zygote_max);
  EXPECT_EQ(example.disk_path, "/var/lib/quern/kernels");
  EXPECT_EQ(example.disk_size_bytes_max, defaults.disk_size_bytes_max);
  EXPECT_EQ(example.disk_read_timeout, defaults.disk_read_timeout);
  EXPECT_EQ(example.disk_queued_reads_max, defaults.disk_queued_reads_max);
  EXPECT_EQ(example.disk_queued_writes_max, defaults.disk_queued_writes_max);
  EXPECT_EQ(example.disk_queued_write_bytes_max,
            defaults.disk_queued_write_bytes_max);
  EXPECT_EQ(example.reproducers_path, "/var/lib/quern/reproducers");
  EXPECT_EQ(example.metrics_port, 0u);
  EXPECT_EQ(example.reproducers_max, defaults.reproducers_max);
  EXPECT_EQ(example.reproducer_size_bytes_max,
            defaults.reproducer_size_bytes_max);
  EXPECT_EQ(example.watchers_max, defaults.watchers_max);
  EXPECT_EQ(example.log_level, defaults.log_level);
  EXPECT_EQ(example.drain_timeout, defaults.drain_timeout);
}

}  // namespace
}  // namespace quern
