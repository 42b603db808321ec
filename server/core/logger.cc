// The logger over a descriptor.
#include "server/core/logger.h"

#include <poll.h>
#include <unistd.h>

#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace quern {
namespace {

// Longer messages are cut.
constexpr size_t kMessageSizeMax = 2048;

std::string_view LevelText(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kWarning:
      return "WARNING";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kDebug:
      return "DEBUG";
  }
  return "ERROR";
}

class FdLogger final : public Logger {
 public:
  FdLogger(int fd, LogLevel level) : fd_(fd), level_(level) {}

  void Log(LogLevel level, std::string_view message) override {
    if (level > level_) return;
    std::string line =
        absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                                      absl::UTCTimeZone()),
                     " ", std::string(LevelText(level)), " ");
    for (const char byte : message.substr(0, kMessageSizeMax)) {
      const auto value = static_cast<unsigned char>(byte);
      line.push_back(value < 0x20 || value == 0x7f ? '?' : byte);
    }
    line.push_back('\n');
    // Where a reader has fallen behind, lines are lost: who logs does not wait.
    // One at a time: there is room for one line.
    const std::lock_guard lock(mutex_);
    pollfd room = {.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 0) == 0) return;
    // A log that cannot be written has nobody to tell it to.
    if (::write(fd_, line.data(), line.size()) < 0) return;
  }

 private:
  const int fd_;
  const LogLevel level_;
  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Logger> NewFdLogger(int fd, LogLevel level) {
  return std::make_unique<FdLogger>(fd, level);
}

}  // namespace quern
