// Keys and their hexadecimal form.
#include "proto/wire/kernel_key.h"

#include <algorithm>

#include "absl/status/status.h"

namespace quern {
namespace {

// The value of a hexadecimal digit, or -1.
int DigitValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::string KernelKey::ToHex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

absl::StatusOr<KernelKey> KernelKey::FromHex(std::string_view hex) {
  KernelKey key;
  if (hex.size() != 2 * key.bytes.size()) {
    return absl::InvalidArgumentError("a key is 64 hexadecimal digits");
  }
  for (size_t i = 0; i < key.bytes.size(); ++i) {
    const int high = DigitValue(hex[2 * i]);
    const int low = DigitValue(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError("a key is 64 hexadecimal digits");
    }
    key.bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return key;
}

absl::StatusOr<KernelKey> KernelKey::FromBytes(std::string_view bytes) {
  KernelKey key;
  if (bytes.size() != key.bytes.size()) {
    return absl::InvalidArgumentError("a key is 32 bytes");
  }
  std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
  return key;
}

}  // namespace quern
