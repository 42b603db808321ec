// Sources that no cache has seen.
#include <sys/random.h>

#include <cstdint>

#include "absl/strings/str_format.h"
#include "client/cli/sample_kernels.h"

namespace quern {

std::string Unseen(std::string_view source) {
  uint64_t number[2] = {};
  if (::getrandom(number, sizeof(number), 0) !=
      static_cast<ssize_t>(sizeof(number))) {
    number[0] = reinterpret_cast<uintptr_t>(&number);
  }
  return absl::StrFormat("// %016x%016x\n", number[0], number[1]) +
         std::string(source);
}

}  // namespace quern
