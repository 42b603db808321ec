// Where the daemon says what it does: one line a message, by level.
#ifndef QUERN_SERVER_CORE_LOGGER_H_
#define QUERN_SERVER_CORE_LOGGER_H_

#include <memory>
#include <string_view>

namespace quern {

enum class LogLevel { kError = 1, kWarning = 2, kInfo = 3, kDebug = 4 };

// Thread-safe.
class Logger {
 public:
  virtual ~Logger() = default;

  // Writes `message`, which may hold any bytes; what is not printable is
  // replaced, so that no message can pass for two.
  virtual void Log(LogLevel level, std::string_view message) = 0;
};

// Writes messages up to `level` to the descriptor `fd`, each with one write.
// Nobody waits for a pipe that is full: its message is lost.
std::unique_ptr<Logger> NewFdLogger(int fd, LogLevel level);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_LOGGER_H_
