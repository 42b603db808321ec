// The compile worker with the fake compiler.
#include <cstdlib>
#include <memory>

#include "server/workers/zygote.h"
#include "tests/fakes/fake_compiler.h"

int main() {
  const std::unique_ptr<quern::Compiler> compiler = quern::NewFakeCompiler();
  quern::ZygoteOptions options;
  options.build_id = quern::FakeBuildId();
  options.host = quern::FakeHostTarget();
  options.warm_up.source = "ok warm";
  options.warm_up.target = options.host;
  const absl::Status status =
      quern::RunZygote(quern::kControlFd, *compiler, options);
  return absl::IsOutOfRange(status) ? EXIT_SUCCESS : EXIT_FAILURE;
}
