// run: compiles a file and launches it with arguments of the command line.
#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/cli/argument_values.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/served_launcher.h"
#include "client/cli/session.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

absl::StatusOr<Grid> GridOf(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  Grid grid = {1, 1, 1};
  bool good = parts.size() <= grid.size();
  for (size_t i = 0; good && i < parts.size(); ++i) {
    good = absl::SimpleAtoi(parts[i], &grid[i]);
  }
  if (!good) {
    return absl::InvalidArgumentError("--grid is X, X,Y or X,Y,Z");
  }
  return grid;
}

// What is to be launched.
struct Problem {
  const Compiled& compiled;
  Grid grid;
  const ArgumentValues& values;
  uint32_t threads = 0;  // 0: all.
};

// Launches `repeat` times; returns the least time in nanoseconds.
absl::StatusOr<int64_t> LeastNanosecondsOf(
    uint32_t repeat, const std::function<absl::Status()>& launch) {
  int64_t least_ns = std::numeric_limits<int64_t>::max();
  for (uint32_t i = 0; i < repeat; ++i) {
    const int64_t begin = absl::GetCurrentTimeNanos();
    QUERN_RETURN_IF_ERROR(launch());
    least_ns = std::min(least_ns, absl::GetCurrentTimeNanos() - begin);
  }
  return least_ns;
}

absl::StatusOr<int64_t> RunDirect(Client& client, const Problem& problem,
                                  uint32_t repeat) {
  return LeastNanosecondsOf(repeat, [&] {
    return client.Launch(*problem.compiled.kernel, problem.grid,
                         problem.values.slots(), problem.threads);
  });
}

absl::StatusOr<int64_t> RunServed(Client& client, const Problem& problem,
                                  uint32_t repeat) {
  QUERN_ASSIGN_OR_RETURN(
      const std::unique_ptr<ServedLauncher> launcher,
      ServedLauncher::Open(client, problem.compiled.key, problem.grid,
                           problem.values.slots(), problem.values.arrays()));
  const absl::StatusOr<int64_t> least_ns =
      LeastNanosecondsOf(repeat, [&] { return launcher->Launch(); });
  launcher->CopyBack();
  return least_ns;
}

}  // namespace

absl::Status RunRun(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(
      const Arguments arguments,
      Arguments::Parse(
          words, {.positionals = {"FILE"},
                  .options = {"grid", "arg", "entry", "threads", "repeat"},
                  .flags = {"served"}}));
  QUERN_ASSIGN_OR_RETURN(const Grid grid, GridOf(arguments.Get("grid", "")));
  QUERN_ASSIGN_OR_RETURN(const uint32_t repeat,
                         arguments.GetCount("repeat", 1));
  uint32_t threads = 0;  // All.
  if (arguments.Has("threads")) {
    QUERN_ASSIGN_OR_RETURN(threads, arguments.GetCount("threads", 1));
    if (arguments.Has("served")) {
      return absl::InvalidArgumentError(
          "--threads is for direct launches; with --served the daemon's "
          "configuration says how many");
    }
  }
  CompileSpec spec;
  QUERN_ASSIGN_OR_RETURN(spec.source, ReadFile(arguments.positional(0)));
  spec.entry = arguments.Get("entry", "");
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kIfNeeded));
  absl::StatusOr<Compiled> compiled = client->Compile(spec, kCallTimeout);
  QUERN_RETURN_IF_ERROR(Annotate(compiled.status(), arguments.positional(0)));
  const LoadedKernel& kernel = *compiled->kernel;
  QUERN_ASSIGN_OR_RETURN(
      const ArgumentValues values,
      ArgumentValues::Parse(arguments.All("arg"), kernel.header));

  const Problem problem = {.compiled = *compiled,
                           .grid = grid,
                           .values = values,
                           .threads = threads};
  QUERN_ASSIGN_OR_RETURN(const int64_t least_ns,
                         arguments.Has("served")
                             ? RunServed(*client, problem, repeat)
                             : RunDirect(*client, problem, repeat));
  QUERN_RETURN_IF_ERROR(values.WriteBack());
  if (arguments.Has("json")) {
    PrintLine(JsonObject()
                  .Add("key", compiled->key.ToHex())
                  .Add("cached", compiled->cached)
                  .Add("launch_ns_min", least_ns)
                  .Add("launches", repeat)
                  .ToString());
  } else {
    PrintLine(absl::StrFormat("%s: %d launches, the fastest %d ns",
                              kernel.Name(), repeat, least_ns));
  }
  return absl::OkStatus();
}

}  // namespace quern
