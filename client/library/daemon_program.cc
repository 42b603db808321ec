// Finds quernd relative to the code that runs.
#include "client/library/daemon_program.h"

#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"

namespace quern {

absl::StatusOr<std::string> FindDaemonProgram() {
  Dl_info info;
  if (::dladdr(reinterpret_cast<void*>(&FindDaemonProgram), &info) == 0 ||
      info.dli_fname == nullptr) {
    return absl::NotFoundError("cannot tell where this library lies");
  }
  std::error_code error;
  std::filesystem::path file =
      std::filesystem::canonical(info.dli_fname, error);
  if (error) file = std::filesystem::canonical("/proc/self/exe", error);
  if (error) return absl::NotFoundError("cannot tell where this library lies");
  const std::filesystem::path folder = file.parent_path();
  for (const char* relative :
       {"quernd", "bin/quernd", "../bin/quernd", "../../bin/quernd"}) {
    const std::filesystem::path program = folder / relative;
    if (::access(program.c_str(), X_OK) == 0) {
      return program.lexically_normal().string();
    }
  }
  return absl::NotFoundError("quernd is not installed beside this library");
}

}  // namespace quern
