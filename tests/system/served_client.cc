// A client of served launches that does what lines on its standard input say,
// and answers each with a line: for drills. Objects are named by numbers from
// 0.
//
//   compile FILE            ok KEY          buffer BYTES     ok NUMBER
//   load KEY                ok ID           free NUMBER      ok
//   unload ID               ok              ring SLOTS       ok NUMBER
//   fill BUFFER COUNT F32   ok              close RING       ok
//   peek BUFFER INDEX       ok F32
//   submit RING ID X Y Z TAG ARGUMENT...    ok SUBMITTED
//   wait RING MAX MS        ok TAG:CODE:STATUS:DETAIL...
//   stream RING ID COUNT ARGUMENT...        ok NANOSECONDS
//   fork RING               ok CODE         pid      ok PID
//
// An argument is a number, or B+OFFSET for a byte of buffer B. What fails is
// answered with `error CODE MESSAGE`.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "quern/quern.hpp"

namespace {

using Words = std::istringstream;
using quern::Error;

class Drill {
 public:
  Drill(quern::Client client, quern::Session session)
      : client_(std::move(client)), session_(std::move(session)) {}

  std::string Do(const std::string& line) {
    Words words(line);
    std::string command;
    words >> command;
    static const std::map<std::string, std::string (Drill::*)(Words&)>
        kCommands = {
            {"compile", &Drill::Compile}, {"load", &Drill::Load},
            {"unload", &Drill::Unload},   {"buffer", &Drill::NewBuffer},
            {"free", &Drill::Free},       {"ring", &Drill::NewRing},
            {"close", &Drill::Close},     {"fill", &Drill::Fill},
            {"peek", &Drill::Peek},       {"submit", &Drill::Submit},
            {"wait", &Drill::Wait},       {"stream", &Drill::Stream},
            {"fork", &Drill::Fork},       {"pid", &Drill::Pid}};
    const auto found = kCommands.find(command);
    return found == kCommands.end() ? "error 3 unknown command"
                                    : (this->*found->second)(words);
  }

 private:
  static std::string Ok(const std::string& text = "") {
    return text.empty() ? "ok" : "ok " + text;
  }
  static std::string Failed(const Error& error) {
    return "error " + std::to_string(error.code) + " " + error.message;
  }

  std::string Compile(Words& words) {
    std::string path;
    words >> path;
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    quern::Result<quern::Kernel> kernel = client_.Compile(text);
    if (!kernel.ok()) return Failed(kernel.error());
    std::string hex;
    for (const uint8_t byte : kernel->key()) {
      hex += "0123456789abcdef"[byte >> 4];
      hex += "0123456789abcdef"[byte & 15];
    }
    return Ok(hex);
  }

  std::string Load(Words& words) {
    std::string hex;
    words >> hex;
    std::array<uint8_t, 32> key = {};
    for (size_t i = 0; i < key.size() && 2 * i + 1 < hex.size(); ++i) {
      key[i] =
          static_cast<uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    }
    const quern::Result<uint32_t> id = session_.Load(key);
    return id.ok() ? Ok(std::to_string(*id)) : Failed(id.error());
  }

  std::string Unload(Words& words) {
    uint32_t id = 0;
    words >> id;
    const Error error = session_.Unload(id);
    return error ? Failed(error) : Ok();
  }

  std::string NewBuffer(Words& words) {
    uint64_t size_bytes = 0;
    words >> size_bytes;
    quern::Result<quern::Buffer> buffer = session_.NewBuffer(size_bytes);
    if (!buffer.ok()) return Failed(buffer.error());
    buffers_.emplace(next_, std::move(*buffer));
    return Ok(std::to_string(next_++));
  }

  std::string Free(Words& words) {
    int number = 0;
    words >> number;
    buffers_.erase(number);
    return Ok();
  }

  std::string NewRing(Words& words) {
    uint32_t slots = 0;
    words >> slots;
    quern::Result<quern::Ring> ring = session_.NewRing(slots);
    if (!ring.ok()) return Failed(ring.error());
    rings_.emplace(next_, std::move(*ring));
    return Ok(std::to_string(next_++));
  }

  std::string Close(Words& words) {
    int number = 0;
    words >> number;
    rings_.erase(number);
    return Ok();
  }

  std::string Fill(Words& words) {
    int number = 0;
    size_t count = 0;
    float value = 0;
    words >> number >> count >> value;
    std::fill_n(static_cast<float*>(buffers_.at(number).data()), count, value);
    return Ok();
  }

  std::string Peek(Words& words) {
    int number = 0;
    size_t index = 0;
    words >> number >> index;
    return Ok(std::to_string(
        static_cast<const float*>(buffers_.at(number).data())[index]));
  }

  std::vector<uint64_t> Arguments(Words& words) const {
    std::vector<uint64_t> arguments;
    for (std::string word; words >> word;) {
      const size_t plus = word.find('+');
      if (plus == std::string::npos) {
        arguments.push_back(std::stoull(word));
      } else {
        arguments.push_back(buffers_.at(std::stoi(word.substr(0, plus)))
                                .At(std::stoull(word.substr(plus + 1)))
                                .argument);
      }
    }
    return arguments;
  }

  std::string Submit(Words& words) {
    int ring = 0;
    quern_served_launch launch = {};
    words >> ring >> launch.kernel >> launch.grid.x >> launch.grid.y >>
        launch.grid.z >> launch.tag;
    const std::vector<uint64_t> arguments = Arguments(words);
    launch.args = arguments.data();
    launch.argument_count = arguments.size();
    const quern::Result<size_t> count = rings_.at(ring).Submit(&launch, 1);
    return count.ok() ? Ok(std::to_string(*count)) : Failed(count.error());
  }

  std::string Wait(Words& words) {
    int ring = 0;
    size_t count_max = 0;
    uint32_t timeout_ms = 0;
    words >> ring >> count_max >> timeout_ms;
    std::vector<quern_completion> completions(count_max);
    const quern::Result<size_t> count =
        rings_.at(ring).Wait(completions.data(), count_max, timeout_ms);
    if (!count.ok()) return Failed(count.error());
    std::string text;
    for (size_t i = 0; i < *count; ++i) {
      const quern_completion& each = completions[i];
      text += (i == 0 ? "" : " ") + std::to_string(each.tag) + ":" +
              std::to_string(each.code) + ":" + std::to_string(each.status) +
              ":" + std::to_string(each.detail);
    }
    return Ok(text);
  }

  // Keeps the ring full, and checks that every launch comes back, once and in
  // its turn.
  std::string Stream(Words& words) {
    int number = 0;
    quern_served_launch launch = {};
    uint64_t count = 0;
    words >> number >> launch.kernel >> count;
    const std::vector<uint64_t> arguments = Arguments(words);
    launch.args = arguments.data();
    launch.argument_count = arguments.size();
    launch.grid.x = 1;
    quern::Ring& ring = rings_.at(number);
    uint64_t submitted = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (uint64_t expected = 1; expected <= count;) {
      while (submitted < count) {
        launch.tag = submitted + 1;
        const quern::Result<size_t> taken = ring.Submit(&launch, 1);
        if (!taken.ok()) return Failed(taken.error());
        if (*taken == 0) break;
        ++submitted;
      }
      quern_completion done[64];
      const quern::Result<size_t> taken = ring.Wait(done, 64, 60'000);
      if (!taken.ok()) return Failed(taken.error());
      if (*taken == 0) return "error 4 no completion came";
      for (size_t i = 0; i < *taken; ++i) {
        if (done[i].tag != expected || done[i].code != QUERN_OK) {
          return "error 15 launch " + std::to_string(expected) + " came as " +
                 std::to_string(done[i].tag) + " with code " +
                 std::to_string(done[i].code);
        }
        ++expected;
      }
    }
    return Ok(std::to_string(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin)
            .count()));
  }

  // What a forked child gets when it uses the ring.
  std::string Fork(Words& words) {
    int ring = 0;
    words >> ring;
    const pid_t child = ::fork();
    if (child == 0) {
      const quern_served_launch launch = {};
      const quern::Result<size_t> result = rings_.at(ring).Submit(&launch, 1);
      const quern::Result<quern::Buffer> buffer = session_.NewBuffer(4096);
      if (buffer.ok() || result.ok()) ::_exit(0);
      ::_exit(result.error().code == buffer.error().code
                  ? static_cast<int>(result.error().code)
                  : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return Ok(std::to_string(WEXITSTATUS(status)));
  }

  std::string Pid(Words&) { return Ok(std::to_string(::getpid())); }

  quern::Client client_;
  quern::Session session_;
  std::map<int, quern::Buffer> buffers_;
  std::map<int, quern::Ring> rings_;
  int next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string rpc = std::string(argv[1]) + "/rpc.sock";
  const std::string attach = std::string(argv[1]) + "/attach.sock";
  quern_client_options options = {};
  options.size_bytes = sizeof(options);
  options.rpc_path = rpc.c_str();
  options.attach_path = attach.c_str();
  quern::Result<quern::Client> client = quern::Client::Connect(&options);
  if (!client.ok()) {
    std::cerr << client.error().message << "\n";
    return 1;
  }
  quern::Result<quern::Session> session = client->NewSession();
  if (!session.ok()) {
    std::cerr << session.error().message << "\n";
    return 1;
  }
  Drill drill(std::move(*client), std::move(*session));
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << drill.Do(line) << std::endl;
  }
  return 0;
}
