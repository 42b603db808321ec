// Big cores first.
#include "server/executor/preferred_cpus.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace quern {
namespace {

CpuMask Bits(uint64_t low) { return CpuMask{low}; }

TEST(PreferredCpusTest, CpusOfOneKindAreAllTheSame) {
  EXPECT_EQ(PreferredCpus(std::vector<uint64_t>{1024, 1024}), CpuMask{});
  EXPECT_EQ(PreferredCpus({}), CpuMask{});
}

TEST(PreferredCpusTest, TheSlowestKindIsLeftOut) {
  EXPECT_EQ(PreferredCpus(std::vector<uint64_t>{446, 446, 1024, 1024}),
            Bits(0b1100));
  EXPECT_EQ(PreferredCpus(std::vector<uint64_t>{1024, 300, 700, 300}),
            Bits(0b0101));
}

TEST(PreferredCpusTest, AKernelThatDoesNotTellMeansAny) {
  EXPECT_EQ(PreferredCpus(std::vector<uint64_t>{0, 1024}), CpuMask{});
}

TEST(PreferredCpusTest, MoreCpusThanTheMaskHasAreLeftOut) {
  std::vector<uint64_t> capacities(1025, 1024);
  capacities[0] = 512;
  const CpuMask mask = PreferredCpus(capacities);
  EXPECT_EQ(mask[0], ~uint64_t{1});
  EXPECT_EQ(mask[15], ~uint64_t{0});
}

TEST(PreferredCpusTest, CapacitiesAreReadFromTheKernelsFiles) {
  const std::filesystem::path folder =
      testing::TempDir() + "/capacities-" + std::to_string(::getpid());
  for (const int cpu : {0, 1, 2, 4}) {
    const auto path = folder / ("cpu" + std::to_string(cpu));
    std::filesystem::create_directories(path);
    if (cpu != 1) std::ofstream(path / "cpu_capacity") << 100 + cpu << "\n";
  }
  EXPECT_EQ(ReadCpuCapacities(folder), (std::vector<uint64_t>{100, 0, 102}));
  EXPECT_TRUE(ReadCpuCapacities(folder / "none").empty());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace quern
