// Small helpers around absl::Status: errors from errno, and early returns.
#ifndef QUERN_PROTO_WIRE_STATUS_H_
#define QUERN_PROTO_WIRE_STATUS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quern {

// The status of a failed system call: `what` says what was tried, for example
// "connect". Maps ENOENT to NotFound, EACCES and EPERM to PermissionDenied,
// EMFILE, ENFILE, ENOMEM, ENOSPC and EDQUOT to ResourceExhausted, EAGAIN,
// ECONNREFUSED, ECONNRESET and EPIPE to Unavailable, the rest to Internal.
absl::Status ErrnoStatus(int error_number, std::string_view what);

// Puts `prefix` and ": " before the message of `status`, if it is an error.
absl::Status Annotate(const absl::Status& status, std::string_view prefix);

}  // namespace quern

#define QUERN_STATUS_CONCAT_INNER(a, b) a##b
#define QUERN_STATUS_CONCAT(a, b) QUERN_STATUS_CONCAT_INNER(a, b)

// Returns from the enclosing function if `expression` is not OK.
#define QUERN_RETURN_IF_ERROR(expression)                   \
  do {                                                      \
    if (absl::Status quern_status = (expression);           \
        !quern_status.ok()) {                               \
      return quern_status;                                  \
    }                                                       \
  } while (false)

// Sets `lhs` to the value of the StatusOr `expression`, or returns its error.
#define QUERN_ASSIGN_OR_RETURN(lhs, expression) \
  QUERN_ASSIGN_OR_RETURN_IMPL(                  \
      QUERN_STATUS_CONCAT(quern_or_, __LINE__), lhs, expression)
#define QUERN_ASSIGN_OR_RETURN_IMPL(temporary, lhs, expression) \
  auto temporary = (expression);                                \
  if (!temporary.ok()) return temporary.status();               \
  lhs = *std::move(temporary)

#endif  // QUERN_PROTO_WIRE_STATUS_H_
