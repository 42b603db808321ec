// The compile spec: everything that can change the code of a kernel, and the
// key that follows from it.
//
// Clients, the daemon and the compile worker all form keys, so the spec and
// its canonical bytes are part of the wire contract. All types are values.
#ifndef QUERN_PROTO_WIRE_COMPILE_SPEC_H_
#define QUERN_PROTO_WIRE_COMPILE_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// What language a source is in. The numbers are part of the key.
enum class SourceFormat : uint8_t {
  kTritonIr = 1,  // Triton IR text, as Triton 3.3 to 3.9 print it.
  kMlir = 2,      // MLIR text or bytecode in upstream dialects.
  kLlvmIr = 3,    // LLVM IR text or bitcode.
};

// The processor that code is made for.
struct TargetSpec {
  std::string triple;                 // "x86_64-unknown-linux-gnu".
  std::string cpu;                    // LLVM's name, "znver4".
  std::vector<std::string> features;  // "+avx2", "-sse4a"; sorted, each once.
  uint32_t vector_length_bytes = 0;   // 0: does not depend on it.

  // The host that the daemon runs on. Resolved before a key is made.
  bool IsHost() const { return triple.empty(); }

  friend bool operator==(const TargetSpec&, const TargetSpec&) = default;
};

// What a caller says of one argument beyond what the IR says.
struct ArgumentSpec {
  // Triton's spelling: "*fp32", "i32", "fp64", "*i1", ... Must agree with the
  // IR.
  std::string type;
  // The value (an address for pointers) is a multiple of this; 1 says nothing.
  uint32_t divisibility = 1;
  // The argument always has this value: the integer, or the bits of the float.
  std::optional<uint64_t> constant;

  friend bool operator==(const ArgumentSpec&, const ArgumentSpec&) = default;
};

// Choices that change the code.
struct CompileOptions {
  // a * b + c may be rounded once.
  bool fp_contract = true;

  friend bool operator==(const CompileOptions&,
                         const CompileOptions&) = default;
};

struct CompileSpec {
  SourceFormat format = SourceFormat::kTritonIr;
  std::string source;
  std::string entry;  // Empty: the only public function.
  std::vector<ArgumentSpec> signature;  // Empty: as the IR says.
  TargetSpec target;
  CompileOptions options;

  friend bool operator==(const CompileSpec&, const CompileSpec&) = default;
};

// The bytes that a key digests: a format version, then every field in order,
// each with its length before it, little-endian. Injective: two specs with
// equal bytes are equal.
std::string CanonicalBytes(const CompileSpec& spec);

// The inverse of CanonicalBytes.
//
// InvalidArgument: not what CanonicalBytes wrote.
absl::StatusOr<CompileSpec> ParseSpec(std::string_view canonical_bytes);

// The same for a target alone; ParseTarget is its inverse.
std::string CanonicalBytes(const TargetSpec& target);

// InvalidArgument: not what CanonicalBytes wrote.
absl::StatusOr<TargetSpec> ParseTarget(std::string_view canonical_bytes);

// The key of `spec` compiled by the compiler `build_id`. `spec.target` must
// not be the host.
KernelKey KeyOf(const CompileSpec& spec, const BuildId& build_id);

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_COMPILE_SPEC_H_
