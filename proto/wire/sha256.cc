// SHA-256 by the functions of OpenSSL that no provider stands behind. Those
// that OpenSSL 3 has in their place fail where the configuration of the process
// takes the provider away, and take a millisecond for the first digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/wire/sha256.h"

#include <openssl/sha.h>

namespace quern {

Sha256Digest Sha256(std::initializer_list<std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const std::string_view part : parts) {
    SHA256_Update(&context, part.data(), part.size());
  }
  Sha256Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

}  // namespace quern
