// Numbers and arrays as launch arguments.
#include "client/cli/argument_values.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/scalar_slot.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr char kOutSuffix[] = ":out";

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

absl::StatusOr<uint64_t> ScalarSlot(const std::string& word, uint8_t kind) {
  if (!IsIntegerKind(kind)) {
    double value = 0;
    if (absl::SimpleAtod(word, &value)) return FloatSlot(value, kind);
    return absl::InvalidArgumentError(absl::StrCat(word, " is not a number"));
  }
  int64_t value = 0;
  if (absl::SimpleAtoi(word, &value)) return IntegerSlot(value, kind);
  uint64_t unsigned_value = 0;
  if (kind == QUERN_ARGUMENT_I64 && absl::SimpleAtoi(word, &unsigned_value)) {
    return unsigned_value;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(word, " is not an integer of the argument's width"));
}

absl::StatusOr<ArgumentValues> ArgumentValues::Parse(
    const std::vector<std::string>& words, const quern_image_header& header) {
  if (words.size() != header.argument_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("the kernel has ", header.argument_count,
                     " arguments, but ", words.size(), " --arg are given"));
  }
  ArgumentValues values;
  for (size_t i = 0; i < words.size(); ++i) {
    QUERN_RETURN_IF_ERROR(
        Annotate(values.Add(words[i], header.argument_kinds[i]),
                 absl::StrCat("argument ", i)));
  }
  return values;
}

absl::Status ArgumentValues::Add(const std::string& word, uint8_t kind) {
  const bool array = !word.empty() && word[0] == '@';
  if (array != (kind == QUERN_ARGUMENT_POINTER)) {
    return absl::InvalidArgumentError(
        array ? absl::StrCat(word, " is given for a scalar")
              : absl::StrCat("a pointer needs @FILE.npy, not ", word));
  }
  if (!array) {
    QUERN_ASSIGN_OR_RETURN(const uint64_t slot, ScalarSlot(word, kind));
    slots_.push_back(slot);
    return absl::OkStatus();
  }
  const bool out = EndsWith(word, kOutSuffix);
  const std::string path =
      word.substr(1, word.size() - 1 - (out ? sizeof(kOutSuffix) - 1 : 0));
  QUERN_ASSIGN_OR_RETURN(NpyArray contents, NpyArray::Read(path));
  slots_.push_back(reinterpret_cast<uintptr_t>(contents.data()));
  arrays_.push_back({.argument = slots_.size() - 1,
                     .contents = std::move(contents),
                     .written_back = out});
  return absl::OkStatus();
}

absl::Status ArgumentValues::WriteBack() const {
  for (const ArgumentArray& array : arrays_) {
    if (array.written_back) {
      QUERN_RETURN_IF_ERROR(array.contents.WriteBack());
    }
  }
  return absl::OkStatus();
}

}  // namespace quern
