// demo: one process compiles four kernels, a second one runs the same code.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/cli/commands.h"
#include "client/cli/demo_problems.h"
#include "client/cli/json.h"
#include "client/cli/nanoseconds.h"
#include "client/cli/sample_kernels.h"
#include "client/cli/session.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint32_t kBatches = 30;

// What the second process measures of one kernel.
struct Second {
  double lookup_ns = 0;
  double launch_ns = 0;
  double error = 0;
};

struct Row {
  double compile_ms = 0;
  KernelKey key;
  Second second;
};

// The lines of this process's memory map that show code slabs.
std::string SlabMappings() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  std::string found;
  while (std::getline(maps, line)) {
    if (line.find("memfd:quern-code") == std::string::npos) continue;
    absl::StrAppendFormat(&found, "  process %d: %s\n", ::getpid(), line);
  }
  return found;
}

absl::StatusOr<Second> Measure(Client& client, const KernelKey& key,
                               const DemoProblem& problem) {
  QUERN_ASSIGN_OR_RETURN(const KernelRef kernel, client.Lookup(key));
  Second second;
  absl::Status status;
  second.lookup_ns = LeastNanoseconds(
      kBatches, 1000, [&] { status.Update(client.Lookup(key).status()); });
  second.launch_ns = LeastNanoseconds(kBatches, 1, [&] {
    status.Update(client.Launch(*kernel, problem.grid, problem.args, 0));
  });
  QUERN_RETURN_IF_ERROR(status);
  second.error = problem.LargestError();
  return second;
}

// The second process: one line a kernel, then its mappings.
absl::Status RunSecond(const Arguments& arguments) {
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kNever));
  const std::vector<DemoProblem> problems = DemoProblems();
  const std::vector<std::string>& keys = arguments.All("key");
  if (keys.size() != problems.size()) {
    return absl::InvalidArgumentError("one --key for each kernel");
  }
  for (size_t i = 0; i < problems.size(); ++i) {
    QUERN_ASSIGN_OR_RETURN(const KernelKey key, KernelKey::FromHex(keys[i]));
    QUERN_ASSIGN_OR_RETURN(const Second second,
                           Measure(*client, key, problems[i]));
    PrintLine(absl::StrFormat("%.17g %.17g %.17g", second.lookup_ns,
                              second.launch_ns, second.error));
  }
  PrintLine(SlabMappings());
  return absl::OkStatus();
}

// Runs this program again as the second process and returns what it prints.
absl::StatusOr<std::string> OutputOfSecond(const std::vector<Row>& rows,
                                           const Arguments& arguments) {
  Words words = {"quern", "demo", "--second"};
  for (const Row& row : rows) words.push_back("--key=" + row.key.ToHex());
  if (arguments.Has("sockets")) {
    words.push_back("--sockets=" + arguments.Get("sockets", ""));
  }
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return ErrnoStatus(errno, "fork");
  if (child == 0) {
    ::dup2(write_end.get(), STDOUT_FILENO);
    ::execv("/proc/self/exe", pointers.data());
    ::_exit(127);
  }
  write_end.reset();
  std::string output;
  char buffer[4096];
  ssize_t size = 0;
  while ((size = ::read(read_end.get(), buffer, sizeof(buffer))) > 0) {
    output.append(buffer, static_cast<size_t>(size));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) return absl::InternalError("the second process failed");
  return output;
}

// Takes the numbers of the second process into `rows`; returns the rest.
absl::StatusOr<std::string> ReadSecond(const std::string& output,
                                       std::vector<Row>& rows) {
  std::vector<std::string> lines = absl::StrSplit(output, '\n');
  if (lines.size() < rows.size()) {
    return absl::InternalError("the second process printed too little");
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<std::string> numbers = absl::StrSplit(lines[i], ' ');
    Second& second = rows[i].second;
    if (numbers.size() != 3 ||
        !absl::SimpleAtod(numbers[0], &second.lookup_ns) ||
        !absl::SimpleAtod(numbers[1], &second.launch_ns) ||
        !absl::SimpleAtod(numbers[2], &second.error)) {
      return absl::InternalError("the second process printed no numbers");
    }
  }
  std::string rest;
  for (size_t i = rows.size(); i < lines.size(); ++i) {
    if (!lines[i].empty()) absl::StrAppend(&rest, lines[i], "\n");
  }
  return rest;
}

bool Right(const Row& row, const DemoProblem& problem) {
  return row.second.error <= problem.tolerance;
}

void PrintTable(const std::vector<DemoProblem>& problems,
                const std::vector<Row>& rows) {
  PrintLine(
      "kernel       cold compile ms   2nd process: look-up ns   launch ns   "
      "largest error");
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    PrintLine(absl::StrFormat(
        "%-12s %15.2f %25.0f %11.0f   %.2g, %s", problems[i].name,
        row.compile_ms, row.second.lookup_ns, row.second.launch_ns,
        row.second.error, Right(row, problems[i]) ? "right" : "WRONG"));
  }
}

std::string JsonOf(const std::vector<DemoProblem>& problems,
                   const std::vector<Row>& rows) {
  std::vector<JsonObject> kernels;
  for (size_t i = 0; i < rows.size(); ++i) {
    kernels.push_back(JsonObject()
                          .Add("name", problems[i].name)
                          .Add("key", rows[i].key.ToHex())
                          .Add("compile_ms", rows[i].compile_ms)
                          .Add("lookup_ns", rows[i].second.lookup_ns)
                          .Add("launch_ns", rows[i].second.launch_ns)
                          .Add("largest_error", rows[i].second.error)
                          .Add("right", Right(rows[i], problems[i])));
  }
  return JsonObject().Add("kernels", kernels).ToString();
}

absl::StatusOr<Row> CompileCold(Client& client, const DemoProblem& problem) {
  CompileSpec spec;
  spec.source = Unseen(problem.source);
  const Stopwatch stopwatch;
  QUERN_ASSIGN_OR_RETURN(const Compiled compiled,
                         client.Compile(spec, kCallTimeout));
  Row row{.key = compiled.key};
  row.compile_ms = absl::ToDoubleMilliseconds(stopwatch.elapsed());
  return row;
}

absl::Status RunFirst(const Arguments& arguments) {
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kIfNeeded));
  const std::vector<DemoProblem> problems = DemoProblems();
  // A daemon that was started just now has to load its compiler first.
  QUERN_RETURN_IF_ERROR(CompileCold(*client, problems[0]).status());
  std::vector<Row> rows;
  for (const DemoProblem& problem : problems) {
    QUERN_ASSIGN_OR_RETURN(rows.emplace_back(), CompileCold(*client, problem));
  }
  QUERN_ASSIGN_OR_RETURN(const std::string output,
                         OutputOfSecond(rows, arguments));
  QUERN_ASSIGN_OR_RETURN(const std::string mappings, ReadSecond(output, rows));
  if (arguments.Has("json")) {
    PrintLine(JsonOf(problems, rows));
  } else {
    PrintTable(problems, rows);
    PrintLine("\nOne copy of the code, in two processes:\n" + SlabMappings() +
              mappings);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!Right(rows[i], problems[i])) {
      return absl::InternalError(
          absl::StrCat(problems[i].name, " gave a wrong result"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunDemo(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(
      const Arguments arguments,
      Arguments::Parse(words, {.options = {"key"}, .flags = {"second"}}));
  return arguments.Has("second") ? RunSecond(arguments) : RunFirst(arguments);
}

}  // namespace quern
