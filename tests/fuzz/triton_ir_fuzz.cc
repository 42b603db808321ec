// Fuzzes the front end through a real daemon: mutated Triton IR, one compile
// after another, for a given time. A finding is anything but a defined
// outcome: an error code that the proto does not list, a daemon that does not
// answer, or one that has ended.
//
//   triton-ir-fuzz SOCKETS_FOLDER SEEDS_FOLDER SECONDS SEED
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/library/client.h"
#include "client/runtime/stopwatch.h"

namespace quern {
namespace {

using Generator = std::mt19937_64;

size_t Below(Generator& generator, size_t bound) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(generator);
}

std::vector<std::string> ReadSeeds(const std::string& folder) {
  std::vector<std::string> seeds;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".ttir") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>());
  }
  return seeds;
}

// Numbers and types in whose place others are put.
constexpr std::array kWords = {"0",
                               "1",
                               "-1",
                               "2",
                               "3",
                               "1024",
                               "2147483647",
                               "i1",
                               "i8",
                               "i32",
                               "i64",
                               "f16",
                               "bf16",
                               "f32",
                               "f64",
                               "index",
                               "x",
                               "tensor<0x",
                               "!tt.ptr<f32>",
                               "dense<",
                               "axis = 9",
                               "4294967296",
                               "f8E5M2",
                               "slt",
                               "{",
                               "}",
                               "(",
                               ")"};

void MutateBytes(Generator& generator, std::string& text) {
  for (size_t i = Below(generator, 4) + 1; i > 0 && !text.empty(); --i) {
    text[Below(generator, text.size())] =
        static_cast<char>(Below(generator, 256));
  }
}

void MutateLines(Generator& generator, std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const size_t from = Below(generator, lines.size());
  const size_t to = Below(generator, lines.size());
  switch (Below(generator, 3)) {
    case 0:
      lines.erase(lines.begin() + static_cast<ptrdiff_t>(from));
      break;
    case 1:
      lines.insert(lines.begin() + static_cast<ptrdiff_t>(to), lines[from]);
      break;
    default:
      std::swap(lines[from], lines[to]);
  }
  text = absl::StrJoin(lines, "\n");
}

// Puts a word of the list, or of the text itself, in the place of another.
void MutateWords(Generator& generator, std::string& text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ');
  const size_t to = Below(generator, words.size());
  words[to] = Below(generator, 2) == 0 ? kWords[Below(generator, kWords.size())]
                                       : words[Below(generator, words.size())];
  text = absl::StrJoin(words, " ");
}

std::string Mutated(Generator& generator, std::string text) {
  for (size_t i = Below(generator, 3) + 1; i > 0; --i) {
    switch (Below(generator, 4)) {
      case 0:
        MutateBytes(generator, text);
        break;
      case 1:
        MutateLines(generator, text);
        break;
      case 2:
        MutateWords(generator, text);
        break;
      default:
        if (Below(generator, 8) == 0) {
          text.resize(Below(generator, text.size() + 1));
        } else {
          MutateWords(generator, text);
        }
    }
  }
  return text;
}

bool Defined(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

int Run(const std::string& sockets, const std::string& seeds_folder,
        int seconds, uint64_t seed) {
  ClientOptions options;
  options.sockets = SocketsIn(sockets);
  options.start_private_daemon = false;
  options.fail_fast = true;
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(options);
  const std::vector<std::string> seeds = ReadSeeds(seeds_folder);
  if (!client.ok() || seeds.empty()) {
    std::fprintf(stderr, "no daemon, or no seeds\n");
    return 2;
  }
  Generator generator(seed);
  std::map<std::string, int> outcomes;
  const Stopwatch stopwatch;
  while (stopwatch.elapsed() < absl::Seconds(seconds)) {
    CompileSpec spec;
    spec.source = Mutated(generator, seeds[Below(generator, seeds.size())]);
    const absl::Status status =
        (*client)->Compile(spec, absl::Seconds(90)).status();
    ++outcomes[absl::StatusCodeToString(status.code())];
    if (absl::IsInternal(status) || !Defined(status)) {
      std::printf("%s\n---\n%s\n---\n", status.ToString().c_str(),
                  spec.source.c_str());
    }
    if (!Defined(status)) return 1;
  }
  for (const auto& [code, count] : outcomes) {
    std::printf("%s: %d\n", code.c_str(), count);
  }
  return 0;
}

}  // namespace
}  // namespace quern

int main(int argument_count, char** arguments) {
  if (argument_count != 5) return 2;
  return quern::Run(arguments[1], arguments[2], std::stoi(arguments[3]),
                    std::stoull(arguments[4]));
}
