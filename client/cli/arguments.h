// The words of a command line, told apart: positionals and options.
#ifndef QUERN_CLIENT_CLI_ARGUMENTS_H_
#define QUERN_CLIENT_CLI_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace quern {

// What one command accepts. Names are without "--".
struct ArgumentRules {
  std::vector<std::string> positionals;  // Required; names for messages.
  std::vector<std::string> options;      // With a value; may repeat.
  std::vector<std::string> flags;        // Without.
};

// A value. Every command accepts "--json" and "--sockets FOLDER" as well.
class Arguments final {
 public:
  // InvalidArgument: an unknown option, a missing value or positional, or one
  // too many; the message names it.
  static absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words,
                                         const ArgumentRules& rules);

  const std::string& positional(size_t index) const {
    return positionals_[index];
  }
  bool Has(const std::string& name) const { return options_.contains(name); }

  // The last value of an option, or `otherwise`.
  std::string Get(const std::string& name, std::string_view otherwise) const;

  // All values of an option, in order.
  const std::vector<std::string>& All(const std::string& name) const;

  // InvalidArgument: the option's value is not a number from 1 to 2^32 - 1.
  absl::StatusOr<uint32_t> GetCount(const std::string& name,
                                    uint32_t otherwise) const;

 private:
  std::vector<std::string> positionals_;
  std::map<std::string, std::vector<std::string>> options_;
};

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_ARGUMENTS_H_
