// `quern`: the command line.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>

#include "client/cli/commands.h"
#include "client/library/version.h"
#include "proto/wire/standard_descriptors.h"

namespace quern {
namespace {

struct Command {
  std::string_view name;
  absl::Status (*run)(const Words& words);
  std::string_view usage;
  std::string_view purpose;
};

constexpr Command kCommands[] = {
    {"demo", RunDemo, "", "compile four kernels and share them"},
    {"compile", RunCompile,
     "FILE [--entry NAME] [--target TRIPLE:CPU[:FEATURES]]\n"
     "            [--emit image|asm|llvm|plan] [--output FILE]",
     "compile a file of Triton IR"},
    {"run", RunRun,
     "FILE --grid X[,Y[,Z]] [--arg VALUE]... [--entry NAME]\n"
     "            [--threads N] [--repeat N] [--served]",
     "compile and launch; VALUE: 1024, 0.5, @in.npy, @inout.npy:out"},
    {"bench", RunBench, "compile|lookup|launch|served [--repeat N]",
     "measure the daemon and this client"},
    {"stats", RunStats, "", "what the daemon counted"},
    {"top", RunTop, "[--interval SECONDS] [--count N]",
     "the same as it changes, and rates and latencies"},
    {"list", RunList, "", "the kernels in the code cache"},
    {"show", RunShow, "KEY [--emit source|llvm|asm|plan]", "one kernel"},
    {"evict", RunEvict, "KEY", "drop a kernel from the code cache"},
    {"doctor", RunDoctor, "", "what of this machine would stop Quern"},
    {"stop", RunStop, "", "end the private daemon"},
};

void PrintUsage(std::FILE* file, const Command& command) {
  std::fprintf(file, "  %-8s %.*s\n           %.*s\n", command.name.data(),
               static_cast<int>(command.usage.size()), command.usage.data(),
               static_cast<int>(command.purpose.size()),
               command.purpose.data());
}

void PrintUsage(std::FILE* file) {
  std::fputs(
      "usage: quern COMMAND ...\n"
      "Every command takes --sockets FOLDER (the daemon's), --json where it\n"
      "prints data, and --help. Exit status: 0; 1 on an error, which standard\n"
      "error tells; 2 if there is no such command.\n\n",
      file);
  for (const Command& command : kCommands) PrintUsage(file, command);
}

bool AsksForHelp(const Words& words) {
  return std::find(words.begin(), words.end(), "--help") != words.end();
}

// Of all that was printed.
absl::Status CloseOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return absl::OkStatus();
  }
  return absl::DataLossError("the output cannot be written");
}

int Run(int argument_count, char** arguments) {
  const std::string_view name = argument_count > 1 ? arguments[1] : "";
  if (name == "--version") {
    std::printf("quern %s\n", kVersion);
    return 0;
  }
  if (name == "--help" || name == "help") {
    PrintUsage(stdout);
    return 0;
  }
  const Command* command =
      std::find_if(std::begin(kCommands), std::end(kCommands),
                   [name](const Command& each) { return each.name == name; });
  if (command == std::end(kCommands)) {
    PrintUsage(stderr);
    return 2;
  }
  const Words words(arguments + 2, arguments + argument_count);
  if (AsksForHelp(words)) {
    PrintUsage(stdout, *command);
    return 0;
  }
  absl::Status status = command->run(words);
  if (status.ok()) status = CloseOutput();
  if (status.ok()) return 0;
  std::fprintf(stderr, "quern: %s: %s\n",
               absl::StatusCodeToString(status.code()).c_str(),
               std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace quern

int main(int argument_count, char** arguments) {
  if (!quern::HoldStandardDescriptors()) return 1;
  return quern::Run(argument_count, arguments);
}
