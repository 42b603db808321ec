// The log, over pipes.
#include "server/core/logger.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "proto/wire/unique_fd.h"

namespace quern {
namespace {

class LoggerTest : public testing::Test {
 protected:
  LoggerTest() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }

  // What the pipe holds; the pipe must not be empty.
  std::string Logged() {
    std::string text(size_t{1} << 20, '\0');
    const ssize_t size = ::read(reader_.get(), text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
  }

  UniqueFd reader_;
  UniqueFd writer_;
};

TEST_F(LoggerTest, AMessageIsOneLineWithItsLevel) {
  const auto logger = NewFdLogger(writer_.get(), LogLevel::kInfo);
  logger->Log(LogLevel::kDebug, "too much");
  logger->Log(LogLevel::kWarning, "one\ntwo");
  const std::string text = Logged();
  EXPECT_EQ(text.substr(text.find(' ')), " WARNING one?two\n");
}

TEST_F(LoggerTest, AReaderThatDoesNotReadHoldsUpNobody) {
  const auto logger = NewFdLogger(writer_.get(), LogLevel::kInfo);
  const std::string message(1000, 'm');
  // More than a pipe holds.
  for (int i = 0; i < 2000; ++i) logger->Log(LogLevel::kInfo, message);
  EXPECT_GT(Logged().size(), message.size());
  logger->Log(LogLevel::kInfo, "again");
  EXPECT_NE(Logged().find("again"), std::string::npos);
}

}  // namespace
}  // namespace quern
