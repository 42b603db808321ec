// From the --arg words of a command line to the slots of a launch.
#ifndef QUERN_CLIENT_CLI_ARGUMENT_VALUES_H_
#define QUERN_CLIENT_CLI_ARGUMENT_VALUES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/npy.h"
#include "proto/wire/image_format.h"

namespace quern {

// An array that a pointer argument points to.
struct ArgumentArray {
  size_t argument = 0;  // Its number.
  NpyArray contents;
  bool written_back = false;
};

// The slots, and the arrays that their pointers point to.
class ArgumentValues final {
 public:
  // Reads one word an argument of `header`, in order: a number for a scalar;
  // "@FILE.npy" or "@FILE.npy:out" for a pointer.
  //
  // InvalidArgument: another number of words, a word that does not fit its
  //   argument's kind, or a file that is no .npy file.
  // NotFound: no such file.
  static absl::StatusOr<ArgumentValues> Parse(
      const std::vector<std::string>& words, const quern_image_header& header);

  const std::vector<uint64_t>& slots() const { return slots_; }

  const std::vector<ArgumentArray>& arrays() const { return arrays_; }

  // Writes the arrays marked ":out" back to their files.
  absl::Status WriteBack() const;

 private:
  absl::Status Add(const std::string& word, uint8_t kind);

  std::vector<uint64_t> slots_;
  std::vector<ArgumentArray> arrays_;
};

// The low bytes of a slot that hold `word` as an argument of `kind`
// (quern_argument_kind).
//
// InvalidArgument: not a number, or not one of that kind.
absl::StatusOr<uint64_t> ScalarSlot(const std::string& word, uint8_t kind);

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_ARGUMENT_VALUES_H_
