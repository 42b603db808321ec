// Detects the host's processor.
#include "compiler/codegen/host.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace quern {
namespace {

// A bit of AT_HWCAP (word 0) or AT_HWCAP2 (word 1), as Linux numbers them.
struct HwcapBit {
  uint8_t word;
  uint8_t bit;
  const char* feature;
};

constexpr HwcapBit kHwcapBits[] = {
    {0, 0, "fp-armv8"},   {0, 1, "neon"},     {0, 3, "aes"},
    {0, 6, "sha2"},       {0, 7, "crc"},      {0, 8, "lse"},
    {0, 10, "fullfp16"},  {0, 12, "rdm"},     {0, 13, "jsconv"},
    {0, 14, "complxnum"}, {0, 15, "rcpc"},    {0, 17, "sha3"},
    {0, 19, "sm4"},       {0, 20, "dotprod"}, {0, 22, "sve"},
    {0, 23, "fp16fml"},   {0, 25, "lse2"},    {0, 26, "rcpc-immo"},
    {1, 1, "sve2"},       {1, 8, "fptoint"},  {1, 10, "f32mm"},
    {1, 11, "f64mm"},     {1, 13, "i8mm"},    {1, 14, "bf16"},
};

// The part of MIDR_EL1 that names a core: implementer and part number.
struct ArmCore {
  uint32_t implementer;
  uint32_t part;
  const char* name;
};

constexpr ArmCore kArmCores[] = {
    {0x41, 0xd03, "cortex-a53"},   {0x41, 0xd04, "cortex-a35"},
    {0x41, 0xd05, "cortex-a55"},   {0x41, 0xd07, "cortex-a57"},
    {0x41, 0xd08, "cortex-a72"},   {0x41, 0xd09, "cortex-a73"},
    {0x41, 0xd0a, "cortex-a75"},   {0x41, 0xd0b, "cortex-a76"},
    {0x41, 0xd0c, "neoverse-n1"},  {0x41, 0xd0d, "cortex-a77"},
    {0x41, 0xd0e, "cortex-a76ae"}, {0x41, 0xd40, "neoverse-v1"},
    {0x41, 0xd41, "cortex-a78"},   {0x41, 0xd42, "cortex-a78ae"},
    {0x41, 0xd44, "cortex-x1"},    {0x41, 0xd46, "cortex-a510"},
    {0x41, 0xd47, "cortex-a710"},  {0x41, 0xd48, "cortex-x2"},
    {0x41, 0xd49, "neoverse-n2"},  {0x41, 0xd4b, "cortex-a78c"},
    {0x41, 0xd4d, "cortex-a715"},  {0x41, 0xd4e, "cortex-x3"},
    {0x41, 0xd4f, "neoverse-v2"},  {0x41, 0xd80, "cortex-a520"},
    {0x41, 0xd81, "cortex-a720"},  {0x41, 0xd82, "cortex-x4"},
    {0x41, 0xd84, "neoverse-v3"},  {0x41, 0xd8e, "neoverse-n3"},
    {0x48, 0xd01, "tsv110"},       {0x46, 0x001, "a64fx"},
    {0xc0, 0xac3, "ampere1"},      {0xc0, 0xac4, "ampere1a"},
};

const char* CoreName(uint64_t midr) {
  const uint32_t implementer = (midr >> 24) & 0xff;
  const uint32_t part = (midr >> 4) & 0xfff;
  for (const ArmCore& core : kArmCores) {
    if (core.implementer == implementer && core.part == part) return core.name;
  }
  return "generic";
}

#if defined(__aarch64__)
std::vector<uint64_t> ReadMidrs() {
  std::vector<uint64_t> midrs;
  for (int cpu = 0;; ++cpu) {
    std::ifstream file(absl::StrCat("/sys/devices/system/cpu/cpu", cpu,
                                    "/regs/identification/midr_el1"));
    uint64_t midr = 0;
    if (!(file >> std::hex >> midr)) break;
    midrs.push_back(midr);
  }
  constexpr uint64_t kHwcapCpuid = uint64_t{1} << 11;
  if (midrs.empty() && (getauxval(AT_HWCAP) & kHwcapCpuid) != 0) {
    uint64_t midr = 0;  // The kernel answers for this core.
    asm("mrs %0, MIDR_EL1" : "=r"(midr));
    midrs.push_back(midr);
  }
  return midrs;
}
#endif

}  // namespace

TargetSpec Arm64Target(uint64_t hwcap, uint64_t hwcap2,
                       absl::Span<const uint64_t> midrs) {
  TargetSpec spec;
  spec.triple = "aarch64-unknown-linux-gnu";
  spec.cpu = "generic";
  uint32_t highest_part = 0;
  for (uint64_t midr : midrs) {
    const uint32_t part = (midr >> 4) & 0xfff;
    if (std::string_view(CoreName(midr)) == "generic" || part < highest_part)
      continue;
    highest_part = part;
    spec.cpu = CoreName(midr);
  }
  for (const HwcapBit& bit : kHwcapBits) {
    const uint64_t word = bit.word == 0 ? hwcap : hwcap2;
    const bool has = ((word >> bit.bit) & 1) != 0;
    spec.features.push_back(absl::StrCat(has ? "+" : "-", bit.feature));
  }
  std::sort(spec.features.begin(), spec.features.end());
  return spec;
}

TargetSpec DetectHost() {
#if defined(__aarch64__)
  return Arm64Target(getauxval(AT_HWCAP), getauxval(AT_HWCAP2), ReadMidrs());
#else
  TargetSpec spec;
  spec.triple = "x86_64-unknown-linux-gnu";
  spec.cpu = llvm::sys::getHostCPUName().str();
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    spec.features.push_back(
        absl::StrCat(feature.second ? "+" : "-", feature.first().str()));
  }
  std::sort(spec.features.begin(), spec.features.end());
  return spec;
#endif
}

}  // namespace quern
