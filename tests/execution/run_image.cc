// Runs kernel images on prepared arguments: what tests use on this machine and,
// cross-compiled, under emulation. Knows nothing of the compiler.
//
//   run-image JOBS
//
// JOBS is a text file; each job is a few lines:
//
//   image PATH          the kernel image
//   grid X Y Z
//   scalar HEX          an argument, by its bits
//   buffer PATH         an argument: a pointer to the bytes of the file, which
//                       are written back after the run
//   again NUMBER        the pointer of an earlier argument, counted from 0
//   run                 runs the kernel on the arguments so far, in their order
//
// After each job a line "ok", or "failed: WHY", is printed. Every job runs
// twice, with its buffers up against an unmapped page behind them and before
// them, the second time as two slices of the grid; both must give the same
// bytes. A kernel that touches memory outside its buffers ends the process.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/execution/loaded_image.h"

namespace {

// Pointers promise this alignment to kernels.
constexpr size_t kAlignment = 64;
constexpr unsigned char kSlack = 0xa5;

size_t PageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

// Memory with an unmapped page on either side. What does not fill the last
// (or first) page is slack, filled with a pattern that must survive.
class GuardedBuffer final {
 public:
  GuardedBuffer(const std::string& bytes, bool at_end) : size_(bytes.size()) {
    const size_t page = PageSize();
    inner_size_ = (size_ + page - 1) / page * page;
    if (inner_size_ == 0) inner_size_ = page;
    total_size_ = inner_size_ + 2 * page;
    void* base = mmap(nullptr, total_size_, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) std::abort();
    base_ = static_cast<unsigned char*>(base);
    inner_ = base_ + page;
    if (mprotect(inner_, inner_size_, PROT_READ | PROT_WRITE) != 0) {
      std::abort();
    }
    std::memset(inner_, kSlack, inner_size_);
    const size_t from_end = (size_ + kAlignment - 1) / kAlignment * kAlignment;
    data_ = at_end ? inner_ + inner_size_ - from_end : inner_;
    std::memcpy(data_, bytes.data(), size_);
  }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer() { munmap(base_, total_size_); }

  uint64_t address() const { return reinterpret_cast<uint64_t>(data_); }
  std::string bytes() const {
    return std::string(reinterpret_cast<const char*>(data_), size_);
  }
  bool SlackIsUntouched() const {
    for (size_t i = 0; i < inner_size_; ++i) {
      const unsigned char* place = inner_ + i;
      const bool is_slack = place < data_ || place >= data_ + size_;
      if (is_slack && *place != kSlack) return false;
    }
    return true;
  }

 private:
  size_t size_;
  size_t inner_size_;
  size_t total_size_;
  unsigned char* base_;
  unsigned char* inner_;
  unsigned char* data_;
};

struct Argument {
  bool is_buffer;
  uint64_t scalar;  // Or the number of the argument that is passed again.
  std::string path;
  bool is_again = false;
};

struct Job {
  std::string image;
  uint32_t grid[3] = {1, 1, 1};
  std::vector<Argument> arguments;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The grid's programs [begin, end), with scratch of their own.
int32_t RunSlice(const quern::LoadedImage& image, const quern_launch& launch,
                 uint64_t begin, uint64_t end) {
  const size_t size = image.header().scratch_size_bytes + kAlignment;
  std::unique_ptr<void, decltype(&std::free)> scratch(
      std::aligned_alloc(kAlignment, size / kAlignment * kAlignment),
      &std::free);
  std::memset(scratch.get(), 0xcb, size / kAlignment * kAlignment);
  return image.entry()(&launch, begin, end, scratch.get());
}

// Runs the job once; the buffers' bytes afterwards, or an empty list and a
// reason.
std::vector<std::string> RunOnce(const quern::LoadedImage& image,
                                 const Job& job,
                                 const std::vector<std::string>& inputs,
                                 bool at_end, std::string& reason) {
  std::vector<std::unique_ptr<GuardedBuffer>> buffers;
  std::vector<uint64_t> slots;
  for (const Argument& argument : job.arguments) {
    if (argument.is_again) {
      slots.push_back(slots.at(argument.scalar));
      continue;
    }
    if (!argument.is_buffer) {
      slots.push_back(argument.scalar);
      continue;
    }
    buffers.push_back(
        std::make_unique<GuardedBuffer>(inputs[buffers.size()], at_end));
    slots.push_back(buffers.back()->address());
  }
  const quern_launch launch = {
      slots.data(), {job.grid[0], job.grid[1], job.grid[2]}, 0, nullptr};
  const uint64_t count = uint64_t{job.grid[0]} * job.grid[1] * job.grid[2];
  const uint64_t middle = at_end ? count : count / 2;
  for (const auto& [begin, end] :
       {std::pair{uint64_t{0}, middle}, std::pair{middle, count}}) {
    if (begin == end) continue;
    if (const int32_t code = RunSlice(image, launch, begin, end); code != 0) {
      reason = "the kernel returned " + std::to_string(code);
      return {};
    }
  }
  std::vector<std::string> outputs;
  for (const auto& buffer : buffers) {
    if (!buffer->SlackIsUntouched()) {
      reason = "bytes beside buffer " + std::to_string(outputs.size()) +
               " were written";
      return {};
    }
    outputs.push_back(buffer->bytes());
  }
  return outputs;
}

std::string Run(const Job& job) {
  const quern::LoadedImage image(ReadFile(job.image));
  if (image.header().argument_count != job.arguments.size()) {
    return "the kernel has " + std::to_string(image.header().argument_count) +
           " arguments";
  }
  std::vector<std::string> inputs;
  for (const Argument& argument : job.arguments) {
    if (argument.is_buffer) inputs.push_back(ReadFile(argument.path));
  }
  std::string reason;
  const auto first = RunOnce(image, job, inputs, true, reason);
  if (!reason.empty()) return reason;
  const auto second = RunOnce(image, job, inputs, false, reason);
  if (!reason.empty()) return reason;
  if (first != second) return "two runs differ";
  size_t next = 0;
  for (const Argument& argument : job.arguments) {
    if (!argument.is_buffer) continue;
    std::ofstream(argument.path, std::ios::binary) << first[next++];
  }
  return "";
}

void Report(const std::string& reason) {
  if (reason.empty()) {
    std::printf("ok\n");
  } else {
    std::printf("failed: %s\n", reason.c_str());
  }
  std::fflush(stdout);
}

// Says where, and ends: the driver goes on with the next job.
void OnFault(int, siginfo_t* info, void*) {
  std::printf("failed: a fault at address %p\n", info->si_addr);
  std::fflush(stdout);
  _exit(3);
}

int RunAll(std::istream& lines) {
  Job job;
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word, rest;
    words >> word;
    if (word == "image") {
      job = Job();
      words >> job.image;
    } else if (word == "grid") {
      words >> job.grid[0] >> job.grid[1] >> job.grid[2];
    } else if (word == "scalar") {
      words >> rest;
      job.arguments.push_back(
          {false, std::strtoull(rest.c_str(), nullptr, 16), "", false});
    } else if (word == "buffer") {
      words >> rest;
      job.arguments.push_back({true, 0, rest, false});
    } else if (word == "again") {
      words >> rest;
      job.arguments.push_back(
          {false, std::strtoull(rest.c_str(), nullptr, 10), "", true});
    } else if (word == "run") {
      Report(Run(job));
    } else {
      std::fprintf(stderr, "unknown line: %s\n", line.c_str());
      return 2;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: run-image JOBS\n");
    return 2;
  }
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) {
    sigaction(signal, &action, nullptr);
  }
  std::ifstream jobs(argv[1]);
  return RunAll(jobs);
}
