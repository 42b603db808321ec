// Times of messages as numbers.
#ifndef QUERN_CLIENT_CLI_DURATIONS_H_
#define QUERN_CLIENT_CLI_DURATIONS_H_

#include <google/protobuf/duration.pb.h>

namespace quern {

inline double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
}

inline double Milliseconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) * 1e3 +
         duration.nanos() * 1e-6;
}

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_DURATIONS_H_
