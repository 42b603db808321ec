// Putting something in the place of missing standard descriptors.
#include "proto/wire/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

namespace quern {

bool HoldStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free, which is this one. Opened the wrong way
    // round, so that its use fails as it did.
    const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) != fd) return false;
  }
  return true;
}

}  // namespace quern
