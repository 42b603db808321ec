// The names of the instruction set extensions that the two targets know.
#include "compiler/codegen/target_features.h"

namespace quern {
namespace {

constexpr const char* kX86[] = {
    "adx",
    "aes",
    "avx",
    "avx2",
    "avx512bf16",
    "avx512bitalg",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "avx512f",
    "avx512fp16",
    "avx512ifma",
    "avx512vbmi",
    "avx512vbmi2",
    "avx512vl",
    "avx512vnni",
    "avx512vp2intersect",
    "avx512vpopcntdq",
    "avxifma",
    "avxneconvert",
    "avxvnni",
    "avxvnniint16",
    "avxvnniint8",
    "bmi",
    "bmi2",
    "cmov",
    "crc32",
    "cx16",
    "cx8",
    "f16c",
    "fma",
    "fma4",
    "gfni",
    "lzcnt",
    "mmx",
    "movbe",
    "pclmul",
    "popcnt",
    "prfchw",
    "sahf",
    "sha",
    "sse",
    "sse2",
    "sse3",
    "sse4.1",
    "sse4.2",
    "sse4a",
    "ssse3",
    "tbm",
    "vaes",
    "vpclmulqdq",
    "xop",
};

constexpr const char* kAArch64[] = {
    "aes",    "bf16",     "complxnum", "crc",     "dotprod",  "f32mm",
    "f64mm",  "fp-armv8", "fp16fml",   "fptoint", "fullfp16", "i8mm",
    "jsconv", "lse",      "lse2",      "neon",    "rcpc",     "rcpc-immo",
    "rdm",    "sha2",     "sha3",      "sm4",     "sve",      "sve2",
};

}  // namespace

absl::Span<const char* const> X86Extensions() { return kX86; }

absl::Span<const char* const> AArch64Extensions() { return kAArch64; }

}  // namespace quern
