// Command lines: "--name value", "--name=value", "--flag", positionals.
#include "client/cli/arguments.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(
    const std::vector<std::string>& words, const ArgumentRules& rules) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.rfind("--", 0) != 0 || word.size() == 2) {
      arguments.positionals_.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals - 2);
    if (name == "json" || Contains(rules.flags, name)) {
      if (equals != std::string::npos) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, " takes no value"));
      }
      arguments.options_[name];
    } else if (name == "sockets" || Contains(rules.options, name)) {
      if (equals != std::string::npos) {
        arguments.options_[name].push_back(word.substr(equals + 1));
      } else if (i + 1 < words.size()) {
        arguments.options_[name].push_back(words[++i]);
      } else {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, " needs a value"));
      }
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown option --", name));
    }
  }
  const size_t given = arguments.positionals_.size();
  if (given < rules.positionals.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("missing ", rules.positionals[given]));
  }
  if (given > rules.positionals.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "what is '", arguments.positionals_[rules.positionals.size()], "'?"));
  }
  return arguments;
}

std::string Arguments::Get(const std::string& name,
                           std::string_view otherwise) const {
  const std::vector<std::string>& values = All(name);
  return values.empty() ? std::string(otherwise) : values.back();
}

const std::vector<std::string>& Arguments::All(const std::string& name) const {
  static const std::vector<std::string> kNone;
  const auto found = options_.find(name);
  return found == options_.end() ? kNone : found->second;
}

absl::StatusOr<uint32_t> Arguments::GetCount(const std::string& name,
                                             uint32_t otherwise) const {
  if (!Has(name)) return otherwise;
  uint32_t count = 0;
  if (!absl::SimpleAtoi(Get(name, ""), &count) || count == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, " needs a number from 1 on"));
  }
  return count;
}

}  // namespace quern
