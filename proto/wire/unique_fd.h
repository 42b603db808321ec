// A file descriptor with one owner, closed when the owner goes.
//
// Not thread-safe; movable, not copyable.
#ifndef QUERN_PROTO_WIRE_UNIQUE_FD_H_
#define QUERN_PROTO_WIRE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace quern {

class UniqueFd final {
 public:
  UniqueFd() = default;
  // Takes ownership of `fd`; a negative number means none.
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Gives the descriptor away without closing it.
  int release() { return std::exchange(fd_, -1); }

  void reset(int fd = -1) {
    const int old = std::exchange(fd_, fd);
    if (old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_UNIQUE_FD_H_
