// Runs a program that lies beside the test.
#ifndef QUERN_TESTS_SERVER_SANDBOX_RUN_PROGRAM_H_
#define QUERN_TESTS_SERVER_SANDBOX_RUN_PROGRAM_H_

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "server/sandbox/outcome.h"

namespace quern {

// How `program` ends with the argument `how`.
inline Outcome OutcomeOfProgram(const std::string& program,
                                const std::string& how) {
  const std::string path =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
  char* const arguments[] = {const_cast<char*>(path.c_str()),
                             const_cast<char*>(how.c_str()), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, path.c_str(), nullptr, nullptr, arguments,
                          environment),
            0);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return OutcomeOf(status);
}

}  // namespace quern

#endif  // QUERN_TESTS_SERVER_SANDBOX_RUN_PROGRAM_H_
