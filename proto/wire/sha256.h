// SHA-256 (FIPS 180-4), which names kernels and guards images and disk entries.
#ifndef QUERN_PROTO_WIRE_SHA256_H_
#define QUERN_PROTO_WIRE_SHA256_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace quern {

using Sha256Digest = std::array<uint8_t, 32>;

// The digest of the parts, one after the other. Cannot fail.
Sha256Digest Sha256(std::initializer_list<std::string_view> parts);

inline Sha256Digest Sha256(std::string_view bytes) { return Sha256({bytes}); }

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_SHA256_H_
