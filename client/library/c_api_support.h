// What the files of the C ABI share.
#ifndef QUERN_CLIENT_LIBRARY_C_API_SUPPORT_H_
#define QUERN_CLIENT_LIBRARY_C_API_SUPPORT_H_

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/include/quern/quern.h"
#include "client/library/client.h"

struct quern_client {
  std::unique_ptr<quern::Client> client;
};

struct quern_kernel {
  quern::KernelRef kernel;
};

namespace quern {

static_assert(sizeof(quern_error) == 1024);

// The code of `status`; its message goes into `error`, which may be null.
inline quern_code Report(const absl::Status& status, quern_error* error) {
  const auto code = static_cast<quern_code>(status.code());
  if (!status.ok() && error != nullptr) {
    error->code = code;
    const absl::string_view message = status.message();
    const size_t size = std::min(message.size(), sizeof(error->message) - 1);
    std::memcpy(error->message, message.data(), size);
    error->message[size] = '\0';
  }
  return code;
}

}  // namespace quern

#endif  // QUERN_CLIENT_LIBRARY_C_API_SUPPORT_H_
