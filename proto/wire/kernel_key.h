// The name of a kernel: SHA-256 of everything that it was compiled from.
#ifndef QUERN_PROTO_WIRE_KERNEL_KEY_H_
#define QUERN_PROTO_WIRE_KERNEL_KEY_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/wire/sha256.h"

namespace quern {

// 32 bytes of SHA-256. A value; equal keys name equal kernels.
struct KernelKey {
  Sha256Digest bytes{};

  friend bool operator==(const KernelKey&, const KernelKey&) = default;
  friend auto operator<=>(const KernelKey&, const KernelKey&) = default;

  // 64 lower-case hexadecimal digits.
  std::string ToHex() const;

  // InvalidArgument: not 64 hexadecimal digits.
  static absl::StatusOr<KernelKey> FromHex(std::string_view hex);

  // InvalidArgument: not 32 bytes.
  static absl::StatusOr<KernelKey> FromBytes(std::string_view bytes);

  template <typename H>
  friend H AbslHashValue(H state, const KernelKey& key) {
    uint64_t prefix;  // The bytes are uniform already.
    std::memcpy(&prefix, key.bytes.data(), sizeof(prefix));
    return H::combine(std::move(state), prefix);
  }
};

// Identifies the compiler: SHA-256 over the GNU build ids of the compile
// worker, libMLIR and libLLVM.
using BuildId = Sha256Digest;

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_KERNEL_KEY_H_
