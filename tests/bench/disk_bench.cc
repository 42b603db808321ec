// What a kernel from disk costs the daemon, without the RPC around it: reading
// the file, checking it, all of a Get; and a write, which nobody waits for.
// The argument is the size of the image in bytes.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "cache/disk_entry.h"
#include "cache/disk_image_store.h"
#include "cache/posix_file_ops.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

constexpr uint64_t kEntrySizeMax = uint64_t{32} << 20;

// A folder with one entry in it.
class Setup final {
 public:
  explicit Setup(int64_t image_size_bytes)
      : image_(std::make_shared<const std::string>(
            FakeImage(key_, "kernel", FakeHostMachine(),
                      static_cast<uint64_t>(image_size_bytes)))) {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
    store_ = NewDiskImageStore(*OpenFolder(folder_), {}, absl::Now);
    auto spec = std::make_shared<CompileSpec>();
    for (int i = 0; i < 100; ++i) spec->source += "%0 = arith.addf %x, %y\n";
    spec_ = spec;
    if (!Put().ok()) std::abort();
  }
  ~Setup() { std::filesystem::remove_all(folder_); }

  absl::Status Put() { return store_->Put(key_, image_, spec_); }
  const std::string& folder() const { return folder_; }
  const KernelKey& key() const { return key_; }
  DiskImageStore& store() { return *store_; }

 private:
  const KernelKey key_ = FakeKey(1);
  const Image image_;
  SourceSpec spec_;
  std::string folder_ = "/tmp/quern-bench-XXXXXX";
  std::unique_ptr<DiskImageStore> store_;
};

void ReadFile(benchmark::State& state) {
  Setup setup(state.range(0));
  const auto files = *OpenFolder(setup.folder());
  const std::string name = setup.key().ToHex();
  for (auto _ : state) {
    benchmark::DoNotOptimize(files->Read(name, kEntrySizeMax));
  }
}

void CheckEntry(benchmark::State& state) {
  Setup setup(state.range(0));
  const auto files = *OpenFolder(setup.folder());
  const std::string bytes = *files->Read(setup.key().ToHex(), kEntrySizeMax);
  for (auto _ : state) {
    benchmark::DoNotOptimize(CheckDiskEntry(bytes, setup.key()));
  }
}

void Get(benchmark::State& state) {
  Setup setup(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(setup.store().Get(setup.key()));
  }
}

void TryGet(benchmark::State& state) {
  Setup setup(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(setup.store().TryGet(setup.key()));
  }
}

void Miss(benchmark::State& state) {
  Setup setup(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(setup.store().Get(FakeKey(2)));
  }
}

void GetSource(benchmark::State& state) {
  Setup setup(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(setup.store().GetSource(setup.key()));
  }
}

void Put(benchmark::State& state) {
  Setup setup(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(setup.Put());
}

BENCHMARK(ReadFile)->Arg(2048)->Arg(65536)->Arg(1 << 20);
BENCHMARK(CheckEntry)->Arg(2048)->Arg(65536)->Arg(1 << 20);
BENCHMARK(Get)->Arg(2048)->Arg(65536)->Arg(1 << 20);
BENCHMARK(TryGet)->Arg(2048)->Arg(65536);
BENCHMARK(Miss)->Arg(2048);
BENCHMARK(GetSource)->Arg(2048);
BENCHMARK(Put)->Arg(2048);

}  // namespace
}  // namespace quern

BENCHMARK_MAIN();
