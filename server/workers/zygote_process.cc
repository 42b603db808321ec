// Starting a zygote and talking to it.
#include "server/workers/zygote_process.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "proto/wire/packet.h"
#include "proto/wire/status.h"
#include "quern/worker/v1/worker.pb.h"
#include "server/sandbox/spawn.h"

namespace quern {
namespace {

constexpr size_t kReportSizeMax = 16 << 10;

absl::StatusOr<ZygoteHello> FromProto(const worker::v1::Hello& proto) {
  ZygoteHello hello;
  if (proto.build_id().size() != hello.identity.build_id.size()) {
    return absl::InvalidArgumentError("the zygote's build id is not 32 bytes");
  }
  std::copy(proto.build_id().begin(), proto.build_id().end(),
            hello.identity.build_id.begin());
  QUERN_ASSIGN_OR_RETURN(hello.identity.host, ParseTarget(proto.host_target()));
  hello.sandbox_missing.assign(proto.sandbox_missing().begin(),
                               proto.sandbox_missing().end());
  return hello;
}

class SpawnedZygote final : public ZygoteProcess {
 public:
  SpawnedZygote(pid_t pid, UniqueFd control)
      : pid_(pid), control_(std::move(control)) {}

  ~SpawnedZygote() override {
    // It has not been waited for, so the number is still its own.
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  int fd() const override { return control_.get(); }

  absl::Status Fork(uint64_t id, int socket) override {
    worker::v1::ZygoteCommand command;
    command.mutable_fork()->set_id(id);
    return SendPacket(control_.get(), command.SerializeAsString(), socket);
  }

  absl::Status SetUp(const ZygoteSetup& setup) {
    worker::v1::ZygoteCommand command;
    worker::v1::Setup& proto = *command.mutable_setup();
    proto.set_memory_bytes_max(setup.memory_bytes_max);
    const absl::Duration cpu_time = setup.cpu_time_max;
    proto.mutable_cpu_time_max()->set_seconds(absl::ToInt64Seconds(cpu_time));
    proto.mutable_cpu_time_max()->set_nanos(static_cast<int32_t>(
        absl::ToInt64Nanoseconds(cpu_time % absl::Seconds(1))));
    proto.set_sandbox_required(setup.sandbox_required);
    proto.set_nesting_max(setup.nesting_max);
    return SendPacket(control_.get(), command.SerializeAsString());
  }

  absl::StatusOr<std::optional<ZygoteReport>> Receive() override {
    absl::StatusOr<Packet> packet =
        ReceivePacket(control_.get(), kReportSizeMax);
    if (absl::IsUnavailable(packet.status())) {
      return std::optional<ZygoteReport>();
    }
    if (!packet.ok()) return packet.status();
    worker::v1::ZygoteEvent event;
    if (!event.ParseFromString(packet->bytes)) return Senseless();
    if (event.has_hello()) {
      QUERN_ASSIGN_OR_RETURN(ZygoteHello hello, FromProto(event.hello()));
      return ZygoteReport(std::move(hello));
    }
    if (event.has_forked() && packet->fd.valid()) {
      return ZygoteReport(ChildForked{.id = event.forked().id(),
                                      .pidfd = std::move(packet->fd)});
    }
    if (event.has_exited()) {
      return ZygoteReport(
          ChildExited{.id = event.exited().id(),
                      .wait_status = event.exited().wait_status()});
    }
    return Senseless();
  }

 private:
  static absl::Status Senseless() {
    return absl::InvalidArgumentError("the zygote reported no event");
  }

  const pid_t pid_;
  const UniqueFd control_;
};

class ProgramZygoteStarter final : public ZygoteStarter {
 public:
  explicit ProgramZygoteStarter(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<std::unique_ptr<ZygoteProcess>> Start(
      const ZygoteSetup& setup) override {
    QUERN_ASSIGN_OR_RETURN(SpawnedProgram program, SpawnProgram(path_));
    auto zygote = std::make_unique<SpawnedZygote>(program.pid,
                                                  std::move(program.control));
    QUERN_RETURN_IF_ERROR(zygote->SetUp(setup));
    return zygote;
  }

 private:
  const std::string path_;
};

}  // namespace

std::unique_ptr<ZygoteStarter> NewZygoteStarter(std::string path) {
  return std::make_unique<ProgramZygoteStarter>(std::move(path));
}

}  // namespace quern
