// doctor: tries what Quern needs of a machine, one thing after another.
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/session.h"
#include "client/library/daemon_program.h"
#include "client/rpc/private_daemon.h"
#include "client/runtime/cpu_count.h"
#include "client/runtime/fork_guard.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/status.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {
namespace {

// What a missing thing means.
enum class Need {
  kRequired,  // Quern does not work.
  kSandbox,   // Only with `sandbox: BEST_EFFORT` in the configuration.
  kUseful,    // It works all the same.
};

struct Check {
  std::string name;
  Need need;
  absl::Status status;
  std::string detail;
};

// Memory that is written through one mapping and executable in another.
absl::Status TryCodeMemory() {
  QUERN_ASSIGN_OR_RETURN(const UniqueFd fd,
                         CreateSealedMemory("quern-doctor", 4096));
  QUERN_RETURN_IF_ERROR(
      SharedRegion::Map(fd.get(), 4096, Access::kReadWrite).status());
  QUERN_RETURN_IF_ERROR(SealFutureWrites(fd.get()));
  return SharedRegion::Map(fd.get(), 4096, Access::kReadExecute).status();
}

absl::Status TrySeccomp() {
  const uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) {
    return ErrnoStatus(errno, "seccomp");
  }
  return absl::OkStatus();
}

absl::Status TryLandlock() {
  constexpr unsigned kVersionFlag = 1;
  constexpr long kCreateRuleset = 444;
  if (::syscall(kCreateRuleset, nullptr, 0, kVersionFlag) < 0) {
    return ErrnoStatus(errno, "landlock_create_ruleset");
  }
  return absl::OkStatus();
}

absl::Status TryMdwe() {
  constexpr int kGetMdwe = 66;
  if (::prctl(kGetMdwe, 0, 0, 0, 0) < 0) {
    return ErrnoStatus(errno, "prctl(PR_GET_MDWE)");
  }
  return absl::OkStatus();
}

absl::Status TryPidfd() {
  const UniqueFd self(
      static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  return self.valid() ? absl::OkStatus() : ErrnoStatus(errno, "pidfd_open");
}

std::string KernelRelease() {
  utsname name;
  if (::uname(&name) != 0) return "unknown";
  return absl::StrCat(name.sysname, " ", name.release, " ", name.machine);
}

Check TryProgram() {
  absl::StatusOr<std::string> program = FindDaemonProgram();
  Check check{"quernd", Need::kRequired, program.status(), ""};
  if (program.ok()) check.detail = *program;
  return check;
}

Check TryWorker() {
  absl::StatusOr<std::string> program = FindDaemonProgram();
  Check check{"quern-compile-worker", Need::kRequired, program.status(), ""};
  if (!program.ok()) return check;
  check.detail =
      program->substr(0, program->rfind('/')) + "/quern-compile-worker";
  if (::access(check.detail.c_str(), X_OK) != 0) {
    check.status = ErrnoStatus(errno, check.detail);
  }
  return check;
}

// The system's service, which clients use where they may.
Check TryService() {
  return {"service", Need::kUseful, UsableService(SocketsIn(kServiceFolder)),
          kServiceFolder};
}

Check TryFolder() {
  absl::StatusOr<std::string> folder = PrivateFolder();
  Check check{"private folder", Need::kRequired, folder.status(), ""};
  if (folder.ok()) check.detail = *folder;
  return check;
}

Check TryCacheFolder() {
  absl::StatusOr<std::string> folder = PrivateCacheFolder();
  Check check{"kernels on disk", Need::kUseful, folder.status(), ""};
  if (!folder.ok()) return check;
  check.detail = *folder;
  struct stat status;
  // The daemon makes it where there is nothing.
  const std::string wanted = ::lstat(folder->c_str(), &status) == 0
                                 ? *folder
                                 : folder->substr(0, folder->rfind('/'));
  if (::lstat(wanted.c_str(), &status) != 0) {
    check.status = ErrnoStatus(errno, wanted);
  } else if (wanted == *folder &&
             (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
              (status.st_mode & 022) != 0)) {
    check.status = absl::PermissionDeniedError(absl::StrCat(
        wanted, " must be this user's folder, and nobody else may write"));
  } else if (::access(wanted.c_str(), W_OK) != 0) {
    check.status = ErrnoStatus(errno, wanted);
  }
  return check;
}

// What a daemon that runs says of its sandbox and its disk.
Check TryDaemon(const Arguments& arguments) {
  Check check{"daemon", Need::kUseful, absl::OkStatus(), ""};
  absl::StatusOr<std::unique_ptr<Client>> client =
      ConnectFor(arguments, Start::kNever);
  check.status = client.status();
  if (!client.ok()) return check;
  v1::GetStatsResponse stats;
  check.status =
      (*client)->Call("quern.v1.AdminService/GetStats", v1::GetStatsRequest(),
                      absl::Seconds(10), stats);
  check.detail =
      absl::StrCat("version ", stats.version(), ", target ", stats.target());
  for (const std::string& missing : stats.sandbox_missing()) {
    absl::StrAppend(&check.detail, ", sandbox lacks ", missing);
  }
  if (!stats.disk().problem().empty()) {
    absl::StrAppend(&check.detail,
                    ", keeps no kernels on disk: ", stats.disk().problem());
  }
  return check;
}

std::vector<Check> AllChecks(const Arguments& arguments) {
  std::vector<Check> checks;
  checks.push_back(
      {"kernel", Need::kUseful, absl::OkStatus(), KernelRelease()});
  checks.push_back({"CPUs", Need::kUseful, absl::OkStatus(),
                    absl::StrCat(UsableCpuCount(), " usable")});
  checks.push_back({"code memory", Need::kRequired, TryCodeMemory(),
                    "sealed memfd, mapped read+exec"});
  checks.push_back({"fork detection", Need::kRequired,
                    ForkGuard::Create().status(), "MADV_WIPEONFORK"});
  checks.push_back(
      {"pidfd", Need::kRequired, TryPidfd(), "processes by descriptor"});
  checks.push_back({"seccomp", Need::kSandbox, TrySeccomp(),
                    "system calls of compile children are filtered"});
  checks.push_back({"Landlock", Need::kSandbox, TryLandlock(),
                    "files of compile children are denied"});
  checks.push_back(
      {"MDWE", Need::kUseful, TryMdwe(), "memory is never made executable"});
  checks.push_back(TryProgram());
  checks.push_back(TryWorker());
  checks.push_back(TryService());
  checks.push_back(TryFolder());
  checks.push_back(TryCacheFolder());
  checks.push_back(TryDaemon(arguments));
  return checks;
}

std::string_view VerdictOf(const Check& check) {
  if (check.status.ok()) return "ok";
  switch (check.need) {
    case Need::kRequired:
      return "MISSING";
    case Need::kSandbox:
      return "degraded";
    case Need::kUseful:
      return "absent";
  }
  return "";
}

}  // namespace

absl::Status RunDoctor(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(const Arguments arguments,
                         Arguments::Parse(words, {}));
  std::vector<JsonObject> rows;
  bool works = true;
  for (const Check& check : AllChecks(arguments)) {
    const std::string detail =
        check.status.ok() ? check.detail : std::string(check.status.message());
    works &= check.status.ok() || check.need != Need::kRequired;
    rows.push_back(JsonObject()
                       .Add("name", check.name)
                       .Add("verdict", VerdictOf(check))
                       .Add("detail", detail));
    if (!arguments.Has("json")) {
      PrintLine(absl::StrFormat("%-9s %-21s %s", std::string(VerdictOf(check)),
                                check.name, detail));
    }
  }
  if (arguments.Has("json")) {
    PrintLine(JsonObject().Add("works", works).Add("checks", rows).ToString());
  }
  if (works) return absl::OkStatus();
  return absl::FailedPreconditionError("this machine lacks what Quern needs");
}

}  // namespace quern
